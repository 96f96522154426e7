# SPDX-License-Identifier: Apache-2.0
"""Operators whose result is an 8- or 16-bit tensor of codes, but for the convolutions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Tensor
from bitpose.ir.reference.operand import Array, Operand, operator, scale, zero_point
from bitpose.ir.reference.windows import Window, resize_line


def requantize(acc: Array, multiplier: Array | float, y: Tensor, qmin: int, qmax: int) -> Array:
    """The twin of kernels/base/requantize.h.

    x = float(acc) * multiplier;  x = min(max(x, qmin - zp), qmax - zp);  q = int(rint(x)) + zp
    """
    with np.errstate(over="ignore"):
        return rounded(acc.astype(np.float32) * np.float32(multiplier), y, qmin, qmax)


def rounded(x: Array, y: Tensor, qmin: int, qmax: int) -> Array:
    """Clamps first, in float; a NaN becomes qmin."""
    zp = zero_point(y)
    low, high = np.float32(qmin - zp), np.float32(qmax - zp)
    x = np.where(x > low, x, low)
    x = np.where(x < high, x, high)
    return (np.rint(x).astype(np.int32) + np.int32(zp)).astype(y.dtype)


def wrap(acc: Array) -> NDArray[np.int32]:
    """Integers modulo 2^32, as int32."""
    return acc.astype(np.int64).astype(np.int32)


@operator
def add_qs8(
    y: Tensor,
    a: Operand,
    b: Operand,
    *,
    a_multiplier: int,
    b_multiplier: int,
    bias: int,
    multiplier: float,
    qmin: int,
    qmax: int,
) -> Array:
    """acc = a * a_multiplier + b * b_multiplier + bias, requantized. A negative one subtracts."""
    acc = a.data.astype(np.int64) * a_multiplier + b.data.astype(np.int64) * b_multiplier + bias
    return requantize(wrap(acc), multiplier, y, qmin, qmax)


@operator
def mul_qs8(y: Tensor, a: Operand, b: Operand, *, multiplier: float, qmin: int, qmax: int) -> Array:
    """acc = (a - za) * (b - zb), requantized."""
    return requantize(a.centred() * b.centred(), multiplier, y, qmin, qmax)


@operator
def lut_x8(y: Tensor, x: Operand, table: Operand) -> Array:
    """table(x), where a signed code q stands at index q & 255. Bytes are just moved."""
    codes = np.ascontiguousarray(x.data).view(np.uint8)
    return table.data.view(np.uint8)[codes].view(y.dtype)


@operator
def avgpool2d_qs8(
    y: Tensor,
    x: Operand,
    *,
    count_include_pad: int,
    multiplier: float,
    qmin: int,
    qmax: int,
    **geometry: int,
) -> Array:
    """acc = sum of (x - zx) over the window, requantized by multiplier / taps counted."""
    window = Window(**geometry)
    acc = np.zeros(y.shape, np.int32)
    for tap in window.taps(window.padded(x.centred(), 0), y.shape):
        acc += tap
    count = window.counts(x.data, y.shape, bool(count_include_pad))
    return requantize(acc, np.float32(multiplier) / count, y, qmin, qmax)


@operator
def maxpool2d_s8(
    y: Tensor,
    x: Operand,
    **geometry: int,
) -> Array:
    """The largest code under the window; padding never wins."""
    window = Window(**geometry)
    acc = np.full(y.shape, -128, np.int8)
    for tap in window.taps(window.padded(x.data, -128), y.shape):
        acc = np.maximum(acc, tap)
    return acc


@operator
def resize2d_qs8(
    y: Tensor,
    x: Operand,
    *,
    output_h: int,
    output_w: int,
    scale_h: float,
    scale_w: float,
    coordinate_mode: int,
    qmin: int,
    qmax: int,
) -> Array:
    """sum of wx * wy * float(x - zx) * s_x over the four neighbours, then as quantize_f32_qs8.

    Each product and sum rounds to float32, in onnxruntime's order: left before right, the row above
    before the one below.
    """
    _, height, width, _ = x.data.shape
    rows = resize_line(height, output_h, scale_h, coordinate_mode)
    columns = resize_line(width, output_w, scale_w, coordinate_mode)
    left, right = (w[:, None] for w in columns.weights())
    above, below = (w[:, None, None] for w in rows.weights())
    with np.errstate(all="ignore"):
        real = x.centred().astype(np.float32) * x.scale
        top, bottom = real[:, rows.low], real[:, rows.high]
        acc = (left * above) * top[:, :, columns.low]
        acc += (right * above) * top[:, :, columns.high]
        acc += (left * below) * bottom[:, :, columns.low]
        acc += (right * below) * bottom[:, :, columns.high]
        return rounded(acc / scale(y), y, qmin, qmax)


@operator
def quantize_f32_qs8(y: Tensor, x: Operand, *, qmin: int, qmax: int) -> Array:
    """q = rint(clamp(x / scale)) + zp with an IEEE division; NaN becomes qmin."""
    with np.errstate(all="ignore"):
        return rounded(x.data / scale(y), y, qmin, qmax)


@operator
def quantize_f32_qs16(y: Tensor, x: Operand, *, qmin: int, qmax: int) -> Array:
    """As quantize_f32_qs8."""
    return quantize_f32_qs8(y, x, qmin=qmin, qmax=qmax)
