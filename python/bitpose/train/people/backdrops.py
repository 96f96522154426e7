# SPDX-License-Identifier: Apache-2.0
"""What stands behind the people and lights them: panoramas, photos, or made-up pictures.

A panorama's world is the scene's: y up. Its conventions are those of `../shared/scenes`.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from functools import cache, cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.render import Light, PerspectiveCamera

Array = NDArray[Any]
Picture = NDArray[np.uint8]

#: What the cosine lobe leaves of spherical harmonics of degree 0, 1, 2 (Ramamoorthi and Hanrahan,
#: 2001), over pi: radiance to what a white surface shows.
_LOBE = np.array([1.0, *[2 / 3] * 3, *[1 / 4] * 5])
#: Of the grid on which directions are exact.
_CELLS = 4
#: Texels that a pixel should show at least, and how many times as wide a view may get for it.
_SHARP, _WIDEST = 0.5, 2.5
#: Of the first harmonic, everywhere.
_Y0 = 0.28209479177387814


@dataclass(frozen=True, eq=False)
class Panorama:
    """An equirectangular picture [H, W, 3] and its light."""

    picture: Picture
    harmonics: NDArray[np.float32]
    """[9, 3]: of `Light`."""
    towards_light: Array
    """[3], a unit vector."""

    def behind(self, camera: PerspectiveCamera) -> Picture:
        """What `camera` sees of it, [height, width, 3].

        Exact at the corners of a grid, between which the panorama is stretched; but where the
        camera looks so closely that it would be a blur, more of the panorama is seen.
        """
        texels = self.picture.shape[1] / (2 * np.pi * camera.fx)
        wider = float(np.clip(_SHARP / texels, 1.0, _WIDEST))
        camera = replace(camera, fx=camera.fx / wider, fy=camera.fy / wider)
        lines = np.linspace(0, 1, _CELLS + 1)
        directions = _rays(camera, lines) @ camera.T_camera_world[:3, :3]
        height, width = self.picture.shape[:2]
        azimuth = np.arctan2(directions[..., 0], -directions[..., 2])
        middle = azimuth[_CELLS // 2, _CELLS // 2]
        # All around the middle, so that the panorama's seam is not between two corners.
        azimuth = np.mod(azimuth - middle + np.pi, 2 * np.pi) + middle - np.pi
        polar = np.arccos(np.clip(directions[..., 1], -1, 1))
        places = np.stack(
            [(azimuth / (2 * np.pi) + 0.5) * width, polar * (height / np.pi)], axis=-1
        )
        left = int(np.floor(places[..., 0].min())) - 2
        columns = np.arange(left, int(np.ceil(places[..., 0].max())) + 2) % width
        top = max(int(places[..., 1].min()) - 2, 0)
        part = self.picture[top : int(places[..., 1].max()) + 3].take(columns, axis=1)
        return _stretched(part, places - (left, top), camera)

    def light(self) -> Light:
        return Light(self.harmonics)


def _rays(camera: PerspectiveCamera, lines: Array) -> Array:
    """[N, N, 3]: unit vectors in the camera's frame through lattice points of the picture, which
    `lines` [N] divide, 0 to 1."""
    x = (lines * camera.width - camera.cx) / camera.fx
    y = (lines * camera.height - camera.cy) / camera.fy
    rays = np.stack([*np.meshgrid(x, y), np.ones((len(lines), len(lines)))], axis=-1)
    return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))


def _stretched(part: Picture, places: Array, camera: PerspectiveCamera) -> Picture:
    """The quadrilaterals between `places` [N, N, 2], columns and rows of `part`, as a picture.

    Cameras see a few degrees of a panorama: the nearest pixels would be blocks, behind people whose
    outlines are sharp.
    """
    across = np.rint(np.linspace(0, camera.width, _CELLS + 1)).astype(int).tolist()
    down = np.rint(np.linspace(0, camera.height, _CELLS + 1)).astype(int).tolist()
    mesh = []
    for i in range(_CELLS):
        for j in range(_CELLS):
            corners = places[[i, i + 1, i + 1, i], [j, j, j + 1, j + 1]]
            box = (across[j], down[i], across[j + 1], down[i + 1])
            mesh.append((box, tuple(corners.ravel().tolist())))
    image = Image.fromarray(part).transform(
        (camera.width, camera.height), Image.Transform.MESH, mesh, Image.Resampling.BILINEAR
    )
    return np.asarray(image)


@dataclass(frozen=True, eq=False)
class Backdrops:
    """Panoramas and photos to draw from; files are read when they are first drawn."""

    panoramas: tuple[Path, ...]
    photos: tuple[Path, ...]
    textures: tuple[Path, ...]
    """Of walls, floors and things, not of cloth."""
    lighting: dict[str, Array]

    @classmethod
    def of_folder(cls, folder: str | PathLike[str], split: str, cc0: bool = False) -> Backdrops:
        """Those of `train` or `test` in a folder like `../shared/scenes`; with `cc0`, of them those
        that `sources.csv` says are in the public domain."""
        folder = Path(folder)
        names = json.loads((folder / "split.json").read_text())[split]
        if cc0:
            with (folder / "sources.csv").open(newline="", encoding="utf-8") as file:
                free = {
                    row["file"] for row in csv.DictReader(file) if row["licence"].startswith("CC0")
                }
            names = [name for name in names if name in free]
        with np.load(folder / "lighting.npz", allow_pickle=False) as file:
            lighting = dict(file)
        hard = [name for name in names if not Path(name).name.startswith("cloth")]
        panoramas, photos, textures = (
            tuple(folder / name for name in hard if name.startswith(kind))
            for kind in ("panoramas", "photos", "textures")
        )
        return cls(panoramas, photos, textures, lighting)

    @classmethod
    def made_up(cls) -> Backdrops:
        return cls((), (), (), {})

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {Path(str(name)).name: i for i, name in enumerate(self.lighting.get("name", ()))}

    def draw(self, random: np.random.Generator) -> Panorama:
        """A scene: a panorama, or the light of one with a photo's or a made-up picture's ground."""
        if not self.panoramas:
            return _made_up(random)
        path = self.panoramas[random.integers(len(self.panoramas))]
        row = self._rows[path.name]
        harmonics = self.lighting["sh"][row] * self.lighting["exposure"][row]
        return Panorama(
            _read(path),
            (harmonics * _LOBE[:, None] * _Y0).astype(np.float32),
            self.lighting["main_direction"][row],
        )

    def photo(self, random: np.random.Generator, height: int, width: int) -> Picture | None:
        """A part of a photo, at random size and place; None where there are none."""
        if not self.photos:
            return None
        picture = _read(self.photos[random.integers(len(self.photos))])
        extent = picture.shape[:2]
        most = min(extent[0] / height, extent[1] / width)
        scale = most * random.uniform(0.35, 1.0)
        rows, columns = max(1, int(height * scale)), max(1, int(width * scale))
        top = int(random.integers(extent[0] - rows + 1))
        left = int(random.integers(extent[1] - columns + 1))
        part = picture[top : top + rows, left : left + columns]
        if random.random() < 0.5:
            part = part[:, ::-1]
        return np.asarray(Image.fromarray(part).resize((width, height), Image.Resampling.BILINEAR))

    def texture(self, random: np.random.Generator, side: int) -> Picture | None:
        """A square part of a texture; None where there are none."""
        if not self.textures:
            return None
        picture = _read(self.textures[random.integers(len(self.textures))])
        extent = min(picture.shape[:2])
        part = int(extent * random.uniform(0.3, 1.0))
        top, left = (int(random.integers(n - part + 1)) for n in picture.shape[:2])
        square = Image.fromarray(picture[top : top + part, left : left + part])
        return np.asarray(square.resize((side, side), Image.Resampling.BOX))


@cache
def _read(path: Path) -> Picture:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _made_up(random: np.random.Generator) -> Panorama:
    """Sky and ground of plain colours with rectangles and noise, and light from above."""
    height, width = 128, 256
    sky, ground = random.uniform(60, 230, 3), random.uniform(40, 180, 3)
    canvas = np.empty((height, width, 3))
    canvas[: height // 2], canvas[height // 2 :] = sky, ground
    for _ in range(40):
        top, left = random.integers(height), random.integers(width)
        rows, columns = random.integers(4, 40, 2)
        canvas[top : top + rows, left : left + columns] = random.uniform(0, 255, 3)
    canvas += random.normal(0, 6, canvas.shape)
    harmonics = np.zeros((9, 3), np.float32)
    harmonics[0] = random.uniform(0.25, 0.6)
    towards = random.normal((0, 1.5, 0), 1)
    towards /= np.linalg.norm(towards)
    harmonics[1:4] = 0.4 * harmonics[0] * towards[[1, 2, 0], None]
    return Panorama(np.clip(canvas, 0, 255).astype(np.uint8), harmonics, towards)
