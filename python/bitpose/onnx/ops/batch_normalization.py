# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation with given statistics."""

from __future__ import annotations

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder
from bitpose.onnx.ops.arithmetic import arithmetic
from bitpose.onnx.registry import onnx_operator


def _batch_normalization(
    b: Builder, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, var: Tensor, epsilon: float
) -> Tensor:
    """x * s + t with s = scale / sqrt(var + epsilon) and t = bias - mean * s, per channel."""
    b.require_dtype(x, "the operand", "float32")
    if b.outputs > 1:
        b.refuse("running statistics are an output", "one output")
    channels = x.shape[1] if len(x.shape) > 1 else 1
    for vector in (scale, bias, mean, var):
        if vector.shape != (channels,):
            b.invalid(f"a parameter has shape {list(vector.shape)} for {list(x.shape)}")
    shifted = arithmetic(b, "Add", var, b.constant(np.array(epsilon, np.float32)))
    s = arithmetic(b, "Div", scale, b.emit("Sqrt", [shifted], shifted.shape))
    t = arithmetic(b, "Sub", bias, arithmetic(b, "Mul", mean, s))
    extents = (channels, *[1] * (len(x.shape) - 2))
    product = arithmetic(b, "Mul", x, b.reshape(s, extents))
    return arithmetic(b, "Add", product, b.reshape(t, extents))


@onnx_operator(7, 13)
def BatchNormalization_7(
    b: Builder,
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    var: Tensor,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    spatial: int = 1,
) -> Tensor:
    """float32, at inference, one parameter per channel. Part of a Conv in front of it."""
    if not spatial:
        b.refuse("spatial is 0", "one parameter per channel")
    return _batch_normalization(b, x, scale, bias, mean, var, epsilon)


@onnx_operator(14)
def BatchNormalization_14(
    b: Builder,
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    mean: Tensor,
    var: Tensor,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    training_mode: int = 0,
) -> Tensor:
    """float32, at inference, one parameter per channel. Part of a Conv in front of it."""
    if training_mode:
        b.refuse("training_mode is 1", "training_mode 0")
    return _batch_normalization(b, x, scale, bias, mean, var, epsilon)
