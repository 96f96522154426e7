# SPDX-License-Identifier: Apache-2.0
"""Operators along one axis."""

from __future__ import annotations

import math

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder
from bitpose.onnx.registry import onnx_operator


@onnx_operator(7)
def ArgMax(
    b: Builder, x: Tensor, *, axis: int = 0, keepdims: int = 1, select_last_index: int = 0
) -> Tensor:
    """float32, 8-bit or int32; the first of equals."""
    b.require_dtype(x, "the operand", "float32", "int8", "uint8", "int32")
    if select_last_index:
        b.refuse("select_last_index is set", "the first of equals")
    axis = b.axis(axis, len(x.shape))
    kept = (1,) if keepdims else ()
    shape = (*x.shape[:axis], *kept, *x.shape[axis + 1 :])
    return b.emit("ArgMax", [x], shape, np.int64, axis=axis, keepdims=int(bool(keepdims)))


@onnx_operator(7, 12)
def Softmax_1(b: Builder, x: Tensor, *, axis: int = 1) -> Tensor:
    """float32."""
    b.require_dtype(x, "the operand", "float32")
    cut = len(x.shape) if axis == len(x.shape) else b.axis(axis, len(x.shape))
    flat = b.reshape(x, (math.prod(x.shape[:cut]), math.prod(x.shape[cut:])))
    return b.reshape(b.emit("Softmax", [flat], flat.shape, axis=1), x.shape)


@onnx_operator(13)
def Softmax_13(b: Builder, x: Tensor, *, axis: int = -1) -> Tensor:
    """float32."""
    b.require_dtype(x, "the operand", "float32")
    return b.emit("Softmax", [x], x.shape, axis=b.axis(axis, len(x.shape)))
