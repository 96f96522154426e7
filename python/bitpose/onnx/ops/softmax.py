# SPDX-License-Identifier: Apache-2.0
"""Softmax, its logarithm, and Hardmax."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder
from bitpose.onnx.ops.arithmetic import arithmetic
from bitpose.onnx.ops.logical import compare
from bitpose.onnx.ops.reduction import ArgMax, reduce
from bitpose.onnx.registry import onnx_operator


def _softmax(b: Builder, x: Tensor, axis: int) -> Tensor:
    return b.emit("Softmax", [x], x.shape, axis=axis)


def _log_softmax(b: Builder, x: Tensor, axis: int) -> Tensor:
    """d - ln sum(e^d) with d = x - max(x)."""
    d = arithmetic(b, "Sub", x, reduce(b, "Max", x, [axis]))
    total = reduce(b, "Sum", b.emit("Exp", [d], d.shape), [axis])
    return arithmetic(b, "Sub", d, b.emit("Log", [total], total.shape))


def _hardmax(b: Builder, x: Tensor, axis: int) -> Tensor:
    """1 where the first of the largest elements stands."""
    largest = ArgMax(b, x, axis=axis)
    places = np.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(x.shape))])
    equal = compare(b, "Equal", largest, b.constant(places.astype(np.int64)))
    return b.emit("Cast", [equal], x.shape)


_AlongAxis = Callable[[Builder, Tensor, int], Tensor]


def _flattened(b: Builder, x: Tensor, axis: int, function: _AlongAxis) -> Tensor:
    """Up to opset 12: over all axes from `axis` on, as one."""
    b.require_dtype(x, "the operand", "float32")
    cut = len(x.shape) if axis == len(x.shape) else b.axis(axis, len(x.shape))
    flat = b.reshape(x, (math.prod(x.shape[:cut]), math.prod(x.shape[cut:])))
    return b.reshape(function(b, flat, 1), x.shape)


def _along(b: Builder, x: Tensor, axis: int, function: _AlongAxis) -> Tensor:
    b.require_dtype(x, "the operand", "float32")
    return function(b, x, b.axis(axis, len(x.shape)))


@onnx_operator(7, 12)
def Softmax_1(b: Builder, x: Tensor, *, axis: int = 1) -> Tensor:
    """float32."""
    return _flattened(b, x, axis, _softmax)


@onnx_operator(13)
def Softmax_13(b: Builder, x: Tensor, *, axis: int = -1) -> Tensor:
    """float32."""
    return _along(b, x, axis, _softmax)


@onnx_operator(7, 12)
def Hardmax_1(b: Builder, x: Tensor, *, axis: int = 1) -> Tensor:
    """float32."""
    return _flattened(b, x, axis, _hardmax)


@onnx_operator(13)
def Hardmax_13(b: Builder, x: Tensor, *, axis: int = -1) -> Tensor:
    """float32."""
    return _along(b, x, axis, _hardmax)


@onnx_operator(7, 12)
def LogSoftmax_1(b: Builder, x: Tensor, *, axis: int = 1) -> Tensor:
    """float32."""
    return _flattened(b, x, axis, _log_softmax)


@onnx_operator(13)
def LogSoftmax_13(b: Builder, x: Tensor, *, axis: int = -1) -> Tensor:
    """float32."""
    return _along(b, x, axis, _log_softmax)
