# SPDX-License-Identifier: Apache-2.0
"""Operators that work element by element."""

from __future__ import annotations

import math

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.shapes import broadcast
from bitpose.onnx.builder import Builder
from bitpose.onnx.initializers import DTYPES
from bitpose.onnx.registry import onnx_operator


def _unary(b: Builder, x: Tensor, **parameters: float) -> Tensor:
    b.require_dtype(x, "the operand", "float32")
    return b.emit(b.op, [x], x.shape, x.dtype, **parameters)


@onnx_operator(7)
def Abs(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


@onnx_operator(7)
def Ceil(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


@onnx_operator(7)
def Elu(b: Builder, x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x, alpha=alpha)


@onnx_operator(9)
def Erf(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


@onnx_operator(7)
def Exp(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


@onnx_operator(7)
def Floor(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


@onnx_operator(7)
def HardSigmoid(b: Builder, x: Tensor, *, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x, alpha=alpha, beta=beta)


@onnx_operator(14)
def HardSwish(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


@onnx_operator(7)
def LeakyRelu(b: Builder, x: Tensor, *, alpha: float = 0.01) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x, alpha=alpha)


@onnx_operator(7)
def Log(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


@onnx_operator(7)
def Neg(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Reciprocal(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(11)
def Round(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


@onnx_operator(7)
def Sigmoid(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


@onnx_operator(7)
def Softplus(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


@onnx_operator(7)
def Sqrt(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


@onnx_operator(7)
def Tanh(b: Builder, x: Tensor) -> Tensor:
    """float32 between 8-bit tensors."""
    return _unary(b, x)


def _clip(b: Builder, x: Tensor, low: float, high: float) -> Tensor:
    b.require_dtype(x, "the operand", "float32")
    return b.emit("Clip", [x], x.shape, low=low, high=high)


@onnx_operator(7)
def Relu(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _clip(b, x, 0.0, math.inf)


@onnx_operator(7, 10)
def Clip_6(b: Builder, x: Tensor, *, min: float = -math.inf, max: float = math.inf) -> Tensor:
    """float32."""
    return _clip(b, x, min, max)


@onnx_operator(11)
def Clip_11(b: Builder, x: Tensor, min: Tensor | None = None, max: Tensor | None = None) -> Tensor:
    """float32, constant bounds."""
    low = -math.inf if min is None else _scalar(b, min, "min")
    high = math.inf if max is None else _scalar(b, max, "max")
    return _clip(b, x, low, high)


def _scalar(b: Builder, x: Tensor, what: str) -> float:
    data = b.value(x, what)
    if data.size != 1:
        b.invalid(f"{what} has {data.size} elements")
    return float(data.reshape(()))


def _binary(b: Builder, op: str, x: Tensor, y: Tensor) -> Tensor:
    if x.dtype != y.dtype:
        b.invalid(f"operands are {x.dtype} and {y.dtype}")
    b.require_dtype(x, "an operand", "float32", "int32", "int64")
    return b.emit(op, [x, y], broadcast(x.shape, y.shape), x.dtype)


@onnx_operator(7)
def Add(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int32; int64 of constants. Broadcasts."""
    return _binary(b, "Add", x, y)


@onnx_operator(7)
def Sub(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int32; int64 of constants. Broadcasts."""
    return _binary(b, "Sub", x, y)


@onnx_operator(7)
def Mul(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int32; int64 of constants. Broadcasts."""
    return _binary(b, "Mul", x, y)


@onnx_operator(7)
def Div(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32, int32; int64 of constants. Broadcasts."""
    return _binary(b, "Div", x, y)


def _reduce(b: Builder, op: str, operands: tuple[Tensor, ...]) -> Tensor:
    if not operands:
        b.invalid("has no operand")
    result = operands[0]
    for x in operands[1:]:
        result = _binary(b, op, result, x)
    return result


@onnx_operator(8)
def Min(b: Builder, *operands: Tensor) -> Tensor:
    """float32, int32; int64 of constants. Broadcasts."""
    return _reduce(b, "Min", operands)


@onnx_operator(8)
def Max(b: Builder, *operands: Tensor) -> Tensor:
    """float32, int32; int64 of constants. Broadcasts."""
    return _reduce(b, "Max", operands)


@onnx_operator(7)
def Pow(b: Builder, x: Tensor, y: Tensor) -> Tensor:
    """float32 between 8-bit tensors, constant exponent."""
    b.require_dtype(x, "the base", "float32")
    exponent = b.value(y, "exponent")
    return b.emit(
        "Pow",
        [x, b.constant(exponent.astype(np.float32))],
        broadcast(x.shape, exponent.shape),
    )


@onnx_operator(7)
def Cast(b: Builder, x: Tensor, *, to: int, saturate: int = 1, round_mode: str = "up") -> Tensor:
    """Among float32, int8, uint8, int32, int64. Floats are truncated and saturate."""
    if to not in DTYPES:
        b.refuse(f"to is ONNX data type {to}", ", ".join(DTYPES.values()))
    return b.emit("Cast", [x], x.shape, np.dtype(DTYPES[to]))
