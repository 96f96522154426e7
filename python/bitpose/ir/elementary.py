# SPDX-License-Identifier: Apache-2.0
"""Elementary functions whose bits are the same on every machine.

They work in float64 with nothing but + - * /, sqrt, floor, comparisons and exact scaling by powers
of two, each of which IEEE 754 defines to the last bit; numpy evaluates them one by one, so nothing
is contracted to a fused operation. No libm takes part. Arguments are float64 arrays; callers that
want float32 round the result once.

Errors against the exact value in units of the last place of float64, as the tests measure them:
exp, log below 1; sigmoid, erf below 2; tanh below 3; pow below 2 + 2 |y log x|.
"""

from __future__ import annotations

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


def _factorial(n: int) -> float:
    return float(np.prod(np.arange(1, n + 1, dtype=np.float64), initial=1.0))


def exp(x: Array) -> Array:
    """e^x: x = k ln 2 + r with |r| <= ln(2) / 2, then 2^k times (1 + (e^r - 1))."""
    k, p = _reduced_expm1(x)
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(1.0 + p, k)


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
    """t / (t + 2) with t = e^(2|x|) - 1 = 2^k (e^r - 1) + (2^k - 1), where 2^k - 1 is exact."""
    k, p = _reduced_expm1(2.0 * np.minimum(np.abs(x), 20.0))
    t = np.ldexp(p, k) + (np.ldexp(1.0, k) - 1.0)
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
