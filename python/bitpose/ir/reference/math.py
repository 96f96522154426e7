# SPDX-License-Identifier: Apache-2.0
"""The twin of kernels/base/math.h: elementary functions in float32, operation by operation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.fma import fma

Float32 = NDArray[np.float32]

_LOW = np.float32(-104.0)
_HIGH = np.float32(89.0)
_LOG2E = np.float32(float.fromhex("0x1.715476p+0"))
_LN2_HIGH = np.float32(float.fromhex("0x1.62e430p-1"))
_LN2_LOW = np.float32(float.fromhex("-0x1.05c610p-29"))
_ROUND = np.float32(float.fromhex("0x1.8p23"))
_COEFFICIENTS = tuple(
    np.float32(float.fromhex(c))
    for c in (
        "0x1.6a4b36p-10",
        "0x1.12398ep-7",
        "0x1.5558b2p-5",
        "0x1.555492p-3",
        "0x1.fffffcp-2",
        "0x1p0",
        "0x1p0",
    )
)  # C6 .. C0.


def exp_f32(x: Float32) -> Float32:
    """exp(x) = 2^n * exp(t) with n = rint(x / ln 2), t = x - n * ln 2; see math.h."""
    clamped = np.where(x > _LOW, x, _LOW)
    clamped = np.where(clamped < _HIGH, clamped, _HIGH)
    n = fma(clamped, np.asarray(_LOG2E), np.asarray(_ROUND)) - _ROUND
    t = fma(n, np.asarray(-_LN2_HIGH), clamped)
    t = fma(n, np.asarray(-_LN2_LOW), t)
    p = np.full_like(t, _COEFFICIENTS[0])
    for coefficient in _COEFFICIENTS[1:]:
        p = fma(p, t, np.asarray(coefficient))
    exponent = n.astype(np.int32)
    half = exponent >> 1
    with np.errstate(all="ignore"):
        result = p * _power_of_two(half) * _power_of_two(exponent - half)
    return np.where(np.isnan(x), np.float32(np.nan), result)


def _power_of_two(n: NDArray[np.int32]) -> Float32:
    """2^n for -126 <= n <= 127."""
    return ((n + 127) << 23).astype(np.int32).view(np.float32)
