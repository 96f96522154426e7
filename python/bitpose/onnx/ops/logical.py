# SPDX-License-Identifier: Apache-2.0
"""Comparisons, truth values, choice and conversion."""

from __future__ import annotations

import math

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.operators import COMPARISONS, INTEGERS, LOGIC
from bitpose.onnx.builder import Builder
from bitpose.onnx.initializers import DTYPES, SUPPORTED
from bitpose.onnx.registry import onnx_operator


def compare(b: Builder, relation: str, x: Tensor, y: Tensor) -> Tensor:
    """Whether x and y stand in a relation of `bitpose.ir.operators.COMPARISONS`."""
    if x.dtype != y.dtype:
        b.invalid(f"operands are {x.dtype} and {y.dtype}")
    return b.engine("compare", [x, y], bool, function=COMPARISONS.index(relation))


def _ordered(b: Builder, relation: str, x: Tensor, y: Tensor) -> Tensor:
    b.require_dtype(x, "an operand", "float32", *INTEGERS)
    return compare(b, relation, x, y)


@onnx_operator(7)
def Equal(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """Any dtype. Broadcasts."""
    return compare(b, "Equal", x, y)


@onnx_operator(7)
def Less(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64. Broadcasts."""
    return _ordered(b, "Less", x, y)


@onnx_operator(12)
def LessOrEqual(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64. Broadcasts."""
    return _ordered(b, "LessOrEqual", x, y)


@onnx_operator(7)
def Greater(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64. Broadcasts."""
    return _ordered(b, "Greater", x, y)


@onnx_operator(12)
def GreaterOrEqual(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int8, uint8, int16, int32, int64. Broadcasts."""
    return _ordered(b, "GreaterOrEqual", x, y)


def _logic(b: Builder, function: str, x: Tensor, y: Tensor) -> Tensor:
    if x.dtype != bool or y.dtype != bool:
        b.invalid(f"operands are {x.dtype} and {y.dtype}")
    return b.engine("logic", [x, y], bool, function=LOGIC.index(function))


@onnx_operator(7)
def And(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """bool. Broadcasts."""
    return _logic(b, "And", x, y)


@onnx_operator(7)
def Or(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """bool. Broadcasts."""
    return _logic(b, "Or", x, y)


@onnx_operator(7)
def Xor(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """bool. Broadcasts."""
    return _logic(b, "Xor", x, y)


@onnx_operator(7)
def Not(b: Builder, x: Tensor) -> Tensor:
    """bool."""
    return _logic(b, "Xor", x, b.constant(np.array(True)))


@onnx_operator(9)
def IsNaN(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    b.require_dtype(x, "the operand", "float32")
    return Not(b, compare(b, "Equal", x, x))


@onnx_operator(10)
def IsInf(b: Builder, x: Tensor, *, detect_negative: int = 1, detect_positive: int = 1) -> Tensor:
    """float32."""
    b.require_dtype(x, "the operand", "float32")
    infinity = b.constant(np.array(math.inf, np.float32))
    if detect_negative and detect_positive:
        return compare(b, "Equal", b.emit("Abs", [x], x.shape), infinity)
    if detect_positive:
        return compare(b, "Equal", x, infinity)
    # Nothing equals NaN.
    other = b.constant(np.array(-math.inf if detect_negative else math.nan, np.float32))
    return compare(b, "Equal", x, other)


@onnx_operator(9)
def Where(b: Builder, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Any dtype. Broadcasts."""
    if condition.dtype != bool or x.dtype != y.dtype:
        b.invalid(f"operands are {condition.dtype}, {x.dtype} and {y.dtype}")
    return b.engine("where", [condition, x, y], x.dtype)


@onnx_operator(7)
def Cast(b: Builder, x: Tensor, *, to: int, saturate: int = 1, round_mode: str = "up") -> Tensor:
    """Among float32, int8, uint8, int16, int32, int64, bool. Floats are truncated and saturate."""
    if to not in DTYPES:
        b.refuse(f"to is ONNX data type {to}", SUPPORTED)
    return b.emit("Cast", [x], x.shape, np.dtype(DTYPES[to]))


@onnx_operator(15)
def CastLike(
    b: Builder, x: Tensor, like: Tensor, *, saturate: int = 1, round_mode: str = "up"
) -> Tensor:
    """Among float32, int8, uint8, int16, int32, int64, bool. Floats are truncated and saturate."""
    return b.emit("Cast", [x], x.shape, like.dtype)
