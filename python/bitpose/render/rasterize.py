# SPDX-License-Identifier: Apache-2.0
"""Pictures of surfaces: which point of which surface each pixel sees, and in what colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.render import _fragments, _raster, _shade, colour
from bitpose.render.camera import Camera, PerspectiveCamera
from bitpose.render.light import Light
from bitpose.render.maps import Maps
from bitpose.render.surface import Drawable

#: From this slope on, in depth by width, neighbours on one surface have an edge between them.
STEEPEST = 3.0
MAX_DRAWABLES = 1 << 15

Projected = tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float64]]


@dataclass(frozen=True)
class Rendering:
    """A picture [H, W, 3] uint8, sRGB, and the maps of its pixels' centres."""

    rgb: NDArray[np.uint8]
    maps: Maps


@dataclass(frozen=True)
class _Scene:
    """Drawables in a picture; the faces of one come after those of the drawables before it."""

    drawables: Sequence[Drawable]
    camera: Camera
    projected: list[Projected]
    first: NDArray[np.int32]
    """[D + 1]: of each drawable's faces, and how many there are."""

    @property
    def perspective(self) -> bool:
        return isinstance(self.camera, PerspectiveCamera)

    @property
    def shape(self) -> tuple[int, int]:
        return self.camera.height, self.camera.width

    def draw(
        self,
        keys: NDArray[np.float64],
        triangles: NDArray[np.int32],
        slots: NDArray[np.int32] | None = None,
    ) -> None:
        for drawable, projected, first in zip(
            self.drawables, self.projected, self.first.tolist(), strict=False
        ):
            bad = _raster.draw(
                projected,
                drawable.surface.faces,
                first,
                self.camera.nearest,
                drawable.back_faces,
                _alpha(drawable),
                keys,
                triangles,
                slots,
            )
            if bad >= 0:
                raise InputError(f"face {bad} names a vertex that does not exist")


def rasterize(drawables: Sequence[Drawable], camera: Camera) -> Maps:
    """The maps of `drawables` seen by `camera`; of equally near ones the first is seen.

    Coverage is exact for corners rounded to 1/4096 of a pixel: a pixel belongs to the triangle
    that holds its centre, and of two with a common edge there to the right or lower one.
    """
    return _rasterize(_scene(drawables, camera))[0]


def render(
    drawables: Sequence[Drawable],
    camera: Camera,
    *,
    light: Light | None = None,
    background: NDArray[np.uint8] | Sequence[int] = (0, 0, 0),
    smooth_edges: bool = True,
) -> Rendering:
    """A picture of `drawables` before `background`, a picture [H, W, 3] or one colour, sRGB uint8.

    `light` is Light.studio(camera) where it is not given. With `smooth_edges`, pixels beside an
    outline get the average, in linear light, of eight samples; maps are never smoothed.
    """
    scene = _scene(drawables, camera)
    light = light if light is not None else Light.studio(camera)
    picture = _background(background, scene.shape)
    maps, fragments = _rasterize(scene)
    flat = picture.reshape(-1, 3)
    behind = None
    if smooth_edges:
        slots, pixels = _fragments.find_edges(
            maps.item, maps.triangle, maps.depth, camera.pixel_size, scene.perspective, STEEPEST
        )
        behind = colour.decode(flat[pixels])
    for drawable, found in zip(drawables, fragments, strict=True):
        if not len(found.places):
            continue
        _shade.encode(_colours(drawable, found, light), found.places, colour.encoding(), flat)
    if behind is not None:
        edges = _smooth(scene, light, slots, pixels, behind)
        _shade.encode(edges, pixels, colour.encoding(), flat)
    return Rendering(picture, maps)


@dataclass(frozen=True)
class _Fragments:
    """The samples, N of them, where one drawable is seen."""

    places: NDArray[np.int32]
    triangles: NDArray[np.int32]
    barycentrics: NDArray[np.float32]
    areas: NDArray[np.float32]


def _scene(drawables: Sequence[Drawable], camera: Camera) -> _Scene:
    if len(drawables) > MAX_DRAWABLES:
        raise InputError(f"{len(drawables)} drawables; at most {MAX_DRAWABLES} can be drawn")
    counts = [len(drawable.surface.faces) for drawable in drawables]
    if sum(counts) >= 1 << 31:
        raise InputError(f"{sum(counts)} faces; fewer than 2^31 can be drawn")
    matrix = np.ascontiguousarray(camera.clip_world)
    projected = [_raster.project(d.vertices_world, matrix, camera.nearest) for d in drawables]
    return _Scene(drawables, camera, projected, np.cumsum([0, *counts]).astype(np.int32))


def _rasterize(scene: _Scene) -> tuple[Maps, list[_Fragments]]:
    shape = scene.shape
    keys = np.full(shape, -np.inf)
    triangles = np.full(shape, -1, np.int32)
    scene.draw(keys, triangles)
    maps = Maps.blank(*shape)
    fragments = []
    for i, (places, local) in enumerate(_fragments.gather(triangles, scene.first)):
        surface = scene.drawables[i].surface
        positions = _fragments.pixel_positions(places, shape[1])
        found = _locate(scene, i, places, local, positions)
        _fragments.write_maps(
            places,
            local,
            found.barycentrics,
            keys,
            scene.perspective,
            surface.faces,
            surface.parts,
            surface.uv,
            i,
            maps,
        )
        fragments.append(found)
    return maps, fragments


def _locate(
    scene: _Scene,
    i: int,
    places: NDArray[np.int32],
    local: NDArray[np.int32],
    positions: NDArray[np.int32],
) -> _Fragments:
    faces = scene.drawables[i].surface.faces
    barycentrics, areas = _fragments.locate(scene.projected[i], faces, local, positions)
    return _Fragments(places, local, barycentrics, areas)


def _smooth(
    scene: _Scene,
    light: Light,
    slots: NDArray[np.int32],
    pixels: NDArray[np.int32],
    behind: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The colours [K, 3] of the edge pixels: averages over their samples."""
    keys = np.full((len(pixels), len(_raster.SAMPLE_OFFSETS)), -np.inf)
    triangles = np.full(keys.shape, -1, np.int32)
    scene.draw(keys, triangles, slots)
    sums = np.zeros((len(pixels), 3), np.float32)
    counts = np.zeros(len(pixels), np.int32)
    for i, (places, local) in enumerate(_fragments.gather(triangles, scene.first)):
        if not len(places):
            continue
        positions = _fragments.sample_positions(
            places, pixels, _raster.SAMPLE_OFFSETS, scene.camera.width
        )
        found = _locate(scene, i, places, local, positions)
        _shade.accumulate(_colours(scene.drawables[i], found, light), places, sums, counts)
    missed = np.float32(keys.shape[1]) - counts[:, None].astype(np.float32)
    return np.asarray((sums + missed * behind) / np.float32(keys.shape[1]))


def _colours(drawable: Drawable, found: _Fragments, light: Light) -> NDArray[np.float32]:
    """[N, 3], in linear light."""
    surface = drawable.surface
    corners = (surface.faces, found.triangles, found.barycentrics)
    if drawable.texture is not None and surface.texture_uv is not None:
        colours = _shade.sample_texture(
            *drawable.texture.levels,
            colour.decoding(),
            surface.texture_uv,
            found.triangles,
            found.barycentrics,
            found.areas,
        )
    else:
        given = colour.decode(np.asarray(drawable.colours))
        if given.ndim == 1:
            colours = np.tile(given, (len(found.places), 1))
        else:
            colours = _shade.mix_corners(given, *corners)
    normals = _shade.mix_corners(drawable.normals_world, *corners)
    _shade.illuminate(
        colours, normals, found.areas, light.harmonics, light.directions_world, light.strengths
    )
    return colours


def _alpha(drawable: Drawable) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
    uv = drawable.surface.texture_uv
    if drawable.texture is None or uv is None or drawable.texture.alpha is None:
        return None
    return drawable.texture.alpha, uv


def _background(
    given: NDArray[np.uint8] | Sequence[int], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    background = np.asarray(given)
    if background.shape not in ((3,), (*shape, 3)):
        raise InputError(f"the background has shape {background.shape}; must be {(*shape, 3)}")
    if background.dtype != np.uint8 and not (
        background.dtype.kind in "iu" and background.min() >= 0 and background.max() <= 255
    ):
        raise InputError(f"the background must be bytes, not {background.dtype}")
    picture = np.empty((*shape, 3), np.uint8)
    picture[:] = background
    return picture
