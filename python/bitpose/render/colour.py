# SPDX-License-Identifier: Apache-2.0
"""sRGB bytes and linear light.

Both ways go by tables, so that bytes that are decoded and encoded again stay what they were.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

_STEPS = 1 << 14


@cache
def decoding() -> NDArray[np.float32]:
    """[256]: the linear light of each byte, 0 to 1."""
    codes = np.arange(256) / 255
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


@cache
def encoding() -> NDArray[np.uint8]:
    """[16384]: the byte of each linear light i / 16383."""
    light = np.arange(_STEPS) / (_STEPS - 1)
    codes = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(codes * 255), np.uint8)


def decode(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """sRGB bytes as linear light, 0 to 1."""
    return decoding()[codes]


def encode(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Linear light as sRGB bytes; what is outside 0 .. 1 goes to the nearer end."""
    index = np.rint(np.clip(light, 0, 1) * (_STEPS - 1)).astype(np.int32)
    return encoding()[index]


def halved(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture [H, W, 3] at half its size, rounded up: averages of 2 x 2 pixels in linear light.

    The last pixel of an odd extent is taken twice.
    """
    light = decode(picture)
    light = np.pad(light, [(0, light.shape[0] % 2), (0, light.shape[1] % 2), (0, 0)], mode="edge")
    total = light[::2, ::2] + light[1::2, ::2] + light[::2, 1::2] + light[1::2, 1::2]
    return encode(np.asarray(total / 4, np.float32))
