# SPDX-License-Identifier: Apache-2.0
"""Softmax."""

from __future__ import annotations

import math

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder
from bitpose.onnx.registry import onnx_operator


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
