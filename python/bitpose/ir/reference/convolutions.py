# SPDX-License-Identifier: Apache-2.0
"""Convolutions of 8- and 16-bit codes, which give codes or floats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Tensor
from bitpose.ir.reference.operand import Array, Operand, clamped, operator
from bitpose.ir.reference.quantized import requantize, wrap
from bitpose.ir.reference.windows import TransposedWindow, Window


def rescale(acc: Array, multiplier: Array, fmin: float, fmax: float) -> Array:
    """The twin of `rescale` in kernels/base/requantize.h: float(acc) * multiplier, clamped."""
    with np.errstate(over="ignore"):
        return clamped(acc.astype(np.float32) * multiplier, fmin, fmax)


@operator
def conv2d_qs8(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    multiplier: Operand,
    *,
    qmin: int,
    qmax: int,
    **geometry: int,
) -> Array:
    """acc(o) = bias(o) + sum over taps and k of (x - zx) * (w - zw), modulo 2^32; requantized.

    k runs over the channels of the group of o. Padding contributes 0.
    """
    acc = _conv_sums(y, x, weights, bias, geometry)
    return requantize(acc, multiplier.data, y, qmin, qmax)


@operator
def conv2d_qs8_f32(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    multiplier: Operand,
    *,
    fmin: float,
    fmax: float,
    **geometry: int,
) -> Array:
    """The same sums, rescaled to floats."""
    acc = _conv_sums(y, x, weights, bias, geometry)
    return rescale(acc, multiplier.data, fmin, fmax)


def _conv_sums(
    y: Tensor, x: Operand, weights: Operand, bias: Operand, geometry: dict[str, int]
) -> NDArray[np.int32]:
    outputs, kernel_h, kernel_w, channels = weights.data.shape
    window = Window(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    filters = weights.centred().astype(np.float64).reshape(outputs, -1, channels)
    taps = list(window.taps(window.padded(x.centred().astype(np.float64), 0), y.shape))
    return wrap(_products(taps, filters, y.shape) + bias.data)


@operator
def conv2d_qs16(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    multiplier: Operand,
    *,
    qmin: int,
    qmax: int,
    **geometry: int,
) -> Array:
    """The same with exact sums, which are rounded to float32 once: they may leave int32."""
    outputs, kernel_h, kernel_w, channels = weights.data.shape
    window = Window(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    filters = weights.data.astype(np.float64).reshape(outputs, -1, channels)
    taps = list(window.taps(window.padded(x.data.astype(np.float64), 0), y.shape))
    acc = _products(taps, filters, y.shape) + bias.data
    return requantize(acc, multiplier.data, y, qmin, qmax)


@operator
def dwconv2d_qs16(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    multiplier: Operand,
    *,
    qmin: int,
    qmax: int,
    **geometry: int,
) -> Array:
    """acc(c) = bias(c) + sum over taps of x(c) * w(c), which fits int32; requantized."""
    kernel_h, kernel_w, channels = weights.data.shape
    window = Window(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    w = weights.data.astype(np.int32).reshape(-1, channels)
    acc = np.broadcast_to(bias.data, y.shape).astype(np.int32)
    for t, tap in enumerate(window.taps(window.padded(x.data.astype(np.int32), 0), y.shape)):
        acc += tap * w[t]
    return requantize(acc, multiplier.data, y, qmin, qmax)


@operator
def deconv2d_qs8(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    multiplier: Operand,
    *,
    qmin: int,
    qmax: int,
    **geometry: int,
) -> Array:
    """The same over the taps of each output's phase."""
    acc = _deconv_sums(y, x, weights, bias, geometry)
    return requantize(acc, multiplier.data, y, qmin, qmax)


@operator
def deconv2d_qs8_f32(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    multiplier: Operand,
    *,
    fmin: float,
    fmax: float,
    **geometry: int,
) -> Array:
    """The same sums, rescaled to floats."""
    acc = _deconv_sums(y, x, weights, bias, geometry)
    return rescale(acc, multiplier.data, fmin, fmax)


def _deconv_sums(
    y: Tensor, x: Operand, weights: Operand, bias: Operand, geometry: dict[str, int]
) -> NDArray[np.int32]:
    outputs, kernel_h, kernel_w, channels = weights.data.shape
    window = TransposedWindow(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    filters = weights.centred().astype(np.float64).reshape(outputs, -1, channels)
    acc = np.zeros(y.shape, np.float64)
    for phase in window.phases(x.centred().astype(np.float64), y.shape, 0):
        part = acc[:, phase.rows, phase.columns]
        part[...] = _products(phase.pixels, filters[:, phase.taps], part.shape)
    return wrap(acc + bias.data)


@operator
def dwdeconv2d_qs8(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    multiplier: Operand,
    *,
    qmin: int,
    qmax: int,
    **geometry: int,
) -> Array:
    """acc(c) = bias(c) + sum of (x(c) - zx) * (w(c) - zw) over the taps of each output's phase."""
    kernel_h, kernel_w, channels = weights.data.shape
    window = TransposedWindow(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    w = weights.centred().reshape(-1, channels)
    acc = np.broadcast_to(bias.data, y.shape).astype(np.int32)
    for phase in window.phases(x.centred(), y.shape, 0):
        for tap, pixels in zip(phase.taps, phase.pixels, strict=True):
            acc[:, phase.rows, phase.columns] += pixels * w[tap]
    return requantize(acc, multiplier.data, y, qmin, qmax)


def _products(taps: list[Array], filters: Array, shape: tuple[int, ...]) -> Array:
    """The sums of tap(k) * filters(o, tap, k), `taps` of [N, OH, OW, C].

    They are integers below 2^53 and float64 holds them exactly, in whatever order the matrix
    product adds.
    """
    outputs, _, channels = filters.shape
    acc = np.zeros(shape, np.float64)
    for t, tap in enumerate(taps):
        groups = tap.shape[-1] // channels
        a = tap.reshape(*shape[:3], groups, 1, channels)
        w = filters[:, t].reshape(groups, outputs // groups, channels).swapaxes(1, 2)
        acc += (a @ w).reshape(shape)
    return acc


@operator
def dwconv2d_qs8(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    multiplier: Operand,
    *,
    qmin: int,
    qmax: int,
    **geometry: int,
) -> Array:
    """acc(c) = bias(c) + sum over taps of (x(c) - zx) * (w(c) - zw), modulo 2^32; requantized."""
    acc = _dwconv_sums(y, x, weights, bias, geometry)
    return requantize(acc, multiplier.data, y, qmin, qmax)


@operator
def dwconv2d_qs8_f32(
    y: Tensor,
    x: Operand,
    weights: Operand,
    bias: Operand,
    multiplier: Operand,
    *,
    fmin: float,
    fmax: float,
    **geometry: int,
) -> Array:
    """The same sums, rescaled to floats."""
    acc = _dwconv_sums(y, x, weights, bias, geometry)
    return rescale(acc, multiplier.data, fmin, fmax)


def _dwconv_sums(
    y: Tensor, x: Operand, weights: Operand, bias: Operand, geometry: dict[str, int]
) -> NDArray[np.int32]:
    kernel_h, kernel_w, channels = weights.data.shape
    window = Window(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    w = weights.centred().reshape(-1, channels)
    acc = np.broadcast_to(bias.data, y.shape).astype(np.int32)
    for t, tap in enumerate(window.taps(window.padded(x.centred(), 0), y.shape)):
        acc += tap * w[t]
    return acc
