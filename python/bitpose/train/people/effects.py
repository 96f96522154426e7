# SPDX-License-Identifier: Apache-2.0
"""What cameras do to pictures: casts, exposure, blur, noise and compression."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Picture = NDArray[np.uint8]

#: Shares of pictures.
_BLUR, _NOISE, _JPEG, _DARK, _GREY = 0.3, 0.4, 0.4, 0.05, 0.05
#: The mean that cameras expose for, and the power of what it is missed by that they correct.
_EXPOSED, _CORRECTED = 110.0, 0.6


def photographed(picture: Picture, random: np.random.Generator) -> Picture:
    """The picture as some camera would have taken it."""
    exposed = (_EXPOSED / max(1.0, float(picture[::4, ::4].mean()))) ** _CORRECTED
    cast = exposed * np.exp(random.normal(0, 0.08, 3) + random.normal(0, 0.15))
    dark = random.uniform(0.15, 0.5) if random.random() < _DARK else 1.0
    gamma = np.exp(random.normal(0, 0.12))
    codes = np.arange(256)[:, None] / 255
    curves = 255 * np.clip(codes**gamma * cast * dark, 0, 1)
    result = np.stack([curves[:, c].astype(np.uint8)[picture[..., c]] for c in range(3)], axis=-1)
    if random.random() < _GREY:
        result = np.repeat(result.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)
    if random.random() < _BLUR:
        radius = float(random.uniform(0.3, 1.2))
        result = np.asarray(Image.fromarray(result).filter(ImageFilter.GaussianBlur(radius)))
    if dark < 1 or random.random() < _NOISE:
        strength = random.uniform(1, 6) * (2.0 if dark < 1 else 1.0)
        noisy = result + random.normal(0, strength, result.shape).astype(np.float32)
        result = np.clip(noisy, 0, 255).astype(np.uint8)
    if random.random() < _JPEG:
        result = _compressed(result, int(random.integers(30, 95)))
    return result


def _compressed(picture: Picture, quality: int) -> Picture:
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return np.asarray(image.convert("RGB"))
