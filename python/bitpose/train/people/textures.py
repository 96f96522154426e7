# SPDX-License-Identifier: Apache-2.0
"""Pictures to lay on things and clothes: recoloured, woven over others, or made up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.render import Texture

Array = NDArray[Any]
Picture = NDArray[np.uint8]

#: Longest side of the textures: people are small in the pictures.
TEXELS = 128
#: Standard deviations of the logarithm.
_BRIGHTNESS, _SATURATION = 0.35, 0.3


def small(texture: Texture | None) -> Picture:
    """A texture's picture at the size at which people are; grey where there is none."""
    if texture is None:
        return np.full((8, 8, 3), 160, np.uint8)
    picture = Image.fromarray(texture.picture)
    picture.thumbnail((TEXELS, TEXELS), Image.Resampling.BOX)
    return np.asarray(picture)


def tinted(picture: Picture, random: np.random.Generator, hue: float) -> Picture:
    """Turned in hue by up to `hue` radians, and the more so brighter or darker, paler or richer."""
    some = min(1.0, 2 * hue)
    angle = random.uniform(-hue, hue)
    bright, rich = np.exp(some * random.normal(0, (_BRIGHTNESS, _SATURATION)))
    saturation = rich * np.eye(3) + (1 - rich) / 3
    matrix = bright * _hue_turn(angle) @ saturation
    colours = picture[..., :3].astype(np.float32) @ matrix.T.astype(np.float32)
    result = np.clip(colours, 0, 255).astype(np.uint8)
    return np.concatenate([result, picture[..., 3:]], axis=-1)


def _hue_turn(angle: float) -> Array:
    """A turn about the grey axis of RGB."""
    return axis_angle_to_matrix(np.full(3, angle * 3**-0.5))


def in_fabric(picture: Picture, fabric: Picture, tiles: int) -> Picture:
    """The fabric, shaded as the picture is: folds and seams stay."""
    height, width = picture.shape[:2]
    pattern = tiled(fabric, (height, width), tiles)
    shade = picture[..., :3].astype(np.float32).mean(axis=-1, keepdims=True)
    shade = np.clip(shade / max(1.0, float(np.median(shade))), 0.3, 1.6)
    woven = np.clip(pattern * shade, 0, 255).astype(np.uint8)
    return np.concatenate([woven, picture[..., 3:]], axis=-1)


def tiled(fabric: Picture, shape: tuple[int, int], tiles: int) -> Picture:
    """The fabric, so many times along the longer side."""
    height, width = shape
    side = max(8, max(height, width) // tiles)
    tile = np.asarray(Image.fromarray(fabric).resize((side, side), Image.Resampling.BOX))
    whole = np.tile(tile, (-(-height // side), -(-width // side), 1))
    return np.asarray(whole[:height, :width])


def pattern(random: np.random.Generator, side: int = TEXELS) -> Picture:
    """Plain, cloudy, striped, checked or patched, in two colours that go together or not."""
    first = colour(random)
    second = colour(random) if random.random() < 0.6 else first * random.uniform(0.4, 1.5)
    y, x = np.mgrid[:side, :side] / side
    kind = random.integers(5)
    if kind == 0:
        mix = np.full((side, side), 0.15 * random.random())
    elif kind == 1:
        mix = _clouds(random, side, int(random.integers(3, 12)))
    elif kind == 2:
        along = x if random.random() < 0.5 else y
        mix = np.mod(along * random.integers(2, 16), 1) < random.uniform(0.2, 0.7)
    elif kind == 3:
        cells = random.integers(2, 12)
        mix = (np.mod(x * cells, 1) < 0.5) * 0.5 + (np.mod(y * cells, 1) < 0.5) * 0.5
    else:
        mix = _clouds(random, side, int(random.integers(3, 8))) > random.uniform(0.4, 0.7)
    picture = first + (second - first) * np.asarray(mix, np.float64)[..., None]
    picture = picture * (0.85 + 0.3 * _clouds(random, side, 5)[..., None])
    return np.clip(picture + random.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


def colour(random: np.random.Generator) -> Array:
    """[3], rarely garish."""
    grey = 255 * random.beta(1.3, 1.6)
    rich = random.beta(1.2, 2.5)
    return np.asarray(grey * (1 - rich) + rich * random.uniform(0, 255, 3))


def blob(random: np.random.Generator, side: int = TEXELS // 2) -> NDArray[np.bool_]:
    """[side, side]: a shape without corners, more or less in the middle."""
    y, x = np.mgrid[:side, :side] / (side - 1) * 2 - 1
    radius = np.hypot(x, y * random.uniform(0.7, 1.4))
    return np.asarray(radius + 0.9 * (_clouds(random, side, 5) - 0.5) < 0.8)


def _clouds(random: np.random.Generator, side: int, cells: int) -> Array:
    """[side, side] in 0 .. 1: smooth noise."""
    coarse = Image.fromarray(random.random((cells, cells)).astype(np.float32))
    fine = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
    return np.asarray(np.clip(fine, 0, 1))
