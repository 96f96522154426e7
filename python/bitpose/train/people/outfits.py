# SPDX-License-Identifier: Apache-2.0
"""What the people look like: shape, skin, clothes and hair, each in colours of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from bitpose.body import BodyModel, default_surface
from bitpose.body.base_mesh import BaseMesh
from bitpose.body.wardrobe import DressedBody, Part, Wardrobe
from bitpose.render import Drawable, Surface, Texture
from bitpose.train.people.textures import in_fabric, small, tinted

Array = NDArray[Any]
Picture = NDArray[np.uint8]

#: Outfits of a split, and colours of each part. Both are kept in memory, some 6 MB an outfit.
_OUTFITS, _COLOURS = 96, 24
#: The shares of people who are children, wear one garment rather than two, shoes, a hat, hair where
#: no hat is, and of garments that are of another fabric.
_CHILDREN, _WHOLE, _SHOES, _HAT, _HAIR, _FABRIC = 0.15, 0.75, 0.9, 0.12, 0.93, 0.35
#: Every so many of a sorted list are seen by the test split alone.
_TEST_EVERY = 5
_FACE = ("eyes/low-poly",)


@dataclass(frozen=True, eq=False)
class Look:
    """A person to draw, in any pose."""

    betas: Array
    parts: tuple[Part, ...]

    def drawables(self, R_parent_joint: ArrayLike, translation: ArrayLike) -> list[Drawable]:
        return DressedBody(self.parts).drawables(self.betas, R_parent_joint, translation)


class Outfits:
    """Looks to draw from: so many outfits of a wardrobe, each part of them in so many colours.

    They are made when they are first drawn, and kept: a draw takes hardly any time then.
    """

    def __init__(
        self, wardrobe: Wardrobe, base: BaseMesh, fabrics: tuple[Picture, ...], split: str
    ) -> None:
        self._wardrobe, self._base, self._fabrics = wardrobe, base, fabrics
        self._test = split == "test"
        self._dressed: dict[int, DressedBody] = {}
        self._textures: dict[tuple[str, int], Texture] = {}

    @classmethod
    def of_folders(
        cls, people: str | PathLike[str], scenes: str | PathLike[str], base: BaseMesh, split: str
    ) -> Outfits:
        folder = Path(scenes)
        names = json.loads((folder / "split.json").read_text())[split]
        fabrics = []
        for name in (n for n in names if Path(n).name.startswith("cloth")):
            with Image.open(folder / name) as image:
                fabrics.append(np.asarray(image.convert("RGB")))
        return cls(Wardrobe.load(people), base, tuple(fabrics), split)

    def draw(self, random: np.random.Generator) -> Look:
        """Somebody."""
        axes = self._base.model.axes
        assert axes is not None
        values = dict(zip(axes.names, random.normal(0, 1, len(axes.names)), strict=True))
        values["childhood"] = 1.5 * abs(random.normal()) if random.random() < _CHILDREN else 0.0
        # Outfits of women and men take turns.
        female = values["sex"] < 0
        number = 2 * int(random.integers(_OUTFITS // 2)) + female
        if number not in self._dressed:
            self._dressed[number] = self._outfit(number, female)
        parts = tuple(
            replace(part, texture=self._coloured(part, int(random.integers(_COLOURS))))
            for part in self._dressed[number].parts
        )
        return Look(axes.betas(**values), parts)

    def _outfit(self, number: int, female: bool) -> DressedBody:
        random = np.random.default_rng([number, self._test])
        skins = [n for n in self._wardrobe.skins if ("female" in n) == female]
        worn = self._worn(female, random)
        return self._wardrobe.dress(self._base, self._one(skins, random), worn)

    def _worn(self, female: bool, random: np.random.Generator) -> tuple[str, ...]:
        """One garment or two for the body, perhaps shoes, hair or a hat, and eyes."""
        wardrobe = self._wardrobe
        whole = [n for n in wardrobe.named("clothes", "full") if _suits(n, female)]
        if random.random() < _WHOLE:
            worn = [self._one(whole, random)]
        else:
            worn = [self._one(wardrobe.named("clothes", s), random) for s in ("top", "bottom")]
        if random.random() < _SHOES:
            worn.append(self._one(wardrobe.named("clothes", "feet"), random))
        if random.random() < _HAT:
            worn.append(self._one(wardrobe.named("clothes", "head"), random))
        elif random.random() < _HAIR:
            worn.append(self._one(wardrobe.named("hair"), random))
        return (*worn, *(name for name in _FACE if name in wardrobe.items))

    def _one(self, names: list[str], random: np.random.Generator) -> str:
        """Of the split's own names, or of all where there are too few to share out."""
        names = sorted(names)
        own = [n for i, n in enumerate(names) if (i % _TEST_EVERY == 0) == self._test]
        chosen = own if len(names) >= _TEST_EVERY else names
        return chosen[random.integers(len(chosen))]

    def _coloured(self, part: Part, number: int) -> Texture:
        """The part's texture in one of its colours."""
        key = part.name, number
        if key not in self._textures:
            random = np.random.default_rng([crc32(part.name.encode()), number, self._test])
            self._textures[key] = self._painted(part, random)
        return self._textures[key]

    def _painted(self, part: Part, random: np.random.Generator) -> Texture:
        picture = small(part.texture)
        kind = part.name.partition("/")[0]
        if kind == "clothes" and self._fabrics and random.random() < _FABRIC:
            fabric = self._fabrics[random.integers(len(self._fabrics))]
            picture = in_fabric(picture, fabric, int(random.integers(1, 5)))
        hue = {"skins": 0.05, "hair": 0.4, "clothes": np.pi}.get(kind, 0.0)
        return Texture(tinted(picture, random, hue))


class PlainOutfits:
    """Bare bodies in made-up patterns, for who has no wardrobe."""

    def __init__(self) -> None:
        self._model = BodyModel.load()
        charts = default_surface.load().charts
        self._surface = Surface(
            len(self._model.v_template), self._model.faces, texture_uv=charts.texture_uv()
        )

    def draw(self, random: np.random.Generator) -> Look:
        axes = self._model.axes
        assert axes is not None
        values = dict(zip(axes.names, random.normal(0, 1, len(axes.names)), strict=True))
        cells = random.integers(0, 256, (12, 12, 3)).astype(np.uint8)
        pattern = np.asarray(Image.fromarray(cells).resize((128, 128), Image.Resampling.BICUBIC))
        part = Part("pattern", self._model, self._surface, Texture(pattern), skin=True)
        return Look(axes.betas(**values), (part,))


def _suits(name: str, female: bool) -> bool:
    """Whether a garment is for this sex, by its name, or for any."""
    if "female" in name or "gown" in name:
        return female
    return "male" not in name or not female
