# SPDX-License-Identifier: Apache-2.0
"""QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder
from bitpose.onnx.initializers import DTYPES
from bitpose.onnx.registry import MICROSOFT, onnx_operator

_CODES = ("int8", "uint8", "int16", "uint16")


def _parameters(
    b: Builder, x: Tensor, scale: Tensor, zero_point: Tensor, axis: int, block_size: int
) -> tuple[Tensor, Tensor, int]:
    """Scale and zero point, both scalars, or both of the extent of `axis`."""
    scales, zero_points = b.value(scale, "scale"), b.value(zero_point, "zero point")
    b.require_dtype(scale, "the scale", "float32")
    if block_size:
        b.refuse(f"block_size is {block_size}", "one scale per tensor or per axis")
    if not np.all(np.isfinite(scales) & (scales > 0)):
        b.refuse("a scale is not finite and positive", "finite positive scales")
    if scales.size == zero_points.size == 1:
        return b.constant(scales.reshape(())), b.constant(zero_points.reshape(())), 0
    axis = b.axis(axis, len(x.shape))
    if scales.shape != (x.shape[axis],) or zero_points.shape != scales.shape:
        b.invalid(f"{scales.size} scales and {zero_points.size} zero points for {list(x.shape)}")
    return b.constant(scales), b.constant(zero_points), axis


@onnx_operator(7, domain=MICROSOFT)
@onnx_operator(10)
def QuantizeLinear(
    b: Builder,
    x: Tensor,
    y_scale: Tensor,
    y_zero_point: Tensor | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
    precision: int = 0,
    saturate: int = 1,
) -> Tensor:
    """float32 to int8, uint8, int16 or uint16; constant scale and zero point, one per channel for
    constants.
    """
    b.require_dtype(x, "the operand", "float32")
    if y_zero_point is None:
        dtype = DTYPES.get(output_dtype or 2)
        if dtype is None:
            b.refuse(f"output_dtype is ONNX data type {output_dtype}", ", ".join(_CODES))
        y_zero_point = b.constant(np.zeros(y_scale.shape, np.dtype(dtype)))
    b.require_dtype(y_zero_point, "the output", *_CODES)
    scale, zero_point, axis = _parameters(b, x, y_scale, y_zero_point, axis, block_size)
    if scale.elements > 1 and not x.is_constant:
        b.refuse("an activation has one scale per channel", "one scale per activation")
    operands = [x, scale, zero_point]
    return b.emit("QuantizeLinear", operands, x.shape, zero_point.dtype, axis=axis)


@onnx_operator(7, domain=MICROSOFT)
@onnx_operator(10)
def DequantizeLinear(
    b: Builder,
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
    output_dtype: int = 0,
) -> Tensor:
    """int8, uint8, int16, uint16, or constant int32, to float32; constant scale and zero point."""
    b.require_dtype(x, "the operand", *_CODES, "int32")
    if x.dtype == np.int32:
        b.value(x, "int32 operand")
    if x_zero_point is None:
        x_zero_point = b.constant(np.zeros(x_scale.shape, x.dtype))
    if x_zero_point.dtype != x.dtype:
        b.invalid(f"the zero point is {x_zero_point.dtype}, the operand {x.dtype}")
    scale, zero_point, axis = _parameters(b, x, x_scale, x_zero_point, axis, block_size)
    operands = [x, scale, zero_point]
    return b.emit("DequantizeLinear", operands, x.shape, axis=axis)
