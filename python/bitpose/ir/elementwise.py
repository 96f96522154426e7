# SPDX-License-Identifier: Apache-2.0
"""Elementwise functions of float32, literally: each result is exact or float64, rounded once.

Sums, products, quotients and square roots of float32 that are computed in float64 and then rounded
equal the float32 operation itself, because 53 bits hold more than twice 24.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir import elementary
from bitpose.ir.graph import Attribute

Array = NDArray[Any]
Float = NDArray[np.float64]
_Parameters = Mapping[str, Any]


def _clip(x: Float, a: _Parameters) -> Float:
    low, high = np.float64(a["low"]), np.float64(a["high"])
    x = np.where(x < low, low, x)
    return np.where(x > high, high, x)


def _hard_sigmoid(x: Float, a: _Parameters) -> Float:
    line = x * np.float64(a["alpha"]) + np.float64(a["beta"])
    return np.maximum(0.0, np.minimum(1.0, line))


def _elu(x: Float, alpha: float, gamma: float = 1.0, over: float = 1.0) -> Float:
    """gamma x above 0 and gamma alpha (e^(x / over) - 1) below."""
    below = alpha * elementary.expm1(np.minimum(x, 0) / over)
    return gamma * np.where(x < 0, below, x)


def _softplus(x: Float) -> Float:
    return np.maximum(x, 0) + elementary.log1p(elementary.exp(-np.abs(x)))


def _shrink(x: Float, threshold: float, bias: float) -> Float:
    return np.where(x > threshold, x - bias, np.where(x < -threshold, x + bias, 0.0))


def _gelu_tanh(x: Float) -> Float:
    return x * elementary.sigmoid(x * (_GELU_LINEAR + _GELU_CUBIC * (x * x)))


_SQRT_HALF = float.fromhex("0x1.6a09e667f3bcdp-1")
#: 2 sqrt(2 / pi), and 0.044715 of it.
_GELU_LINEAR = float.fromhex("0x1.9884533d43651p+0")
_GELU_CUBIC = 0.044715 * _GELU_LINEAR

#: Of one float, with the parameters that `bitpose.ir.operators.UNARY` names.
UNARY: Mapping[str, Callable[[Float, _Parameters], Float]] = {
    "Abs": lambda x, a: np.abs(x),
    "Acos": lambda x, a: elementary.acos(x),
    "Acosh": lambda x, a: elementary.acosh(x),
    "Asin": lambda x, a: elementary.asin(x),
    "Asinh": lambda x, a: elementary.asinh(x),
    "Atan": lambda x, a: elementary.atan(x),
    "Atanh": lambda x, a: elementary.atanh(x),
    "Ceil": lambda x, a: np.ceil(x),
    "Celu": lambda x, a: _elu(x, a["alpha"], over=a["alpha"]),
    "Clip": _clip,
    "Cos": lambda x, a: elementary.cos(x),
    "Cosh": lambda x, a: elementary.cosh(x),
    "Elu": lambda x, a: _elu(x, a["alpha"]),
    "Erf": lambda x, a: elementary.erf(x),
    "Exp": lambda x, a: elementary.exp(x),
    "Floor": lambda x, a: np.floor(x),
    "Gelu": lambda x, a: 0.5 * x * (1 + elementary.erf(x * _SQRT_HALF)),
    "GeluTanh": lambda x, a: _gelu_tanh(x),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": lambda x, a: x * _hard_sigmoid(x, {"alpha": 1.0 / 6.0, "beta": 0.5}),
    "LeakyRelu": lambda x, a: np.where(x < 0, x * a["alpha"], x),
    "Log": lambda x, a: elementary.log(x),
    "Mish": lambda x, a: x * elementary.tanh(_softplus(x)),
    "Neg": lambda x, a: -x,
    "Reciprocal": lambda x, a: 1.0 / x,
    "Round": lambda x, a: np.rint(x),
    "Selu": lambda x, a: _elu(x, a["alpha"], a["gamma"]),
    "Shrink": lambda x, a: _shrink(x, a["lambd"], a["bias"]),
    "Sigmoid": lambda x, a: elementary.sigmoid(x),
    "Sign": lambda x, a: np.where(x > 0, 1.0, np.where(x < 0, -1.0, x)),
    "Sin": lambda x, a: elementary.sin(x),
    "Sinh": lambda x, a: elementary.sinh(x),
    "Softplus": lambda x, a: _softplus(x),
    "Softsign": lambda x, a: x / (1.0 + np.abs(x)),
    "Sqrt": lambda x, a: np.sqrt(x),
    "Swish": lambda x, a: x * elementary.sigmoid(a["alpha"] * x),
    "Tan": lambda x, a: elementary.tan(x),
    "Tanh": lambda x, a: elementary.tanh(x),
    "ThresholdedRelu": lambda x, a: np.where(x > a["alpha"], x, 0.0),
}


def _modulus(a: Array, b: Array) -> Array:
    rest = np.fmod(a, b)
    shifted = np.where((rest < 0) != (b < 0), rest + b, rest)
    return np.where(rest == 0, np.copysign(rest, b), shifted)


#: Of two floats of any width.
BINARY: Mapping[str, Callable[[Array, Array], Array]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Min": lambda a, b: np.where(b < a, b, a),
    "Max": lambda a, b: np.where(b > a, b, a),
    "Pow": lambda a, b: elementary.power(a.astype(np.float64), b.astype(np.float64)),
    "Fmod": np.fmod,
    "Mod": _modulus,
    "PRelu": lambda a, b: np.where(a < 0, a * b, a),
}


def _quotient(a: Array, b: Array) -> Array:
    """Truncated towards zero as in C; division by zero gives 0, MIN / -1 wraps."""
    quotient = np.floor_divide(a, b)  # 0 for a divisor of 0.
    inexact = (b != 0) & (quotient * b != a)
    return np.where(inexact & ((a < 0) != (b < 0)), quotient + 1, quotient)


def _power(a: Array, b: Array) -> Array:
    """Modulo 2^64. A negative exponent leaves 1 and -1 and makes the rest 0."""
    result, factor = np.ones_like(a), a
    for bit in range(63):
        result = np.where((b >> bit) & 1, result * factor, result)
        factor = factor * factor
    sign = np.where(b & 1, -1, 1)
    return np.where(b >= 0, result, np.where(a == 1, 1, np.where(a == -1, sign, 0)))


def _shift_left(a: Array, b: Array) -> Array:
    """Shifts by less than 0 or more than 63 leave nothing."""
    return np.where((b >= 0) & (b < 64), np.left_shift(a, b & 63), 0)


def _shift_right(a: Array, b: Array) -> Array:
    """Shifts by less than 0 or more than 63 leave the sign."""
    return np.right_shift(a, np.where((b >= 0) & (b < 64), b, 63))


#: Of two int64. Remainders by 0 are 0.
_INTEGER: Mapping[str, Callable[[Array, Array], Array]] = {
    **{name: BINARY[name] for name in ("Add", "Sub", "Mul", "Min", "Max")},
    "Div": _quotient,
    "Pow": _power,
    "Fmod": np.fmod,
    "Mod": np.remainder,
    "BitwiseAnd": np.bitwise_and,
    "BitwiseOr": np.bitwise_or,
    "BitwiseXor": np.bitwise_xor,
    "ShiftLeft": _shift_left,
    "ShiftRight": _shift_right,
}


def is_elementwise(op: str) -> bool:
    """Whether `evaluate` knows the operation."""
    return op in UNARY or op in BINARY or op in _INTEGER


def evaluate(op: str, operands: list[Array], attributes: Mapping[str, Attribute]) -> Array:
    """The result of an elementwise operation.

    Operands are float32, or integers of one dtype for the functions that integers have; they are
    computed in int64 and wrap to the dtype. They broadcast.
    """
    dtype = operands[0].dtype
    with np.errstate(all="ignore"):
        if dtype.kind in "iu":
            a, b = np.broadcast_arrays(*(x.astype(np.int64) for x in operands))
            return np.asarray(_INTEGER[op](a, b)).astype(dtype)
        doubles = [x.astype(np.float64) for x in operands]
        result = UNARY[op](doubles[0], attributes) if op in UNARY else BINARY[op](*doubles)
        return np.asarray(result).astype(np.float32)


def convert(x: Array, dtype: np.dtype[Any]) -> Array:
    """The elements of x as another dtype.

    Floats are truncated and saturate, NaN becomes 0; integers wrap; a bool is whether the element
    is not 0.
    """
    if x.dtype.kind != "f" or dtype.kind in "fb":
        return x.astype(dtype)
    limits = np.iinfo(dtype)
    with np.errstate(invalid="ignore"):  # A signalling NaN on its way to float64.
        whole = np.trunc(np.where(np.isnan(x), 0.0, x).astype(np.float64))
    high = whole >= float(limits.max) + 1.0
    low = whole < float(limits.min)
    inside = np.where(high | low, 0.0, whole).astype(dtype)
    return np.where(high, limits.max, np.where(low, limits.min, inside)).astype(dtype)


def dequantize(codes: Array, scale: Array, zero_point: Array, axis: int = 0) -> Array:
    """float32(q - zero_point) * scale; one scale, or one per index of `axis`."""
    scale, zero_point = _along(scale, codes, axis), _along(zero_point, codes, axis)
    centred = codes.astype(np.int64) - zero_point.astype(np.int64)
    with np.errstate(all="ignore"):
        return np.asarray(centred.astype(np.float32) * scale.astype(np.float32))


def quantize(
    x: Array, scale: Array, zero_point: Array, low: int, high: int, axis: int = 0
) -> NDArray[np.int64]:
    """rint(x / scale) + zero_point, kept in [low, high]; NaN gives low."""
    scale, zero_point = _along(scale, x, axis), _along(zero_point, x, axis).astype(np.int64)
    with np.errstate(all="ignore"):
        real = x.astype(np.float32) / scale.astype(np.float32)
    least, most = (low - zero_point).astype(np.float32), (high - zero_point).astype(np.float32)
    real = np.where(real > least, real, least)
    real = np.where(real < most, real, most)
    return np.asarray(np.rint(real).astype(np.int64) + zero_point)


def _along(parameter: Array, x: Array, axis: int) -> Array:
    """A parameter per index of `axis`, shaped to broadcast over x."""
    if parameter.size == 1:
        return parameter.reshape(())
    return parameter.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
