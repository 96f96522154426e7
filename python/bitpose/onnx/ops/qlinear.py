# SPDX-License-Identifier: Apache-2.0
"""Operators with scales among their operands (QOperator): what they mean, spelt in QDQ.

    QLinearF(x, s_x, z_x, ..., s_y, z_y)   is   Q(F(D(x, s_x, z_x), ...), s_y, z_y)

Most are onnxruntime's own, of the domain com.microsoft.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.shapes import broadcast
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops.quantization import DequantizeLinear, QuantizeLinear
from bitpose.onnx.registry import MICROSOFT, find, onnx_operator


def _real(b: Builder, x: Tensor, scale: Tensor, zero_point: Tensor | None, axis: int = 1) -> Tensor:
    return DequantizeLinear(b, x, scale, zero_point, axis=axis)


def _codes(b: Builder, y: Tensor, scale: Tensor, zero_point: Tensor | None) -> Tensor:
    return QuantizeLinear(b, y, scale, zero_point)


def _float(b: Builder, op: str, *operands: Tensor | None, opset: int = 0, **how: Any) -> Tensor:
    """What the float operator gives: `opset` is that of the model unless it is given."""
    row = find(op, opset or b.opset)
    assert row is not None
    return cast(Tensor, row.function(b, *operands, **how))


def _bias(b: Builder, bias: Tensor, x_scale: Tensor, w_scale: Tensor) -> Tensor:
    """int32 in units of s_x s_w."""
    scales = b.value(x_scale, "a scale") * b.value(w_scale, "a scale")
    return DequantizeLinear(b, bias, b.constant(scales.astype(np.float32)), axis=0)


@onnx_operator(10)
def QLinearConv(
    b: Builder,
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor,
    w: Tensor,
    w_scale: Tensor,
    w_zero_point: Tensor,
    y_scale: Tensor,
    y_zero_point: Tensor,
    bias: Tensor | None = None,
    *,
    auto_pad: str = "NOTSET",
    dilations: Ints | None = None,
    group: int = 1,
    kernel_shape: Ints | None = None,
    pads: Ints | None = None,
    strides: Ints | None = None,
) -> Tensor:
    """As Conv between 8-bit tensors; one scale of the weights, or one per output channel."""
    y = _float(
        b,
        "Conv",
        _real(b, x, x_scale, x_zero_point),
        _real(b, w, w_scale, w_zero_point, axis=0),
        None if bias is None else _bias(b, bias, x_scale, w_scale),
        auto_pad=auto_pad,
        dilations=dilations,
        group=group,
        kernel_shape=kernel_shape,
        pads=pads,
        strides=strides,
    )
    return _codes(b, y, y_scale, y_zero_point)


@onnx_operator(10)
def QLinearMatMul(
    b: Builder,
    a: Tensor,
    a_scale: Tensor,
    a_zero_point: Tensor,
    w: Tensor,
    w_scale: Tensor,
    w_zero_point: Tensor,
    y_scale: Tensor,
    y_zero_point: Tensor,
) -> Tensor:
    """As MatMul between 8-bit tensors; one scale of the right operand, or one per column."""
    left = _real(b, a, a_scale, a_zero_point)
    right = _real(b, w, w_scale, w_zero_point, axis=len(w.shape) - 1)
    return _codes(b, _float(b, "MatMul", left, right), y_scale, y_zero_point)


@onnx_operator(7, domain=MICROSOFT)
def QGemm(
    b: Builder,
    a: Tensor,
    a_scale: Tensor,
    a_zero_point: Tensor,
    w: Tensor,
    w_scale: Tensor,
    w_zero_point: Tensor,
    c: Tensor | None = None,
    y_scale: Tensor | None = None,
    y_zero_point: Tensor | None = None,
    *,
    alpha: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Tensor:
    """As Gemm between 8-bit tensors, float32 where there is no scale of the result."""
    y = _float(
        b,
        "Gemm",
        _real(b, a, a_scale, a_zero_point),
        _real(b, w, w_scale, w_zero_point, axis=0 if transB else 1),
        None if c is None else _bias(b, c, a_scale, w_scale),
        alpha=alpha,
        transA=transA,
        transB=transB,
    )
    return y if y_scale is None else _codes(b, y, y_scale, y_zero_point)


def _binary(b: Builder, op: str, operands: tuple[Tensor, ...]) -> Tensor:
    x, x_scale, x_zero_point, y, y_scale, y_zero_point, z_scale, z_zero_point = operands
    left, right = _real(b, x, x_scale, x_zero_point), _real(b, y, y_scale, y_zero_point)
    z = b.emit(op, [left, right], broadcast(x.shape, y.shape))
    return _codes(b, z, z_scale, z_zero_point)


@onnx_operator(7, domain=MICROSOFT)
def QLinearAdd(
    b: Builder,
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor,
    y: Tensor,
    y_scale: Tensor,
    y_zero_point: Tensor,
    z_scale: Tensor,
    z_zero_point: Tensor,
) -> Tensor:
    """8-bit operands that broadcast."""
    operands = (x, x_scale, x_zero_point, y, y_scale, y_zero_point, z_scale, z_zero_point)
    return _binary(b, "Add", operands)


@onnx_operator(7, domain=MICROSOFT)
def QLinearMul(
    b: Builder,
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor,
    y: Tensor,
    y_scale: Tensor,
    y_zero_point: Tensor,
    z_scale: Tensor,
    z_zero_point: Tensor,
) -> Tensor:
    """8-bit operands that broadcast."""
    operands = (x, x_scale, x_zero_point, y, y_scale, y_zero_point, z_scale, z_zero_point)
    return _binary(b, "Mul", operands)


@onnx_operator(7, domain=MICROSOFT)
def QLinearConcat(
    b: Builder, y_scale: Tensor, y_zero_point: Tensor, *operands: Tensor, axis: int
) -> Tensor:
    """Any axis; each 8-bit operand is followed by its scale and zero point."""
    if not operands or len(operands) % 3:
        b.invalid(f"has {len(operands)} operands behind the scale of the result")
    triples = zip(operands[::3], operands[1::3], operands[2::3], strict=True)
    y = _float(b, "Concat", *(_real(b, *triple) for triple in triples), axis=axis)
    return _codes(b, y, y_scale, y_zero_point)


@onnx_operator(7, domain=MICROSOFT)
def QLinearAveragePool(
    b: Builder,
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor | None,
    y_scale: Tensor,
    y_zero_point: Tensor | None = None,
    *,
    kernel_shape: Ints,
    auto_pad: str = "NOTSET",
    ceil_mode: int = 0,
    channels_last: int = 0,
    count_include_pad: int = 0,
    pads: Ints | None = None,
    strides: Ints | None = None,
) -> Tensor:
    """As AveragePool of an 8-bit tensor; channels_last 0."""
    _require_channels_first(b, channels_last)
    y = _float(
        b,
        "AveragePool",
        _real(b, x, x_scale, x_zero_point),
        kernel_shape=kernel_shape,
        auto_pad=auto_pad,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        pads=pads,
        strides=strides,
    )
    return _codes(b, y, y_scale, y_zero_point)


@onnx_operator(7, domain=MICROSOFT)
def QLinearGlobalAveragePool(
    b: Builder,
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor,
    y_scale: Tensor,
    y_zero_point: Tensor,
    *,
    channels_last: int = 0,
) -> Tensor:
    """As GlobalAveragePool of an 8-bit tensor; channels_last 0."""
    _require_channels_first(b, channels_last)
    y = _float(b, "GlobalAveragePool", _real(b, x, x_scale, x_zero_point))
    return _codes(b, y, y_scale, y_zero_point)


def _require_channels_first(b: Builder, channels_last: int) -> None:
    if channels_last:
        b.refuse("channels_last is set", "[N, C, H, W]")


@onnx_operator(7, domain=MICROSOFT)
def QLinearReduceMean(
    b: Builder,
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor | None,
    y_scale: Tensor,
    y_zero_point: Tensor | None = None,
    *,
    axes: Ints,
    keepdims: int,
) -> Tensor:
    """As ReduceMean of an 8-bit tensor."""
    real = _real(b, x, x_scale, x_zero_point)
    y = _float(b, "ReduceMean", real, opset=13, axes=axes, keepdims=keepdims)
    return _codes(b, y, y_scale, y_zero_point)


@onnx_operator(7, domain=MICROSOFT)
def QLinearSigmoid(
    b: Builder,
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor | None,
    y_scale: Tensor,
    y_zero_point: Tensor | None = None,
) -> Tensor:
    """An 8-bit tensor."""
    real = _real(b, x, x_scale, x_zero_point)
    return _codes(b, b.emit("Sigmoid", [real], x.shape), y_scale, y_zero_point)


@onnx_operator(7, domain=MICROSOFT)
def QLinearLeakyRelu(
    b: Builder,
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor | None,
    y_scale: Tensor,
    y_zero_point: Tensor | None = None,
    *,
    alpha: float = 0.01,
) -> Tensor:
    """An 8-bit tensor."""
    real = _real(b, x, x_scale, x_zero_point)
    return _codes(b, b.emit("LeakyRelu", [real], x.shape, alpha=alpha), y_scale, y_zero_point)


@onnx_operator(7, domain=MICROSOFT)
def QLinearSoftmax(
    b: Builder,
    x: Tensor,
    x_scale: Tensor,
    x_zero_point: Tensor | None,
    y_scale: Tensor,
    y_zero_point: Tensor,
    *,
    axis: int = -1,
    opset: int,
) -> Tensor:
    """An 8-bit tensor; the meaning of axis is that of Softmax at `opset`."""
    real = _real(b, x, x_scale, x_zero_point)
    y = _float(b, "Softmax", real, opset=opset, axis=axis)
    return _codes(b, y, y_scale, y_zero_point)
