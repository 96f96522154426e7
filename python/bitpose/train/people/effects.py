# SPDX-License-Identifier: Apache-2.0
"""What cameras do to pictures: casts, exposure, blur, noise and compression."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Picture = NDArray[np.uint8]

#: Shares of pictures.
_BLUR, _NOISE, _JPEG, _DARK, _GREY = 0.3, 0.4, 0.4, 0.05, 0.05
#: Numbers of a bank of noise, at least.
_BANK = 1 << 20
#: The mean that cameras expose for, the power of what it is missed by that they correct, and how
#: much brighter they make pictures at most: people before a dark ground would be white.
_EXPOSED, _CORRECTED, _BRIGHTEST = 110.0, 0.7, 1.8


def photographed(picture: Picture, random: np.random.Generator) -> Picture:
    """The picture as some camera would have taken it."""
    missed = _EXPOSED / max(1.0, float(picture[::4, ::4].mean()))
    exposed = min(missed**_CORRECTED, _BRIGHTEST)
    cast = exposed * np.exp(random.normal(0, 0.08, 3) + random.normal(0, 0.15))
    dark = random.uniform(0.25, 0.6) if random.random() < _DARK else 1.0
    gamma = np.exp(random.normal(0, 0.12))
    codes = np.arange(256)[:, None] / 255
    curves = (255 * np.clip(codes**gamma * cast * dark, 0, 1)).astype(np.uint8)
    image = Image.fromarray(picture).point(curves.T.ravel().tolist())
    if random.random() < _GREY:
        image = image.convert("L").convert("RGB")
    if random.random() < _BLUR:
        image = image.filter(ImageFilter.GaussianBlur(float(random.uniform(0.3, 1.2))))
    result = np.asarray(image)
    if dark < 1 or random.random() < _NOISE:
        strength = random.uniform(1, 6) * (2.0 if dark < 1 else 1.0)
        noisy = result + np.float32(strength) * _noise(result.shape, random)
        result = np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)
    if random.random() < _JPEG:
        result = _compressed(result, int(random.integers(30, 95)))
    return result


def _noise(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float32]:
    """Of a normal distribution: a part of the bank, which is faster than to draw it."""
    count = int(np.prod(shape))
    bank = _bank(max(_BANK, 2 * count))
    start = int(random.integers(len(bank) - count))
    return bank[start : start + count].reshape(shape)


@cache
def _bank(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(count, np.float32)


def _compressed(picture: Picture, quality: int) -> Picture:
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return np.asarray(image.convert("RGB"))
