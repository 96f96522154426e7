# SPDX-License-Identifier: Apache-2.0
"""An operator with operands, and what operands are drawn from: odd sizes and extreme values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Quantization
from bitpose.ir.operators import ANY

Array = NDArray[Any]
Random = np.random.Generator
DTYPES = F32, S8, U8, S16, S32, S64, BOOL = tuple(map(np.dtype, ANY))


@dataclass(frozen=True, eq=False)
class Operation:
    """An operator on operands; those that are `fixed` become constants."""

    operands: Mapping[str, Array]
    fixed: tuple[str, ...]
    attributes: Mapping[str, Any]
    dtype: np.dtype[Any]
    quantizations: Mapping[str, Quantization]  # By operand, and "y".
    shape: tuple[int, ...] = ()  # For reshape and expand.


def draw_picture(random: Random, most_channels: int = 40) -> tuple[int, int, int, int]:
    n, h, w = random.integers(1, 3), random.integers(3, 12), random.integers(3, 12)
    return int(n), int(h), int(w), int(random.integers(1, most_channels))


def draw_codes(random: Random, *shape: int, dtype: np.dtype[Any] = S8) -> Array:
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    kind = random.integers(4)
    if kind == 0:
        return np.asarray(np.where(random.random(shape) < 0.5, low, high), dtype)
    return random.integers(low, high + 1, shape).astype(dtype)


def draw_floats(random: Random, *shape: int) -> Array:
    """Ordinary numbers, sometimes of all magnitudes, sometimes with infinities and NaN."""
    kind = random.integers(4)
    if kind == 0:
        bits = random.integers(0, 2**32, shape, np.uint32)
        return bits.view(np.float32)
    x = random.standard_normal(shape).astype(np.float32)
    if kind == 1:
        x *= np.exp2(random.integers(-140, 100, shape)).astype(np.float32)
    return x


def draw_quantization(random: Random, dtype: np.dtype[Any] = S8) -> Quantization:
    scale = np.float32(np.exp2(random.uniform(-8, 2)))
    limits = np.iinfo(dtype)
    return Quantization(float(scale), int(random.integers(limits.min, limits.max + 1)))


def draw_range(random: Random, dtype: np.dtype[Any] = S8) -> dict[str, int]:
    limits = np.iinfo(dtype)
    low, high = sorted(int(v) for v in random.integers(limits.min, limits.max + 1, 2))
    if random.random() < 0.5:
        low, high = int(limits.min), int(limits.max)
    return {"qmin": low, "qmax": high}


def draw_real_range(random: Random) -> dict[str, float]:
    low, high = (-np.inf, np.inf) if random.random() < 0.5 else (0.0, 6.0)
    return {"fmin": low, "fmax": high}


def draw_integers(random: Random, *shape: int, dtype: np.dtype[Any] = S32) -> Array:
    """Small numbers, and numbers of all magnitudes."""
    x = random.integers(-(2**63), 2**63, shape) >> random.integers(0, 63, shape)
    small = random.integers(-4, 5, shape)
    return np.where(random.random(shape) < 0.5, x, small).astype(dtype)


def draw_dtype(random: Random) -> np.dtype[Any]:
    return DTYPES[random.integers(len(DTYPES))]


def draw_any(random: Random, *shape: int, dtype: np.dtype[Any] | None = None) -> Array:
    dtype = dtype or draw_dtype(random)
    if dtype == BOOL:
        return random.random(shape) < 0.5
    return random.integers(-(2**40), 2**40, shape).astype(dtype)


def draw_shape(random: Random, least: int = 1) -> tuple[int, ...]:
    return tuple(int(v) for v in random.integers(1, 8, random.integers(least, 6)))
