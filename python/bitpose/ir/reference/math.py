# SPDX-License-Identifier: Apache-2.0
"""The twin of kernels/base/math.h: elementary functions in float32, operation by operation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.fma import fma

Float32 = NDArray[np.float32]


def number(text: str) -> Float32:
    """A float32, written in hexadecimal."""
    return np.array(float.fromhex(text), np.float32)


def _numbers(*texts: str) -> tuple[Float32, ...]:
    return tuple(map(number, texts))


_ZERO, _ONE, _TWO, _HALF = _numbers("0", "1", "2", "0x1p-1")
_NAN, _INFINITY = _numbers("nan", "inf")
_LOG2E, _LN2_HIGH, _LN2_LOW = _numbers("0x1.715476p+0", "0x1.62e430p-1", "-0x1.05c610p-29")
_ROUND = number("0x1.8p23")
#: C6 .. C2: e^t = 1 + t + t^2 (C2 + C3 t + ...).
_EXP = _numbers(
    "0x1.6a4b36p-10", "0x1.12398ep-7", "0x1.5558b2p-5", "0x1.555492p-3", "0x1.fffffcp-2"
)
#: L8 .. L0: ln(1 + f) = f + f^2 (-1/2 + f (L0 + L1 f + ...)).
_LOG = _numbers(
    *("0x1.147294p-4", "-0x1.de012ap-4", "0x1.e6bfe8p-4", "-0x1.fc28d8p-4", "0x1.233ba4p-3"),
    *("-0x1.555c44p-3", "0x1.99a476p-3", "-0x1.000006p-2", "0x1.555548p-2"),
)
#: N6 .. N0: erf(x) = x + x (N0 + N1 x^2 + ...) up to 1.
_ERF_NEAR = _numbers(
    *("0x1.4771fcp-14", "-0x1.a3515ep-11", "0x1.53f224p-8", "-0x1.b7f71ap-6"),
    *("0x1.ce2ce6p-4", "-0x1.81273ep-2", "0x1.06eba8p-3"),
)
#: F6 .. F0: erf(x) = 1 - exp(-(x + F0 + F1 x + ...)) beyond.
_ERF_FAR = _numbers(
    *("-0x1.86df06p-13", "0x1.825ba0p-9", "-0x1.65cbb0p-6", "0x1.a65356p-4"),
    *("0x1.46baeap-1", "0x1.044758p-3", "0x1.661c82p-12"),
)


def exp_f32(x: Float32) -> Float32:
    """exp(x) = 2^n * exp(t) with n = rint(x / ln 2), t = x - n * ln 2; see math.h."""
    n, t = _reduce(x, np.float32(-104.0), np.float32(89.0))
    p = _polynomial(t, *_EXP, _ONE, _ONE)
    exponent = n.astype(np.int32)
    half = exponent >> 1
    with np.errstate(all="ignore"):
        result = p * _power_of_two(half) * _power_of_two(exponent - half)
    return np.where(np.isnan(x), _NAN, result)


def expm1_f32(x: Float32) -> Float32:
    """exp(x) - 1 for x <= 1: 2^n (exp(t) - 1) + (2^n - 1)."""
    n, t = _reduce(x, np.float32(-32.0), np.float32(1.0))
    p = _polynomial(t, *_EXP, _ONE) * t
    power = _power_of_two(n.astype(np.int32))
    return np.where(np.isnan(x), _NAN, fma(power, p, power - _ONE))


def log_f32(x: Float32) -> Float32:
    """ln x, also of subnormals; -inf for zeros, NaN for what is below."""
    tiny = x < number("0x1p-126")
    with np.errstate(all="ignore"):
        y = _log_normal(np.where(tiny, x * number("0x1p23"), x), np.where(tiny, -23, 0))
    y = np.where(x < _INFINITY, y, x)
    return np.where(x > 0, y, np.where(x == 0, -_INFINITY, _NAN))


def log1p_f32(x: Float32) -> Float32:
    """ln(1 + x) for 0 <= x <= 1: ln of the rounded sum and what the rounding took."""
    u = _ONE + x
    return np.asarray(_log_normal(u, 0) + (x - (u - _ONE)) / u)


def sigmoid_f32(x: Float32) -> Float32:
    """1 / (1 + e^-x), over e^x where x is negative."""
    e = exp_f32(-np.abs(x))
    return np.asarray(np.where(x < 0, e, _ONE) / (_ONE + e))


def tanh_f32(x: Float32) -> Float32:
    """-t / (t + 2) with t = e^(-2|x|) - 1, and the sign of x."""
    t = expm1_f32(np.abs(x) * -_TWO)
    return np.copysign(t / (t + _TWO), x)


def erf_f32(x: Float32) -> Float32:
    """A polynomial up to 1, and 1 - exp of one beyond."""
    t = np.abs(x)
    near = fma(_polynomial(x * x, *_ERF_NEAR), x, x)
    bounded = np.where(t > 4, np.float32(4), t)
    far = _ONE - exp_f32(-(_polynomial(bounded, *_ERF_FAR) + bounded))
    return np.where(t < 1, near, np.copysign(far, x))


def softplus_f32(x: Float32) -> Float32:
    """ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)."""
    return np.where(x > 0, x, _ZERO) + log1p_f32(exp_f32(-np.abs(x)))


def mish_f32(x: Float32) -> Float32:
    """x tanh(ln(1 + e^x)) = x n / (n + 2) with n = e^2x + 2 e^x, over e^2x where x is positive."""
    e = exp_f32(-np.abs(x))
    numerator = np.where(x < 0, e * (e + _TWO), fma(e, _TWO, _ONE))
    rest = np.where(x < 0, _TWO, (e * e) * _TWO)
    return np.asarray(x * (numerator / (numerator + rest)))


def _reduce(x: Float32, low: np.float32, high: np.float32) -> tuple[Float32, Float32]:
    """n and t of exp, x kept in [low, high]; NaN counts as low."""
    bounded = np.where(x > low, x, low)
    bounded = np.where(bounded < high, bounded, high)
    n = fma(bounded, _LOG2E, _ROUND) - _ROUND
    return n, fma(n, -_LN2_LOW, fma(n, -_LN2_HIGH, bounded))


def _log_normal(x: Float32, shift: NDArray[np.int64] | int) -> Float32:
    """ln(x * 2^shift) for normal x: x = m 2^e with m in [sqrt(1/2), sqrt(2))."""
    bits = x.view(np.int32)
    e = (bits - np.int32(0x3F3504F3)) >> 23
    m = (bits - (e << 23)).view(np.float32)
    exponent = (e + shift).astype(np.float32)
    f = m - _ONE
    rest = fma(_polynomial(f, *_LOG), f, -_HALF)
    y = fma(f * f, rest, exponent * _LN2_LOW) + f
    return fma(exponent, _LN2_HIGH, y)


def _polynomial(x: Float32, *coefficients: Float32) -> Float32:
    """By Horner's rule, the highest coefficient first."""
    p = np.broadcast_to(coefficients[0], x.shape)
    for coefficient in coefficients[1:]:
        p = fma(p, x, coefficient)
    return p


def _power_of_two(n: NDArray[np.int32]) -> Float32:
    """2^n for -126 <= n <= 127."""
    return ((n + 127) << 23).astype(np.int32).view(np.float32)
