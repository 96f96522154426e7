# SPDX-License-Identifier: Apache-2.0
"""Maps, meshes and skeletons over photos. Photos are [H, W, 3] uint8, sRGB."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError
from bitpose.pose.decode import Keypoints
from bitpose.pose.skeleton import Skeleton
from bitpose.render.camera import Camera, WeakPerspectiveCamera
from bitpose.render.light import Light
from bitpose.render.rasterize import render
from bitpose.render.surface import Drawable

Picture = NDArray[np.uint8]

# DensePose's parts in pairs that differ a little, the right side of the person warm, the left cold:
# torso, hands, feet, upper legs, lower legs, upper arms, lower arms, head.
_PARTS = """
    000000 5f9e3c 8ccf5a e5484d 3b82f6 14a08c f08c2e d9730d 0f8a83 ffa94d 3cc7b8 e0a100 4fa3a5
    ffd04a 8adfd6 2563c9 c92a2a 5a9bff f0605f 5bb8e8 f58a6b 9bdcff ffb59c b455c8 dc8fe6
"""

#: [25, 3]: a colour for each of DensePose's parts; that of the background is black.
PART_COLOURS: Picture = np.array([list(bytes.fromhex(code)) for code in _PARTS.split()], np.uint8)

#: Of the height of a side view, what a body fills.
_FILLED = 0.92
_LINES = 8  # Of equal u, and of equal v, in a chart.


def draw_parts(photo: Picture, part: NDArray[np.uint8], opacity: float = 0.7) -> Picture:
    """A copy of `photo` with each part, [H, W] 0 .. 24, in its colour; 0 is left as it is."""
    _check(photo, part.shape)
    return _blend(photo, _colours(part), part > 0, opacity)


def draw_iuv(photo: Picture, iuv: NDArray[np.uint8], opacity: float = 0.7) -> Picture:
    """A copy of `photo` with an IUV map [H, W, 3] as in Maps.iuv: parts in their colours, lighter
    with u, and lines of equal u and v, eight of each in a chart.
    """
    if iuv.ndim != 3 or iuv.shape[2] != 3:
        raise InputError(f"an IUV map has shape {iuv.shape}; must be (H, W, 3)")
    _check(photo, iuv.shape[:2])
    part, u = iuv[..., 0], iuv[..., 1] / 255
    cells = (iuv[..., 1:].astype(np.int32) * _LINES) // 256
    line = np.zeros(part.shape, np.bool_)
    for axis in (0, 1):
        same = np.diff(part.astype(np.int32), axis=axis) == 0
        crossed = same & (np.abs(np.diff(cells, axis=axis)) == 1).any(axis=-1)
        line[: crossed.shape[0], : crossed.shape[1]] |= crossed
    shade = np.where(line, 0.35, 0.65 + 0.35 * u)[..., None]
    return _blend(photo, _colours(part) * shade, part > 0, opacity)


def draw_meshes(
    photo: Picture,
    drawables: Sequence[Drawable],
    camera: Camera,
    *,
    light: Light | None = None,
    opacity: float = 1.0,
) -> Picture:
    """A copy of `photo` with `drawables` over it, lit as in `render`, where `camera` sees them."""
    _check(photo, (camera.height, camera.width))
    drawn = render(drawables, camera, light=light, background=photo).rgb
    return _blend(photo, drawn, np.ones(drawn.shape[:2], np.bool_), opacity)


def side_view(
    drawables: Sequence[Drawable],
    camera: Camera,
    *,
    degrees: float = 90.0,
    background: Sequence[int] = (255, 255, 255),
) -> Picture:
    """What `camera` sees when it has walked around the middle of `drawables`, to its right.

    The middle is that of the box around all vertices.
    """
    vertices = [d.vertices_world for d in drawables if len(d.vertices_world)]
    middle = np.zeros(3)
    if vertices:
        low = np.min([v.min(axis=0) for v in vertices], axis=0)
        middle = (low + np.max([v.max(axis=0) for v in vertices], axis=0)) / 2
    return render(drawables, camera.around(middle, degrees), background=background).rgb


def side_views(
    drawables: Sequence[Drawable],
    camera: Camera,
    *,
    degrees: float = 90.0,
    height: int = 480,
    background: Sequence[int] = (255, 255, 255),
) -> Picture:
    """Each drawable beside the other, as high as the picture, as `camera` would see it from its
    side without perspective. However far apart people stand, each is seen.
    """
    panels = []
    for drawable in drawables:
        vertices = np.asarray(drawable.vertices_world, np.float64)
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        turned = camera.around((low + high) / 2, degrees).T_camera_world
        points = vertices @ turned[:3, :3].T + turned[:3, 3]
        low, high = points.min(axis=0), points.max(axis=0)
        extent, middle = high - low, (low + high) / 2
        scale = float(_FILLED * height / max(extent[1], extent[0] / 2))
        width = max(height // 3, int(np.ceil(extent[0] * scale / _FILLED)))
        cx, cy = np.array([width, height]) / 2 - scale * middle[:2]
        view = WeakPerspectiveCamera(
            width=width, height=height, T_camera_world=turned, scale=scale, cx=cx, cy=cy
        )
        panels.append(render([drawable], view, background=background).rgb)
    return np.concatenate(panels, axis=1)


def keypoints_of(
    points_world: ArrayLike, skeleton: Skeleton, camera: Camera, score: ArrayLike = 1.0
) -> Keypoints:
    """The keypoints [K, 3] of one person as `camera` sees them, to be drawn by `draw_keypoints`.

    Those behind the camera score 0, the others `score`, one number or [K].
    """
    points = np.asarray(points_world, np.float64)
    if points.shape != (len(skeleton.keypoints), 3):
        wanted = (len(skeleton.keypoints), 3)
        raise InputError(f"{skeleton.name} has keypoints {wanted}, not {points.shape}")
    given = np.asarray(score, np.float32)
    if given.shape not in ((), (len(points),)):
        raise InputError(f"score has shape {given.shape}; must be one number or ({len(points)},)")
    xy, _ = camera.project(points)
    seen = np.isfinite(xy[:, 0])
    scores = np.where(seen, given, np.float32(0))
    placed = np.where(seen[:, None], xy, 0)
    return Keypoints(skeleton, placed.astype(np.float32), scores.astype(np.float32))


def _check(photo: Picture, shape: tuple[int, ...]) -> None:
    if photo.dtype != np.uint8 or photo.shape != (*shape, 3):
        raise InputError(f"the photo is {photo.dtype} {photo.shape}; must be uint8 {(*shape, 3)}")


def _colours(part: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if part.size and part.max() >= len(PART_COLOURS):
        raise InputError(f"part {part.max()} has no colour; parts are 0 .. 24")
    return PART_COLOURS[part]


def _blend(
    photo: Picture, colours: NDArray[np.generic], where: NDArray[np.bool_], opacity: float
) -> Picture:
    if not 0 <= opacity <= 1:
        raise InputError(f"opacity is {opacity}; must be in 0 .. 1")
    mixed = np.rint(photo * (1 - opacity) + colours.astype(np.float64) * opacity)
    return np.where(where[..., None], mixed, photo).astype(np.uint8)
