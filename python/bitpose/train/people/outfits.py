# SPDX-License-Identifier: Apache-2.0
"""What the people look like: shape, skin, clothes and hair, each in colours of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.body import BodyModel, default_surface
from bitpose.body.base_mesh import BaseMesh
from bitpose.body.wardrobe import Part, Wardrobe
from bitpose.render import Surface, Texture
from bitpose.train.people.layers import hair, shoes
from bitpose.train.people.outfit import Look, Outfit
from bitpose.train.people.styles import LAYERS, layered
from bitpose.train.people.textures import TEXELS, in_fabric, pattern, small, tiled, tinted

Array = NDArray[Any]
Picture = NDArray[np.uint8]

#: Outfits of a split, and colours of each part. Both are kept in memory, some 6 MB an outfit.
_OUTFITS, _COLOURS, _LAYER_COLOURS = 128, 24, 256
#: The shares of people who are children, wear one garment rather than two, shoes, a hat, hair where
#: no hat is.
_CHILDREN, _WHOLE, _SHOES, _HAT, _HAIR = 0.15, 0.75, 0.9, 0.12, 0.93
#: By lists of the wardrobe: the share that is of another fabric, and radians that hues turn by.
_FABRIC = {"clothes": 0.35, "layers": 0.5}
_HUES = {"skins": 0.05, "hair": 0.4, "clothes": np.pi}
#: Every so many of a sorted list are seen by the test split alone.
_TEST_EVERY = 5
_FACE = ("eyes/low-poly",)


class Outfits:
    """Looks to draw from: so many outfits of a wardrobe, each part of them in so many colours.

    They are made when they are first drawn, and kept: a draw takes hardly any time then.
    """

    def __init__(
        self, wardrobe: Wardrobe, base: BaseMesh, fabrics: tuple[Picture, ...], split: str
    ) -> None:
        self._wardrobe, self._base = wardrobe, base
        self._test = split == "test"
        self._dressed: dict[int, Outfit] = {}
        self._colours = _Colours(fabrics, self._test)

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
        return self._colours.look(axes.betas(**values), self._dressed[number], random)

    def _outfit(self, number: int, female: bool) -> Outfit:
        random = np.random.default_rng([number, self._test])
        skins = [n for n in self._wardrobe.skins if ("female" in n) == female]
        worn = self._worn(female, random)
        dressed = self._wardrobe.dress(self._base, self._one(skins, random), worn)
        return Outfit(layered(dressed.parts, female, random))

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


class _Colours:
    """The textures of parts, each in so many colours and fabrics, made when first drawn."""

    def __init__(self, fabrics: tuple[Picture, ...], test: bool) -> None:
        self._fabrics, self._test = fabrics, test
        self._textures: dict[tuple[str, int], Texture] = {}

    def look(self, betas: Array, outfit: Outfit, random: np.random.Generator) -> Look:
        """The outfit in some of its colours; parts of one name are of the same."""
        numbers: dict[str, int] = {}
        textures = []
        for part in outfit.parts:
            loose = part.name.startswith(LAYERS)
            if part.name not in numbers:
                numbers[part.name] = int(random.integers(_LAYER_COLOURS if loose else _COLOURS))
            key = LAYERS if loose else part.name, numbers[part.name]
            if key not in self._textures:
                own = np.random.default_rng([crc32(key[0].encode()), key[1], self._test])
                self._textures[key] = self._painted(part, own)
            textures.append(self._textures[key])
        return Look(betas, outfit, tuple(textures))

    def _painted(self, part: Part, random: np.random.Generator) -> Texture:
        kind = part.name.partition("/")[0]
        fabric = None
        if self._fabrics and random.random() < _FABRIC.get(kind, 0.0):
            fabric = self._fabrics[random.integers(len(self._fabrics))]
        if kind == "layers":
            if fabric is None:
                return Texture(pattern(random))
            tiles = int(random.integers(4, 9))
            return Texture(tinted(tiled(fabric, (TEXELS, TEXELS), tiles), random, np.pi))
        picture = small(part.texture)
        if fabric is not None:
            picture = in_fabric(picture, fabric, int(random.integers(1, 5)))
        return Texture(tinted(picture, random, _HUES.get(kind, 0.0)))


class PlainOutfits:
    """Bodies in loose clothes of made-up patterns, for who has no wardrobe."""

    def __init__(self, split: str) -> None:
        self._model = BodyModel.load()
        charts = default_surface.load().charts
        self._surface = Surface(
            len(self._model.v_template), self._model.faces, texture_uv=charts.texture_uv()
        )
        self._test = split == "test"
        self._dressed: dict[int, Outfit] = {}
        self._colours = _Colours((), self._test)

    def draw(self, random: np.random.Generator) -> Look:
        axes = self._model.axes
        assert axes is not None
        values = dict(zip(axes.names, random.normal(0, 1, len(axes.names)), strict=True))
        number = int(random.integers(_OUTFITS))
        if number not in self._dressed:
            self._dressed[number] = self._outfit(number)
        return self._colours.look(axes.betas(**values), self._dressed[number], random)

    def _outfit(self, number: int) -> Outfit:
        random = np.random.default_rng([number, self._test])
        skin = _toned(_PALE, _DARK, random.beta(2, 2), random)
        model = replace(self._model, keypoints={})
        parts = [Part(f"skins/{number}", model, self._surface, skin, skin=True)]
        if random.random() < _SHOES:
            parts.append(replace(shoes(), name=f"clothes/shoes{number}"))
        if random.random() < _HAIR:
            tone = _toned(_FAIR, _BLACK, random.beta(2, 1), random)
            parts.append(replace(hair(random), name=f"hair/{number}", texture=tone))
        return Outfit(layered(parts, bool(number % 2), random, bare=True))


_PALE, _DARK, _FAIR, _BLACK = (235, 190, 165), (70, 42, 30), (200, 170, 120), (25, 20, 18)


def _toned(
    first: tuple[int, ...], second: tuple[int, ...], share: float, random: np.random.Generator
) -> Texture:
    """Between two colours, and speckled."""
    tone = (1 - share) * np.array(first) + share * np.array(second)
    return Texture(np.clip(tone + random.normal(0, 6, (32, 32, 3)), 0, 255).astype(np.uint8))


def _suits(name: str, female: bool) -> bool:
    """Whether a garment is for this sex, by its name, or for any."""
    if "female" in name or "gown" in name:
        return female
    return "male" not in name or not female
