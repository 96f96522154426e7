# SPDX-License-Identifier: Apache-2.0
"""Operators on float32."""

from __future__ import annotations

import numpy as np

from bitpose.ir.fma import fma
from bitpose.ir.graph import Tensor
from bitpose.ir.reference.math import exp_f32
from bitpose.ir.reference.operand import Array, Operand, clamped, operator
from bitpose.ir.reference.reducing import in_lanes
from bitpose.ir.reference.windows import TransposedWindow, Window, resize_line

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

    k runs over the channels of the group of o. Padding is multiplied as 0.0.
    """
    outputs, kernel_h, kernel_w, channels = weights.data.shape
    window = Window(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    taps = list(window.taps(window.padded(x.data, 0.0), y.shape))
    filters = weights.data.astype(np.float32).reshape(outputs, -1, channels)
    return clamped(_products(taps, filters, bias.data, y.shape), fmin, fmax)


@operator
def deconv2d_f32(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    *,
    fmin: float,
    fmax: float,
    **geometry: int,
) -> Array:
    """The same over the taps of each output's phase, the last tap first; clamped."""
    outputs, kernel_h, kernel_w, channels = weights.data.shape
    window = TransposedWindow(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    filters = weights.data.astype(np.float32).reshape(outputs, -1, channels)
    result = np.empty(y.shape, np.float32)
    for phase in window.phases(x.data, y.shape, 0.0):
        part = result[:, phase.rows, phase.columns]
        part[...] = _products(phase.pixels, filters[:, phase.taps], bias.data, part.shape)
    return clamped(result, fmin, fmax)


@operator
def dwdeconv2d_f32(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    *,
    fmin: float,
    fmax: float,
    **geometry: int,
) -> Array:
    """acc(c) = bias(c), then acc = fma(x(c), w(c), acc) over the taps of each output's phase, the
    last tap first; clamped.
    """
    kernel_h, kernel_w, channels = weights.data.shape
    window = TransposedWindow(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    w = weights.data.astype(np.float32).reshape(-1, channels)
    result = np.empty(y.shape, np.float32)
    for phase in window.phases(x.data, y.shape, 0.0):
        part = result[:, phase.rows, phase.columns]
        acc = np.broadcast_to(bias.data, part.shape)
        for tap, pixels in zip(phase.taps, phase.pixels, strict=True):
            acc = fma(pixels, w[tap], acc)
        part[...] = acc
    return clamped(result, fmin, fmax)


def _products(taps: list[Array], filters: Array, bias: Array, shape: tuple[int, ...]) -> Array:
    """acc(o) = bias(o), then acc = fma(tap(k), filters(o, tap, k), acc) over taps and k in order.

    `taps` are [N, OH, OW, C], `filters` [O, taps, C / groups].
    """
    outputs, _, channels = filters.shape
    pixels = int(np.prod(shape[:3]))
    result = np.empty((pixels, outputs), np.float32)
    groups = taps[0].shape[-1] // channels if taps else 1
    for group in range(groups):
        columns = slice(group * outputs // groups, (group + 1) * outputs // groups)
        w = np.ascontiguousarray(filters[columns].transpose(1, 2, 0))
        rows = max(1, _BLOCK // w.shape[2])
        for first in range(0, pixels, rows):
            block = slice(first, min(first + rows, pixels))
            acc = np.broadcast_to(bias[columns], result[block, columns].shape)
            for tap, tap_weights in zip(taps, w, strict=True):
                part = tap.reshape(pixels, -1)[block]
                for k in range(channels):
                    acc = fma(part[:, group * channels + k, None], tap_weights[k], acc)
            result[block, columns] = acc
    return result.reshape(shape)


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
    w = weights.data.astype(np.float32).reshape(-1, channels)
    acc = np.broadcast_to(bias.data, y.shape)
    for t, tap in enumerate(window.taps(window.padded(x.data, 0.0), y.shape)):
        acc = fma(tap, w[t], acc)
    return clamped(acc, fmin, fmax)


@operator
def maxpool2d_f32(
    y: Tensor,
    x: Operand,
    **geometry: int,
) -> Array:
    """acc = first tap on the picture, then acc = x > acc ? x : acc over the others in order.

    The lowest number where no tap is on the picture.
    """
    window = Window(**geometry)
    acc = np.full(y.shape, np.finfo(np.float32).min, np.float32)
    started = np.zeros((1, *y.shape[1:3], 1), bool)
    taps = window.taps(window.padded(x.data, 0.0), y.shape)
    for tap, valid in zip(taps, window.valid_taps(x.data, y.shape), strict=True):
        acc = np.where(valid & (~started | (tap > acc)), tap, acc)
        started = started | valid
    return acc


@operator
def maxpool2d_indices(y: Tensor, x: Operand, *, column_major: int, **geometry: int) -> Array:
    """Where the element stands that maxpool2d takes: its index in [N,C,H,W], or [N,C,W,H].

    0 where no tap is on the picture.
    """
    n, height, width, channels = x.data.shape
    places = np.arange(x.data.size, dtype=np.int64)
    if column_major:
        indices = places.reshape(n, channels, width, height).transpose(0, 3, 2, 1)
    else:
        indices = places.reshape(n, channels, height, width).transpose(0, 2, 3, 1)
    window = Window(**geometry)
    acc, best = np.zeros(y.shape, x.data.dtype), np.zeros(y.shape, np.int64)
    started = np.zeros((1, *y.shape[1:3], 1), bool)
    taps = window.taps(window.padded(x.data, 0), y.shape)
    where = window.taps(window.padded(indices, 0), y.shape)
    for tap, index, valid in zip(taps, where, window.valid_taps(x.data, y.shape), strict=True):
        better = valid & (~started | (tap > acc))
        acc, best = np.where(better, tap, acc), np.where(better, index, best)
        started = started | valid
    return best


@operator
def avgpool2d_f32(
    y: Tensor,
    x: Operand,
    *,
    count_include_pad: int,
    **geometry: int,
) -> Array:
    """acc = 0 + taps in order (padding adds 0), divided by the number of taps counted, if any."""
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
def dequantize_qs16_f32(y: Tensor, x: Operand) -> Array:
    """float(q - zp) * scale."""
    return dequantize_qs8_f32(y, x)


@operator
def softmax_f32(y: Tensor, x: Operand) -> Array:
    """Over the last axis: e_i = exp(x_i - max); y_i = e_i / sum.

    The sum has 16 lanes, lane l adding e_l, e_l+16, ... in order, then folds them in halves: lane l
    takes lane l + 8, then l + 4, l + 2, l + 1.
    """
    with np.errstate(all="ignore"):
        e = exp_f32(x.data - x.data.max(axis=-1, keepdims=True))
        return e / in_lanes(e)[..., None]
