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
from bitpose.ir.operators import UNARY

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


_UNARY: Mapping[str, Callable[[Float, _Parameters], Float]] = {
    "Abs": lambda x, a: np.abs(x),
    "Ceil": lambda x, a: np.ceil(x),
    "Clip": _clip,
    "Elu": lambda x, a: np.where(x < 0, a["alpha"] * (elementary.exp(np.minimum(x, 0)) - 1), x),
    "Erf": lambda x, a: elementary.erf(x),
    "Exp": lambda x, a: elementary.exp(x),
    "Floor": lambda x, a: np.floor(x),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": lambda x, a: x * _hard_sigmoid(x, {"alpha": 1.0 / 6.0, "beta": 0.5}),
    "LeakyRelu": lambda x, a: np.where(x < 0, x * a["alpha"], x),
    "Log": lambda x, a: elementary.log(x),
    "Neg": lambda x, a: -x,
    "Reciprocal": lambda x, a: 1.0 / x,
    "Round": lambda x, a: np.rint(x),
    "Sigmoid": lambda x, a: elementary.sigmoid(x),
    "Softplus": lambda x, a: np.maximum(x, 0) + elementary.log(1 + elementary.exp(-np.abs(x))),
    "Sqrt": lambda x, a: np.sqrt(x),
    "Tanh": lambda x, a: elementary.tanh(x),
}

#: Of two operands of one dtype, in the dtype's own arithmetic, for every dtype that has it.
BINARY: Mapping[str, Callable[[Array, Array], Array]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": lambda a, b: a / b if a.dtype.kind == "f" else _quotient(a, b),
    "Min": lambda a, b: np.where(b < a, b, a),
    "Max": lambda a, b: np.where(b > a, b, a),
    "Pow": elementary.power,
}


def _quotient(a: Array, b: Array) -> Array:
    """Of integers: truncated towards zero as in C; division by zero gives 0, MIN / -1 wraps."""
    a, b = np.broadcast_arrays(a, b)
    quotient = np.floor_divide(a, b)  # 0 for a divisor of 0.
    inexact = (b != 0) & (quotient * b != a)
    return np.where(inexact & ((a < 0) != (b < 0)), quotient + 1, quotient)


def is_elementwise(op: str) -> bool:
    """Whether `evaluate` knows the operation."""
    return op in UNARY or op in BINARY


def evaluate(op: str, operands: list[Array], attributes: Mapping[str, Attribute]) -> Array:
    """The result of an elementwise operation.

    Operands are float32, or integers of one dtype for the functions that integers have; integers
    wrap. They broadcast.
    """
    dtype = operands[0].dtype
    with np.errstate(all="ignore"):
        if dtype.kind == "i":
            return np.asarray(BINARY[op](*operands)).astype(dtype)
        doubles = [x.astype(np.float64) for x in operands]
        result = _UNARY[op](doubles[0], attributes) if op in UNARY else BINARY[op](*doubles)
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
