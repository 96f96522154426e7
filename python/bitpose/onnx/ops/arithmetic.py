# SPDX-License-Identifier: Apache-2.0
"""Arithmetic on floats and integers, of operands that broadcast."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.operators import INTEGERS
from bitpose.ir.shapes import broadcast
from bitpose.onnx.builder import Builder
from bitpose.onnx.registry import onnx_operator

_NUMBERS = ("float32", *INTEGERS)


def arithmetic(b: Builder, op: str, x: Tensor, y: Tensor) -> Tensor:
    """A function of `bitpose.ir.operators.BINARY`."""
    if x.dtype != y.dtype:
        b.invalid(f"operands are {x.dtype} and {y.dtype}")
    return b.emit(op, [x, y], broadcast(x.shape, y.shape), x.dtype)


def _numbers(b: Builder, op: str, x: Tensor, y: Tensor) -> Tensor:
    b.require_dtype(x, "an operand", *_NUMBERS)
    return arithmetic(b, op, x, y)


def _integers(b: Builder, op: str, x: Tensor, y: Tensor) -> Tensor:
    b.require_dtype(x, "an operand", *INTEGERS)
    return arithmetic(b, op, x, y)


def _scalar(b: Builder, value: int, like: Tensor) -> Tensor:
    return b.constant(np.array(value, like.dtype))


@onnx_operator(7)
def Add(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64. Broadcasts."""
    return _numbers(b, "Add", x, y)


@onnx_operator(7)
def Sub(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64. Broadcasts."""
    return _numbers(b, "Sub", x, y)


@onnx_operator(7)
def Mul(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64. Broadcasts."""
    return _numbers(b, "Mul", x, y)


@onnx_operator(7)
def Div(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64. Broadcasts. Integers are truncated, x / 0 is 0."""
    return _numbers(b, "Div", x, y)


@onnx_operator(10)
def Mod(b: Builder, x: Tensor, y: Tensor, *, fmod: int = 0) -> Tensor:
    """float32, int8, uint8, int16, int32, int64. Broadcasts. An integer remainder by 0 is 0."""
    return _numbers(b, "Fmod" if fmod else "Mod", x, y)


@onnx_operator(7)
def Pow(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64, the exponent of any of them. Broadcasts."""
    for operand, what in ((x, "the base"), (y, "the exponent")):
        b.require_dtype(operand, what, *_NUMBERS)
    if x.dtype == np.float32 or y.dtype != np.float32:
        return arithmetic(b, "Pow", x, cast(b, y, x.dtype))
    power = arithmetic(b, "Pow", cast(b, x, y.dtype), y)
    return cast(b, power, x.dtype)


def cast(b: Builder, x: Tensor, dtype: np.dtype[Any]) -> Tensor:
    """x as another dtype, or x itself."""
    return x if x.dtype == dtype else b.emit("Cast", [x], x.shape, dtype)


@onnx_operator(7)
def PRelu(b: Builder, x: Tensor, slope: Tensor) -> Tensor:
    """float32, int32, int64."""
    b.require_dtype(x, "the operand", "float32", "int32", "int64")
    if broadcast(x.shape, slope.shape) != x.shape:
        b.invalid(f"slope {list(slope.shape)} for {list(x.shape)}")
    if x.dtype == np.float32:
        return arithmetic(b, "PRelu", x, slope)
    zero = _scalar(b, 0, x)
    below = arithmetic(b, "Mul", arithmetic(b, "Min", x, zero), slope)
    return arithmetic(b, "Add", arithmetic(b, "Max", x, zero), below)


def _reduce(b: Builder, op: str, operands: tuple[Tensor, ...], *dtypes: str) -> Tensor:
    if not operands:
        b.invalid("has no operand")
    b.require_dtype(operands[0], "an operand", *dtypes)
    result = operands[0]
    for x in operands[1:]:
        result = arithmetic(b, op, result, x)
    return result


@onnx_operator(8)
def Min(b: Builder, *operands: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64. Broadcasts."""
    return _reduce(b, "Min", operands, *_NUMBERS)


@onnx_operator(8)
def Max(b: Builder, *operands: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64. Broadcasts."""
    return _reduce(b, "Max", operands, *_NUMBERS)


@onnx_operator(8)
def Sum(b: Builder, *operands: Tensor) -> Tensor:
    """float32. Broadcasts."""
    return _reduce(b, "Add", operands, "float32")


@onnx_operator(8)
def Mean(b: Builder, *operands: Tensor) -> Tensor:
    """float32. Broadcasts."""
    total = _reduce(b, "Add", operands, "float32")
    return arithmetic(b, "Div", total, b.constant(np.array(len(operands), np.float32)))


@onnx_operator(7)
def Neg(b: Builder, x: Tensor) -> Tensor:
    """float32, int8, int16, int32, int64."""
    b.require_dtype(x, "the operand", "float32", "int8", "int16", "int32", "int64")
    if x.dtype == np.float32:
        return b.emit("Neg", [x], x.shape)
    return arithmetic(b, "Sub", _scalar(b, 0, x), x)


@onnx_operator(7)
def Abs(b: Builder, x: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64."""
    b.require_dtype(x, "the operand", *_NUMBERS)
    if x.dtype == np.float32:
        return b.emit("Abs", [x], x.shape)
    if x.dtype == np.uint8:
        return x
    return arithmetic(b, "Max", x, arithmetic(b, "Sub", _scalar(b, 0, x), x))


@onnx_operator(9)
def Sign(b: Builder, x: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64."""
    b.require_dtype(x, "the operand", *_NUMBERS)
    if x.dtype == np.float32:
        return b.emit("Sign", [x], x.shape)
    low = _scalar(b, 0 if x.dtype == np.uint8 else -1, x)
    return arithmetic(b, "Min", arithmetic(b, "Max", x, low), _scalar(b, 1, x))


@onnx_operator(7)
def Relu(b: Builder, x: Tensor) -> Tensor:
    """float32, int8, int16, int32, int64."""
    b.require_dtype(x, "the operand", "float32", "int8", "int16", "int32", "int64")
    if x.dtype == np.float32:
        return _float_clip(b, x, 0.0, math.inf)
    return arithmetic(b, "Max", x, _scalar(b, 0, x))


def _float_clip(b: Builder, x: Tensor, low: float, high: float) -> Tensor:
    b.require_dtype(x, "the operand", "float32")
    return b.emit("Clip", [x], x.shape, low=low, high=high)


def _value(bound: Tensor | None, default: float) -> float:
    return default if bound is None or bound.data is None else float(bound.data.reshape(()))


@onnx_operator(7, 10)
def Clip_6(b: Builder, x: Tensor, *, min: float = -math.inf, max: float = math.inf) -> Tensor:
    """float32."""
    return _float_clip(b, x, min, max)


@onnx_operator(11)
def Clip_11(b: Builder, x: Tensor, min: Tensor | None = None, max: Tensor | None = None) -> Tensor:
    """float32, int8, uint8, int16, int32, int64."""
    b.require_dtype(x, "the operand", *_NUMBERS)
    for bound, what in ((min, "min"), (max, "max")):
        if bound is not None and bound.elements != 1:
            b.invalid(f"{what} has {bound.elements} elements")
    given = [bound for bound in (min, max) if bound is not None]
    if x.dtype == np.float32 and all(bound.is_constant for bound in given):
        return _float_clip(b, x, _value(min, -math.inf), _value(max, math.inf))
    y = x if min is None else arithmetic(b, "Max", x, b.reshape(min, ()))
    return y if max is None else arithmetic(b, "Min", y, b.reshape(max, ()))


@onnx_operator(11)
def BitShift(b: Builder, x: Tensor, y: Tensor, *, direction: str) -> Tensor:
    """int8, uint8, int16, int32, int64. Broadcasts."""
    if direction not in ("LEFT", "RIGHT"):
        b.invalid(f"direction is {direction!r}")
    return _integers(b, f"Shift{direction.title()}", x, y)


@onnx_operator(18)
def BitwiseAnd(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """int8, uint8, int16, int32, int64. Broadcasts."""
    return _integers(b, "BitwiseAnd", x, y)


@onnx_operator(18)
def BitwiseOr(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """int8, uint8, int16, int32, int64. Broadcasts."""
    return _integers(b, "BitwiseOr", x, y)


@onnx_operator(18)
def BitwiseXor(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """int8, uint8, int16, int32, int64. Broadcasts."""
    return _integers(b, "BitwiseXor", x, y)


@onnx_operator(18)
def BitwiseNot(b: Builder, x: Tensor) -> Tensor:
    """int8, uint8, int16, int32, int64."""
    b.require_dtype(x, "the operand", *INTEGERS)
    ones = 255 if x.dtype == np.uint8 else -1
    return arithmetic(b, "BitwiseXor", x, _scalar(b, ones, x))
