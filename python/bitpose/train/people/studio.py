# SPDX-License-Identifier: Apache-2.0
"""Makes pictures of people with their labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from bitpose.body import BodyModel
from bitpose.body.base_mesh import BaseMesh
from bitpose.body.wardrobe import Part
from bitpose.errors import InputError
from bitpose.render import Drawable, PerspectiveCamera, Surface, rasterize, render
from bitpose.train.people import props, scene
from bitpose.train.people.backdrops import Backdrops, Panorama
from bitpose.train.people.coarse import CELLS, coarsened
from bitpose.train.people.effects import photographed
from bitpose.train.people.labels import Labels, label
from bitpose.train.people.materials import Materials
from bitpose.train.people.outfits import Outfits, PlainOutfits
from bitpose.train.people.poses import Poses
from bitpose.train.people.standing import Standing, grounded

Array = NDArray[Any]
Picture = NDArray[np.uint8]

SPLITS = ("train", "test")
#: Of the backgrounds, those that are photos, where there are any.
_PHOTOS = 0.4
_SHADOW = 0.55
#: Pixels of a side of the map of shadows.
_SHADOW_SIDE = 64


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture [size, size, 3], RGB, and its labels."""

    picture: Picture
    labels: Labels
    camera: PerspectiveCamera
    """Its world is the scene's, y up."""


@dataclass(frozen=True, eq=False)
class Studio:
    """Where samples are made: what there is to draw from."""

    poses: Poses
    outfits: Outfits | PlainOutfits
    backdrops: Backdrops
    materials: Materials
    body: BodyModel

    @classmethod
    def load(
        cls, shared: str | PathLike[str] | None, base_mesh: str | PathLike[str] | None, split: str
    ) -> Studio:
        """Of the folders `mocap`, `people` and `scenes` in `shared`, and the file `base_mesh.npz`
        of `python -m bitpose.body.make`: those parts that `split`, train or test, may see. Without
        them poses come from the prior, and bodies, patterns and backgrounds are made up.

        Raises InputError for another split, OSError where a folder lacks its files.
        """
        if split not in SPLITS:
            raise InputError(f"split {split!r}; there are {', '.join(SPLITS)}")
        body = BodyModel.load()
        if shared is None or base_mesh is None:
            backdrops = Backdrops.made_up()
            materials = Materials(backdrops, split == "test")
            poses = Poses.of_prior(SPLITS.index(split))
            return cls(poses, PlainOutfits(split), backdrops, materials, body)
        folder = Path(shared)
        base = BaseMesh.load(base_mesh)
        backdrops = Backdrops.of_folder(folder / "scenes", split)
        return cls(
            Poses.of_motion(folder / "mocap" / "cmu_poses.npz", split == "test"),
            Outfits.of_folders(folder / "people", folder / "scenes", base, split),
            backdrops,
            Materials(backdrops, split == "test"),
            body,
        )

    def sample(self, seed: int, size: int = 128) -> Sample:
        """One picture; equal seeds give equal ones."""
        random = np.random.default_rng(seed)
        first = self._somebody(random)
        camera = scene.camera_for(first, size, random)
        others = range(scene.count(random) - 1)
        people = [first]
        people += [self._somebody(random).moved(scene.beside(camera, random)) for _ in others]
        backdrop = self.backdrops.draw(random)
        drawables: list[Drawable] = []
        owners: list[int] = []
        for number, person in enumerate(people):
            parts = person.drawables(camera)
            drawables += parts
            owners += [number] * len(parts)
        seats = props.seats(people, self.materials, random)
        things = [*seats, *props.obstacles(people, camera, self.materials, random)]
        drawables += things
        owners += [-1] * len(things)
        background = self._background(backdrop, camera, people, random)
        drawn = render(drawables, camera, light=backdrop.light(), background=background)
        labels = label(people, owners, drawn.maps, camera)
        return Sample(photographed(drawn.rgb, random), labels, camera)

    def _somebody(self, random: np.random.Generator) -> Standing:
        return grounded(self.outfits.draw(random), self.poses.draw(random), self.body)

    def _background(
        self,
        backdrop: Panorama,
        camera: PerspectiveCamera,
        people: list[Standing],
        random: np.random.Generator,
    ) -> Picture:
        """The panorama with shadows on its ground, or a photo, whose ground nobody knows."""
        if random.random() < _PHOTOS:
            photo = self.backdrops.photo(random, camera.height, camera.width)
            if photo is not None:
                return photo
        return _shadowed(backdrop.behind(camera), backdrop, camera, people)


def _shadowed(
    picture: Picture, backdrop: Panorama, camera: PerspectiveCamera, people: list[Standing]
) -> Picture:
    """Bodies laid flat on the ground, away from the light, in a softened dark."""
    towards = np.asarray(backdrop.towards_light, np.float64)
    towards = towards if towards[1] > 0.25 else np.array([0.0, 1.0, 0.0])
    used, surface = _rough()
    flat = []
    for person in people:
        vertices = person.bare[used].astype(np.float64)
        ground = vertices - np.maximum(vertices[:, 1:2], 0) / towards[1] * towards
        ground[:, 1] = 0.0
        flat.append(Drawable(surface, ground))
    # A coarse camera, since shadows are soft.
    side = min(_SHADOW_SIDE, camera.width)
    scale = side / camera.width
    coarse = replace(
        camera,
        width=side,
        height=side,
        fx=camera.fx * scale,
        fy=camera.fy * scale,
        cx=camera.cx * scale,
        cy=camera.cy * scale,
    )
    mask = rasterize(flat, coarse).mask
    if not mask.any():
        return picture
    shade = np.where(mask, np.uint8(255 * (1 - _SHADOW)), np.uint8(255))
    soft = Image.fromarray(shade).filter(ImageFilter.GaussianBlur(0.8))
    shades = soft.resize((camera.width, camera.height), Image.Resampling.BILINEAR)
    below = Image.fromarray(picture)
    return np.asarray(ImageChops.multiply(below, Image.merge("RGB", [shades] * 3)))


@cache
def _rough() -> tuple[NDArray[np.intp], Surface]:
    """The default body in few triangles, and which of its vertices those have."""
    body = BodyModel.load()
    number = Part("body", body, Surface(len(body.v_template), body.faces), None)
    rough = coarsened(number, CELLS[-1])
    distances = ((rough.model.v_template[:, None] - body.v_template) ** 2).sum(axis=-1)
    return distances.argmin(axis=1), rough.surface
