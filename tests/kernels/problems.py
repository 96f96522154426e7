# SPDX-License-Identifier: Apache-2.0
"""Random problems for kernels, and the rounding they are held to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose import _core
from bitpose.ir.graph import Quantization, Tensor
from bitpose.ir.reference.quantized import requantize

Array = NDArray[Any]
Generator = np.random.Generator

CODES = st.integers(-128, 127)
GENERATORS = st.integers(0, 2**32).map(np.random.default_rng)


def kernels(family: str) -> list[str]:
    """The kernels of a family that this CPU can run."""
    return [name for found, name, _, runs in _core.kernels() if found == family and runs]


@dataclass(frozen=True)
class Range:
    """An 8-bit output: zero point and clamp."""

    zero_point: int
    qmin: int
    qmax: int

    def requantize(self, acc: Array, multiplier: Array | float) -> Array:
        """int8 codes of accumulators, which wrap modulo 2^32."""
        y = Tensor("y", np.dtype(np.int8), acc.shape, Quantization(1.0, self.zero_point))
        return requantize(acc.astype(np.int32), multiplier, y, self.qmin, self.qmax)


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    """Full ranges, and clamped ones down to a single code."""
    low, high = sorted(draw(st.tuples(CODES, CODES))) if draw(st.booleans()) else (-128, 127)
    return Range(draw(CODES), low, high)


def codes(generator: Generator, *shape: int, low: int = -128) -> NDArray[np.int8]:
    """Codes of [low, 127]; the ends are frequent, and one array in four has nothing else."""
    values = generator.integers(low, 128, shape)
    ends = generator.choice([low, 127], shape)
    share = generator.choice([0.0, 0.1, 0.3, 1.0])
    return np.where(generator.random(shape) < share, ends, values).astype(np.int8)


def floats(generator: Generator, *shape: int, special: bool = True) -> NDArray[np.float32]:
    """Numbers around 1; with `special` one in ten has arbitrary bits: huge, tiny, NaN."""
    values = generator.normal(0, 1, shape).astype(np.float32)
    if not special:
        return values
    bits = generator.integers(0, 2**32, shape, np.uint32).view(np.float32)
    return np.where(generator.random(shape) < 0.1, bits, values)


def same_floats(a: Array, b: Array) -> bool:
    """Equal bits, any NaN for any NaN."""
    return bool(np.all((a.view(np.uint32) == b.view(np.uint32)) | (np.isnan(a) & np.isnan(b))))
