# SPDX-License-Identifier: Apache-2.0
"""Operators on float32."""

from __future__ import annotations

import numpy as np

from bitpose.ir.fma import fma
from bitpose.ir.graph import Tensor
from bitpose.ir.reference.math import exp_f32
from bitpose.ir.reference.operand import Array, Operand, operator
from bitpose.ir.reference.reducing import in_lanes
from bitpose.ir.reference.windows import Window, resize_line

#: Elements per step of a float convolution, so that its temporaries stay in cache.
_BLOCK = 8192


@operator
def conv2d_f32(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    *,
    fmin: float,
    fmax: float,
    **geometry: int,
) -> Array:
    """acc(o) = bias(o), then acc = fma(x, w, acc) over ky, kx, k in this order; clamped.

    Padding is multiplied as 0.0.
    """
    outputs, kernel_h, kernel_w, channels = weights.data.shape
    window = Window(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    taps = [tap.reshape(-1, channels) for tap in window.taps(window.padded(x.data, 0.0), y.shape)]
    w = np.ascontiguousarray(weights.data.transpose(1, 2, 3, 0)).reshape(-1, channels, outputs)
    pixels = len(taps[0])
    result = np.empty((pixels, outputs), np.float32)
    rows = max(1, _BLOCK // outputs)
    for first in range(0, pixels, rows):
        block = slice(first, min(first + rows, pixels))
        acc = np.broadcast_to(bias.data, result[block].shape)
        for tap, tap_weights in zip(taps, w, strict=True):
            for k in range(channels):
                acc = fma(tap[block, k, None], tap_weights[k], acc)
        result[block] = acc
    return _clamp(result, fmin, fmax).reshape(y.shape)


@operator
def dwconv2d_f32(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    *,
    fmin: float,
    fmax: float,
    **geometry: int,
) -> Array:
    """acc(c) = bias(c), then acc = fma(x(c), w(c), acc) over ky, kx in this order; clamped."""
    kernel_h, kernel_w, channels = weights.data.shape
    window = Window(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    w = weights.data.reshape(-1, channels)
    acc = np.broadcast_to(bias.data, y.shape)
    for t, tap in enumerate(window.taps(window.padded(x.data, 0.0), y.shape)):
        acc = fma(tap, w[t], acc)
    return _clamp(acc, fmin, fmax)


def _clamp(acc: Array, fmin: float, fmax: float) -> Array:
    """NaN stays NaN, -0 stays -0."""
    low, high = np.float32(fmin), np.float32(fmax)
    acc = np.where(acc < low, low, acc)
    return np.where(acc > high, high, acc)


@operator
def maxpool2d_f32(
    y: Tensor,
    x: Operand,
    **geometry: int,
) -> Array:
    """acc = first tap on the picture, then acc = x > acc ? x : acc over the others in order."""
    window = Window(**geometry)
    acc = np.zeros(y.shape, np.float32)
    started = np.zeros((1, *y.shape[1:3], 1), bool)
    taps = window.taps(window.padded(x.data, 0.0), y.shape)
    for tap, valid in zip(taps, window.valid_taps(x.data, y.shape), strict=True):
        acc = np.where(valid & (~started | (tap > acc)), tap, acc)
        started = started | valid
    return acc


@operator
def avgpool2d_f32(
    y: Tensor,
    x: Operand,
    *,
    count_include_pad: int,
    **geometry: int,
) -> Array:
    """acc = 0 + taps in order (padding adds 0), divided by the number of taps counted."""
    window = Window(**geometry)
    acc = np.zeros(y.shape, np.float32)
    count = window.counts(x.data, y.shape, bool(count_include_pad))
    with np.errstate(all="ignore"):
        for tap in window.taps(window.padded(x.data, 0.0), y.shape):
            acc = acc + tap
        return acc / count


@operator
def resize2d_f32(
    y: Tensor,
    x: Operand,
    *,
    output_h: int,
    output_w: int,
    scale_h: float,
    scale_w: float,
    coordinate_mode: int,
) -> Array:
    """top = fma(fx, x01 - x00, x00); bottom likewise; y = fma(fy, bottom - top, top)."""
    _, height, width, _ = x.data.shape
    rows = resize_line(height, output_h, scale_h, coordinate_mode)
    columns = resize_line(width, output_w, scale_w, coordinate_mode)
    left, right = x.data[:, :, columns.low], x.data[:, :, columns.high]
    fx, fy = columns.fraction[:, None], rows.fraction[:, None, None]
    with np.errstate(all="ignore"):
        line = fma(fx, right - left, left)
        top, bottom = line[:, rows.low], line[:, rows.high]
        return fma(fy, bottom - top, top)


@operator
def dequantize_qs8_f32(y: Tensor, x: Operand) -> Array:
    """float(q - zp) * scale."""
    return x.centred().astype(np.float32) * x.scale


@operator
def softmax_f32(y: Tensor, x: Operand) -> Array:
    """Over the last axis: e_i = exp(x_i - max); y_i = e_i / sum.

    The sum has 16 lanes, lane l adding e_l, e_l+16, ... in order, then folds them in halves: lane l
    takes lane l + 8, then l + 4, l + 2, l + 1.
    """
    with np.errstate(all="ignore"):
        e = exp_f32(x.data - x.data.max(axis=-1, keepdims=True))
        return e / in_lanes(e)[..., None]
