# SPDX-License-Identifier: Apache-2.0
"""Products of matrices, and convolutions, that are computed at run time."""

from __future__ import annotations

import numpy as np

from bitpose.ir.fma import fma
from bitpose.ir.graph import Tensor
from bitpose.ir.reference.operand import Array, Operand, operator
from bitpose.ir.reference.quantized import requantize, wrap
from bitpose.ir.reference.windows import Window


def _columns(b: Array, transpose_b: int) -> Array:
    return b.swapaxes(-1, -2) if transpose_b else b


@operator
def matmul_f32(y: Tensor, a: Operand, b: Operand, *, transpose_b: int) -> Array:
    """acc(m, n) = 0, then acc = fma(a(m, k), b(k, n), acc) over k in order."""
    right = _columns(b.data, transpose_b)
    acc = np.zeros(y.shape, np.float32)
    for k in range(a.data.shape[-1]):
        acc = fma(a.data[..., :, k, None], right[..., k, None, :], acc)
    return acc


@operator
def matmul_qs8(
    y: Tensor,
    a: Operand,
    b: Operand,
    *,
    transpose_b: int,
    multiplier: float,
    qmin: int,
    qmax: int,
) -> Array:
    """acc = sum over k of (a - za) * (b - zb), modulo 2^32; requantized.

    The sums are integers below 2^53 and float64 holds them exactly.
    """
    right = _columns(b.centred(), transpose_b).astype(np.float64)
    acc = a.centred().astype(np.float64) @ right
    return requantize(wrap(acc), multiplier, y, qmin, qmax)


@operator
def matmul_s32(y: Tensor, a: Operand, b: Operand, *, transpose_b: int) -> Array:
    """The sum over k of a * b, modulo 2^32."""
    right = _columns(b.data, transpose_b).astype(np.uint32)
    return (a.data.astype(np.uint32) @ right).astype(np.int32)


@operator
def conv2d_s32(y: Tensor, x: Operand, weights: Operand, **geometry: int) -> Array:
    """The sum over taps and k of x * w, modulo 2^32; k runs over the channels of the group of o."""
    outputs, kernel_h, kernel_w, channels = weights.data.shape
    window = Window(kernel_h=kernel_h, kernel_w=kernel_w, **geometry)
    filters = weights.data.astype(np.uint32).reshape(outputs, -1, channels)
    acc = np.zeros(y.shape, np.uint32)
    groups = x.data.shape[3] // channels
    for t, tap in enumerate(window.taps(window.padded(x.data, 0), y.shape)):
        pixels = tap.astype(np.uint32).reshape(*y.shape[:3], groups, 1, channels)
        w = filters[:, t].reshape(groups, outputs // groups, channels).swapaxes(1, 2)
        acc += (pixels @ w).reshape(y.shape)
    return acc.astype(np.int32)
