# SPDX-License-Identifier: Apache-2.0
"""Elementary functions whose bits are the same on every machine.

They work in float64 with nothing but + - * /, sqrt, floor, comparisons and exact scaling by powers
of two, each of which IEEE 754 defines to the last bit; numpy evaluates them one by one, so nothing
is contracted to a fused operation. No libm takes part. Arguments are float64 arrays; callers that
want float32 round the result once.

Errors against the exact value in units of the last place of float64, as the tests measure them:
exp, log below 1; sigmoid, erf below 2; tanh below 3; pow below 2 + 2 |y log x|. The rest is good
for float32: its errors are far below a unit of that. The engine computes pow and the functions
behind it with the same operations (kernels/base/elementary.h).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# ln 2 in two parts: the first has 32 significant bits, so that its product with an exponent of up
# to 21 bits is exact; the second is the rest.
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")
_SQRT_HALF = float.fromhex("0x1.6a09e667f3bcdp-1")
_TWO_OVER_SQRT_PI = float.fromhex("0x1.20dd750429b6dp+0")
_ONE_OVER_SQRT_PI = float.fromhex("0x1.20dd750429b6dp-1")

# Beyond these, e^x rounds to infinity or zero; clamping keeps exponents small.
_EXP_MOST, _EXP_LEAST = 710.0, -746.0
_EXP_TERMS = 14
_LOG_TERMS = 12
_ERF_TERMS = 30
_ERFC_LEVELS = 200


def total(x: Array) -> Array:
    """The sum over the last axis, one addition after the other."""
    return np.asarray(np.cumsum(x, axis=-1)[..., -1])


@cache
def _factorial(n: int) -> float:
    return float(np.prod(np.arange(1, n + 1, dtype=np.float64), initial=1.0))


def exp(x: Array) -> Array:
    """e^x: x = k ln 2 + r with |r| <= ln(2) / 2, then 2^k times (1 + (e^r - 1))."""
    k, p = _reduced_expm1(x)
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(1.0 + p, k)


def expm1(x: Array) -> Array:
    """e^x - 1 = 2^k (e^r - 1) + (2^k - 1), for x <= 200."""
    k, p = _reduced_expm1(x)
    return np.ldexp(p, k) + (np.ldexp(1.0, k) - 1.0)


def _reduced_expm1(x: Array) -> tuple[NDArray[np.int32], Array]:
    """k and e^r - 1 for x = k ln 2 + r. NaN gives k = 0 and NaN."""
    bounded = np.minimum(np.maximum(x, _EXP_LEAST), _EXP_MOST)
    k = np.rint(np.nan_to_num(bounded) * _LOG2_E)
    high = bounded - k * _LN2_HIGH
    low = k * _LN2_LOW
    r = high - low
    # What the rounding of r lost: e^(r + c) = e^r + c, to well below the last place.
    c = (high - r) - low
    return k.astype(np.int32), _expm1_series(r) + c


def _expm1_series(r: Array) -> Array:
    """r + r^2/2! + r^3/3! + ..., for |r| <= 0.35."""
    tail = np.full_like(r, 1.0 / _factorial(_EXP_TERMS))
    for n in range(_EXP_TERMS - 1, 1, -1):
        tail = tail * r + 1.0 / _factorial(n)
    return r + r * (r * tail)


def log(x: Array) -> Array:
    """ln x: x = m 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 atanh((m - 1) / (m + 1))."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mantissa, exponent = np.frexp(np.where((x > 0) & np.isfinite(x), x, 1.0))
        small = mantissa < _SQRT_HALF
        m = np.where(small, mantissa * 2.0, mantissa)
        e = np.where(small, exponent - 1, exponent).astype(np.float64)
        # f = m - 1 is exact, and ln(1 + f) = f - (f^2/2 - s (f^2/2 + R)).
        f = m - 1.0
        s = f / (m + 1.0)
        z = s * s
        rest = np.full_like(z, 1.0 / (2 * _LOG_TERMS + 1))
        for n in range(_LOG_TERMS - 1, 0, -1):
            rest = rest * z + 1.0 / (2 * n + 1)
        rest = 2.0 * z * rest
        half = 0.5 * f * f
        result = e * _LN2_HIGH - ((half - (s * (half + rest) + e * _LN2_LOW)) - f)
        result = np.where(x == 0, -np.inf, np.where(x == np.inf, np.inf, result))
        return np.where((x < 0) | np.isnan(x), np.nan, result)


def sigmoid(x: Array) -> Array:
    """1 / (1 + e^-x), written so that neither branch cancels or overflows."""
    e = exp(-np.abs(x))
    return np.where(x >= 0, 1.0 / (1.0 + e), e / (1.0 + e))


def tanh(x: Array) -> Array:
    """t / (t + 2) with t = e^(2|x|) - 1."""
    t = expm1(2.0 * np.minimum(np.abs(x), 20.0))
    return np.copysign(t / (t + 2.0), x)


def erf(x: Array) -> Array:
    """Up to 1 by a series of positive terms; beyond by 1 - erfc, erfc as a continued fraction."""
    a = np.abs(x)
    magnitude = np.where(a < 1.0, _erf_series(np.minimum(a, 1.0)), 1.0 - _erfc(np.maximum(a, 1.0)))
    return np.where(np.isnan(x), np.nan, np.copysign(magnitude, x))


def _erf_series(x: Array) -> Array:
    """2 / sqrt(pi) (x - x^3/3 + x^5/(2! 5) - ...)."""
    z = x * x
    tail = np.zeros_like(x)
    for n in range(_ERF_TERMS, 0, -1):
        sign = -1.0 if n % 2 else 1.0
        tail = z * (tail + sign / (_factorial(n) * (2 * n + 1)))  # Horner in z.
    return _TWO_OVER_SQRT_PI * (x + x * tail)


def _erfc(x: Array) -> Array:
    """e^-x^2 / sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))), for x >= 1."""
    x = np.minimum(x, 30.0)
    fraction = x
    for n in range(_ERFC_LEVELS, 0, -1):
        fraction = x + 0.5 * n / fraction
    return _ONE_OVER_SQRT_PI * exp(-(x * x)) / fraction


def power(x: Array, y: Array) -> Array:
    """x^y as C's pow defines it: products for small whole y, sqrt for 1/2, else e^(y ln x)."""
    x, y = np.broadcast_arrays(x, y)
    with np.errstate(all="ignore"):
        whole = np.floor(y) == y
        odd = whole & (np.floor(y * 0.5) * 2.0 != y)
        magnitude = exp(np.where(y == 0, 0.0, y * log(np.abs(x))))
        for exponent in (1, 2, 3, 4):
            product = np.prod([np.abs(x)] * exponent, axis=0)
            magnitude = np.where(y == exponent, product, magnitude)
            magnitude = np.where(y == -exponent, 1.0 / product, magnitude)
        magnitude = np.where(y == 0.5, np.sqrt(np.abs(x)), magnitude)
        result = np.where(odd & np.signbit(x), -magnitude, magnitude)
        result = np.where((x < 0) & ~whole & np.isfinite(x) & np.isfinite(y), np.nan, result)
        result = np.where(np.isnan(x) | np.isnan(y), np.nan, result)
        # 1^y and (-1)^+-inf are 1 whatever y is; x^0 is 1 whatever x is.
        ones = (x == 1) | ((np.abs(x) == 1) & np.isinf(y))
        return np.where((y == 0) | ones, 1.0, result)


def sin(x: Array) -> Array:
    """Of numbers that float32 holds: sin(q pi/2 + r) is +-sin r or +-cos r."""
    q, r = _quadrant(x)
    value = np.where(q & 1, _cos_series(r), _sin_series(r))
    return np.where(np.signbit(x) != (q >= 2), -value, value)


def cos(x: Array) -> Array:
    """Of numbers that float32 holds."""
    q, r = _quadrant(x)
    value = np.where(q & 1, _sin_series(r), _cos_series(r))
    return np.where((q == 1) | (q == 2), -value, value)


def tan(x: Array) -> Array:
    """Of numbers that float32 holds."""
    q, r = _quadrant(x)
    sine, cosine = _sin_series(r), _cos_series(r)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(q & 1, -cosine / sine, sine / cosine)
    return np.where(np.signbit(x), -value, value)


#: 2 / pi behind the binary point, 32 bits a word, behind a word of zeros.
_TWO_OVER_PI = np.array(
    [
        *(0x00000000, 0xA2F9836E, 0x4E441529, 0xFC2757D1),
        *(0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB),
    ],
    np.uint64,
)
_HALF_PI = float.fromhex("0x1.921fb54442d18p+0")
_QUARTER_PI = float.fromhex("0x1.921fb54442d18p-1")


def _quadrant(x: Array) -> tuple[NDArray[np.int64], Array]:
    """q in 0 .. 3 and r with |x| = q pi/2 + r modulo 2 pi, |r| <= pi/4 (Payne and Hanek).

    |x| = M 2^E with 24 bits of M. Of M 2/pi 2^E, 2 bits before the binary point and 62 behind it
    matter; they are the upper 64 bits of M times a window of 96 bits of 2/pi.
    """
    a = np.abs(x)
    small = ~(a > _QUARTER_PI) | np.isinf(a)
    mantissa, exponent = np.frexp(np.where(small, 1.0, a))
    m = (mantissa * 2.0**24).astype(np.uint64)
    start = exponent.astype(np.int64) + (30 - 24)
    word, bit = start >> 5, (start & 31).astype(np.uint64)
    t = [_TWO_OVER_PI[word + i] for i in range(4)]
    shift, one = np.uint64(32), np.uint64(1)
    upper, lower = (t[0] << shift) | t[1], (t[2] << shift) | t[3]
    high = (upper << bit) | ((lower >> one) >> (np.uint64(63) - bit))
    low = (lower << bit) >> shift
    y = high * m + ((low * m) >> shift)
    q = ((y + np.uint64(1 << 61)) >> np.uint64(62)) & np.uint64(3)
    rest = (y - (q << np.uint64(62))).view(np.int64).astype(np.float64)
    r = np.where(small, np.where(np.isinf(a), np.nan, a), rest * (_HALF_PI * 2.0**-62))
    return np.where(small, 0, q.astype(np.int64)), r


def _sin_series(r: Array) -> Array:
    """r - r^3/3! + ... - r^15/15!."""
    z = r * r
    tail = np.full_like(r, -1.0 / _factorial(15))
    for n in (13, 11, 9, 7, 5, 3):
        tail = tail * z + (1.0 if n % 4 == 1 else -1.0) / _factorial(n)
    return r + r * (z * tail)


def _cos_series(r: Array) -> Array:
    """1 - r^2/2! + ... + r^16/16!."""
    z = r * r
    tail = np.full_like(r, 1.0 / _factorial(16))
    for n in (14, 12, 10, 8, 6, 4, 2):
        tail = tail * z + (1.0 if n % 4 == 0 else -1.0) / _factorial(n)
    return 1.0 + z * tail


_ATAN_TERMS = 11


def atan(x: Array) -> Array:
    """pi/2 - atan(1/x) beyond 1; atan x = 4 atan of the tangent of a quarter of the angle."""
    a = np.abs(x)
    with np.errstate(divide="ignore"):
        t = np.where(a > 1, 1.0 / a, a)
    for _ in range(2):
        t = t / (1.0 + np.sqrt(1.0 + t * t))
    z = t * t
    series = np.full_like(t, 1.0 / (2 * _ATAN_TERMS + 1))
    for n in range(_ATAN_TERMS - 1, -1, -1):
        series = 1.0 / (2 * n + 1) - series * z
    angle = 4.0 * (t * series)
    return np.copysign(np.where(a > 1, _HALF_PI - angle, angle), x)


def asin(x: Array) -> Array:
    """atan(x / sqrt(1 - x^2))."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return atan(x / np.sqrt((1.0 - x) * (1.0 + x)))


def acos(x: Array) -> Array:
    """2 atan(sqrt((1 - x) / (1 + x)))."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return 2.0 * atan(np.sqrt((1.0 - x) / (1.0 + x)))


#: sinh and cosh of more are infinite in float32.
_HYPERBOLIC_MOST = 200.0


def sinh(x: Array) -> Array:
    """(t + t / (t + 1)) / 2 with t = e^|x| - 1, and the sign of x."""
    t = expm1(np.minimum(np.abs(x), _HYPERBOLIC_MOST))
    return np.copysign(0.5 * (t + t / (t + 1.0)), x)


def cosh(x: Array) -> Array:
    """(e^|x| + e^-|x|) / 2."""
    e = exp(np.minimum(np.abs(x), _HYPERBOLIC_MOST))
    return 0.5 * (e + 1.0 / e)


def log1p(u: Array) -> Array:
    """ln(1 + u) = ln w u / (w - 1) for the rounded sum w (Kahan)."""
    w = 1.0 + u
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(w == 1, u, log(w) * (u / (w - 1.0)))
    return np.where(u == np.inf, u, value)


def asinh(x: Array) -> Array:
    """ln(a + sqrt(a^2 + 1)) = ln(1 + a + a / (1/a + sqrt(1 + 1/a^2))) for a = |x|."""
    a = np.abs(x)
    with np.errstate(divide="ignore"):
        b = 1.0 / a
    return np.copysign(log1p(a + a / (b + np.sqrt(1.0 + b * b))), x)


def acosh(x: Array) -> Array:
    """ln(x + sqrt(x^2 - 1)) = ln(1 + t + sqrt(t) sqrt(t + 2)) for t = x - 1."""
    t = x - 1.0
    with np.errstate(invalid="ignore"):
        return log1p(t + np.sqrt(t) * np.sqrt(t + 2.0))


def atanh(x: Array) -> Array:
    """ln((1 + a) / (1 - a)) / 2 = ln(1 + 2 a / (1 - a)) / 2 for a = |x|."""
    a = np.abs(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.copysign(0.5 * log1p(2.0 * a / (1.0 - a)), x)
