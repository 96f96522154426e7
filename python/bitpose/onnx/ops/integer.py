# SPDX-License-Identifier: Apache-2.0
"""Operators whose results are sums of integers, and the one that makes their operands.

Scales come at run time here, so everything around the sums is computed in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.shapes import broadcast
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops import windows
from bitpose.onnx.ops.convolution import conv_window
from bitpose.onnx.ops.matrix import as_matrices, transposed, without_vectors
from bitpose.onnx.ops.reduction import reduce
from bitpose.onnx.registry import onnx_operator


def _centred(b: Builder, x: Tensor, zero_point: Tensor | None, axis: int) -> Tensor:
    """x minus its zero points, one or one for each element of an axis, as int32."""
    b.require_dtype(x, "an operand", "int8", "uint8")
    codes = b.emit("Cast", [x], x.shape, np.int32)
    if zero_point is None:
        return codes
    zero = b.emit("Cast", [zero_point], zero_point.shape, np.int32)
    if zero.elements == 1:
        zero = b.reshape(zero, ())
    elif len(zero.shape) == 1:
        shape = [zero.elements if i == axis else 1 for i in range(len(x.shape))]
        zero = b.reshape(zero, shape)
    return b.emit("Sub", [codes, zero], broadcast(codes.shape, zero.shape), np.int32)


@onnx_operator(10)
def MatMulInteger(
    b: Builder,
    x: Tensor,
    w: Tensor,
    x_zero_point: Tensor | None = None,
    w_zero_point: Tensor | None = None,
) -> Tensor:
    """Any ranks; operands and zero points may be computed at run time."""
    left = _centred(b, x, x_zero_point, len(x.shape) - 2)
    right = _centred(b, w, w_zero_point, len(w.shape) - 1)
    left, right = as_matrices(b, left, right)
    y = b.engine("matmul_s32", [left, right], np.int32, None, transpose_b=0)
    return without_vectors(b, y, x, w)


@onnx_operator(10)
def ConvInteger(
    b: Builder,
    x: Tensor,
    w: Tensor,
    x_zero_point: Tensor | None = None,
    w_zero_point: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Ints | None = None,
    group: int = 1,
    kernel_shape: Ints | None = None,
    pads: Ints | None = None,
    strides: Ints | None = None,
) -> Tensor:
    """1-D and 2-D; weights and zero points may be computed at run time."""
    image, weights, window = conv_window(
        b, x, w, auto_pad, dilations, group, kernel_shape, pads, strides
    )
    codes = _centred(b, image, x_zero_point, 1)
    filters = _centred(b, weights, w_zero_point, 0)
    image, around = windows.without_excess(b, codes, window)
    y = b.engine(
        "conv2d_s32",
        [transposed(b, image, 0, 2, 3, 1), transposed(b, filters, 0, 2, 3, 1)],
        np.int32,
        None,
        **windows.attributes(replace(window, pads=around)),
    )
    result = transposed(b, y, 0, 3, 1, 2)
    return windows.like(b, result, x)


@onnx_operator(11)
def DynamicQuantizeLinear(b: Builder, x: Tensor) -> Sequence[Tensor]:
    """float32."""
    b.require_dtype(x, "the operand", "float32")
    axes = range(len(x.shape))
    zero = b.constant(np.zeros((), np.float32))

    def binary(op: str, left: Tensor, right: Tensor) -> Tensor:
        return b.emit(op, [left, right], broadcast(left.shape, right.shape))

    low = binary("Min", b.reshape(reduce(b, "Min", x, axes), ()), zero)
    high = binary("Max", b.reshape(reduce(b, "Max", x, axes), ()), zero)
    # Of a tensor of zeros any scale is right but 0.
    least = b.constant(np.array(np.finfo(np.float32).tiny, np.float32))
    steps = b.constant(np.array(255, np.float32))
    scale = binary("Max", binary("Div", binary("Sub", high, low), steps), least)
    offset = b.emit("Round", [binary("Div", binary("Sub", zero, low), scale)], ())
    offset = b.emit("Clip", [offset], (), low=0.0, high=255.0)
    codes = binary("Add", b.emit("Round", [binary("Div", x, scale)], x.shape), offset)
    codes = b.emit("Clip", [codes], x.shape, low=0.0, high=255.0)
    return [
        b.emit("Cast", [codes], x.shape, np.uint8),
        scale,
        b.emit("Cast", [offset], (), np.uint8),
    ]
