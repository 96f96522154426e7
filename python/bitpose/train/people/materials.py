# SPDX-License-Identifier: Apache-2.0
"""What things are made of: surfaces of the scenes' textures, parts of photos, made-up patterns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.render import Texture
from bitpose.train.people.backdrops import Backdrops
from bitpose.train.people.textures import TEXELS, blob, pattern, tinted

Array = NDArray[Any]
Picture = NDArray[np.uint8]

#: Of each kind; they are kept in memory, 50 KB each.
_COUNT = 160
#: The shares that show a texture and a photo.
_TEXTURE, _PHOTO = 0.4, 0.25


class Materials:
    """Textures to draw from; each is made when it is first drawn, and kept."""

    def __init__(self, backdrops: Backdrops, test: bool) -> None:
        self._backdrops, self._test = backdrops, test
        self._kept: dict[tuple[int, bool], Texture] = {}

    def draw(self, random: np.random.Generator) -> Texture:
        return self._numbered(int(random.integers(_COUNT)), False)

    def cutout(self, random: np.random.Generator) -> Texture:
        """One with an outline of its own."""
        return self._numbered(int(random.integers(_COUNT)), True)

    def _numbered(self, number: int, cut: bool) -> Texture:
        key = number, cut
        if key not in self._kept:
            random = np.random.default_rng([number, cut, self._test])
            picture = self._picture(random)
            if cut:
                shape = blob(random, len(picture))
                alpha = np.where(shape, 255, 0).astype(np.uint8)
                picture = np.concatenate([picture, alpha[..., None]], axis=-1)
            self._kept[key] = Texture(picture)
        return self._kept[key]

    def _picture(self, random: np.random.Generator) -> Picture:
        kind = random.random()
        picture = None
        if kind < _TEXTURE:
            picture = self._backdrops.texture(random, TEXELS)
        elif kind < _TEXTURE + _PHOTO:
            picture = self._backdrops.photo(random, TEXELS, TEXELS)
        if picture is None:
            return pattern(random)
        return tinted(picture, random, 0.5)
