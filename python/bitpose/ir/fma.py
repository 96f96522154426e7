# SPDX-License-Identifier: Apache-2.0
"""Fused multiply-add in float32, emulated with numpy's float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


def fma(a: Float32, b: Float32, c: Float32) -> Float32:
    """round(a * b + c) with one rounding to float32, nearest even; operands broadcast.

    The product of two float32 has at most 48 significant bits and an exponent far inside float64's
    range, so float64 holds it exactly. The float64 sum is then rounded to odd: with 53 bits it
    keeps more than two bits beyond float32's 24, and a second rounding of a number that was rounded
    to odd equals one rounding of the exact number (Boldo and Melquiond, 2008, "Emulation of a FMA
    and correctly rounded sums"). Signed zeros, infinities, NaN and subnormals come out as IEEE 754
    has them.
    """
    with np.errstate(all="ignore"):
        product = np.multiply(a, b, dtype=np.float64)
        return sum_to_odd(product, np.asarray(c, np.float64)).astype(np.float32)


def sum_to_odd(x: Float64, y: Float64) -> Float64:
    """x + y, and where that is inexact, the neighbour whose last bit is 1 (round to odd)."""
    total = np.asarray(x + y)
    y_part = total - x
    error = (x - (total - y_part)) + (y - y_part)  # Knuth's two-sum: x + y == total + error.
    bits = total.view(np.int64)
    # One step towards the exact sum. Magnitudes of doubles are ordered like their bits. The error
    # is NaN where an operand or the sum is not finite: no comparison holds there.
    away = (error > 0) == (total > 0)
    inexact_and_even = ((error < 0) | (error > 0)) & ((bits & 1) == 0)
    step = np.where(away, 1, -1) * inexact_and_even
    return np.asarray(bits + step).view(np.float64)
