# SPDX-License-Identifier: Apache-2.0
"""Normalisations, as reductions and elementwise operators."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.shapes import broadcast
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops.reduction import reduce
from bitpose.onnx.registry import onnx_operator


def _binary(b: Builder, op: str, x: Tensor, y: Tensor | float) -> Tensor:
    other = y if isinstance(y, Tensor) else b.constant(np.array(y, np.float32))
    return b.emit(op, [x, other], broadcast(x.shape, other.shape))


def _unary(b: Builder, op: str, x: Tensor) -> Tensor:
    return b.emit(op, [x], x.shape)


def _mean(b: Builder, x: Tensor, axes: Sequence[int]) -> Tensor:
    return reduce(b, "Mean", x, axes)


def _mean_square(b: Builder, x: Tensor, axes: Sequence[int]) -> Tensor:
    count = math.prod(x.shape[axis] for axis in axes)
    return _binary(b, "Div", reduce(b, "SumSquare", x, axes), float(count))


def _inverse_root(b: Builder, variance: Tensor, epsilon: float) -> Tensor:
    """1 / sqrt(variance + epsilon)."""
    return _unary(b, "Reciprocal", _unary(b, "Sqrt", _binary(b, "Add", variance, epsilon)))


def _scaled(b: Builder, x: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
    y = _binary(b, "Mul", x, scale)
    return y if bias is None else _binary(b, "Add", y, bias)


def _per_channel(b: Builder, x: Tensor, rank: int) -> Tensor:
    """[C] as it meets [N, C, ...]."""
    return b.reshape(x, (x.elements, *[1] * (rank - 2)))


@onnx_operator(17)
def LayerNormalization(
    b: Builder,
    x: Tensor,
    scale: Tensor,
    bias: Tensor | None = None,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
    stash_type: int = 1,
) -> list[Tensor]:
    """float32, with Mean and InvStdDev."""
    b.require_dtype(x, "the operand", "float32")
    axes = range(b.axis(axis, len(x.shape)), len(x.shape))
    mean = _mean(b, x, axes)
    centred = _binary(b, "Sub", x, mean)
    inverse = _inverse_root(b, _mean_square(b, centred, axes), epsilon)
    return [_scaled(b, _binary(b, "Mul", centred, inverse), scale, bias), mean, inverse]


@onnx_operator(23)
def RMSNormalization(
    b: Builder,
    x: Tensor,
    scale: Tensor,
    *,
    axis: int = -1,
    epsilon: float = 1e-5,
    stash_type: int = 1,
) -> Tensor:
    """float32."""
    b.require_dtype(x, "the operand", "float32")
    axes = range(b.axis(axis, len(x.shape)), len(x.shape))
    inverse = _inverse_root(b, _mean_square(b, x, axes), epsilon)
    return _binary(b, "Mul", _binary(b, "Mul", x, inverse), scale)


@onnx_operator(7)
def InstanceNormalization(
    b: Builder, x: Tensor, scale: Tensor, bias: Tensor, *, epsilon: float = 1e-5
) -> Tensor:
    """float32."""
    b.require_dtype(x, "the operand", "float32")
    rank = len(x.shape)
    if rank < 3:
        b.invalid(f"the operand has shape {list(x.shape)}")
    axes = range(2, rank)
    centred = _binary(b, "Sub", x, _mean(b, x, axes))
    inverse = _inverse_root(b, _mean_square(b, centred, axes), epsilon)
    factor = _binary(b, "Mul", inverse, _per_channel(b, scale, rank))
    return _scaled(b, centred, factor, _per_channel(b, bias, rank))


def _of_groups(b: Builder, x: Tensor, groups: int) -> Tensor:
    """[N, C, 1...]: the mean of x over each group of channels, at each of its channels.

    Channels are averaged first and groups afterwards, so that pictures need not leave their layout.
    """
    batch, channels, *spatial = x.shape
    each = _mean(b, x, range(2, len(x.shape))) if spatial else x
    members = b.reshape(each, (batch, groups, channels // groups))
    mean = _mean(b, members, [2])
    spread = b.engine("expand", [mean], mean.dtype, members.shape)
    return b.reshape(spread, (batch, channels, *[1] * len(spatial)))


def _group_normalized(b: Builder, x: Tensor, groups: int, epsilon: float) -> Tensor:
    b.require_dtype(x, "the operand", "float32")
    if len(x.shape) < 2 or groups < 1 or x.shape[1] % groups:
        b.invalid(f"{groups} groups of shape {list(x.shape)}")
    centred = _binary(b, "Sub", x, _of_groups(b, x, groups))
    variance = _of_groups(b, _binary(b, "Mul", centred, centred), groups)
    return _binary(b, "Mul", centred, _inverse_root(b, variance, epsilon))


@onnx_operator(18, 20)
def GroupNormalization_18(
    b: Builder, x: Tensor, scale: Tensor, bias: Tensor, *, num_groups: int, epsilon: float = 1e-5
) -> Tensor:
    """float32."""
    members = x.shape[1] // max(1, num_groups)
    factors = [
        b.engine("expand", [b.reshape(v, (num_groups, 1))], v.dtype, (num_groups, members))
        for v in (scale, bias)
    ]
    y = _group_normalized(b, x, num_groups, epsilon)
    return _scaled(b, y, *(_per_channel(b, v, len(x.shape)) for v in factors))


@onnx_operator(21)
def GroupNormalization_21(
    b: Builder,
    x: Tensor,
    scale: Tensor,
    bias: Tensor,
    *,
    num_groups: int,
    epsilon: float = 1e-5,
    stash_type: int = 1,
) -> Tensor:
    """float32."""
    y = _group_normalized(b, x, num_groups, epsilon)
    return _scaled(b, y, *(_per_channel(b, v, len(x.shape)) for v in (scale, bias)))


@onnx_operator(9)
def MeanVarianceNormalization(b: Builder, x: Tensor, *, axes: Ints = (0, 2, 3)) -> Tensor:
    """float32."""
    b.require_dtype(x, "the operand", "float32")
    chosen = sorted({b.axis(axis, len(x.shape)) for axis in axes})
    centred = _binary(b, "Sub", x, _mean(b, x, chosen))
    deviation = _unary(b, "Sqrt", _mean_square(b, centred, chosen))
    return _binary(b, "Div", centred, _binary(b, "Add", deviation, 1e-9))


@onnx_operator(7)
def LpNormalization(b: Builder, x: Tensor, *, axis: int = -1, p: int = 2) -> Tensor:
    """float32, p 1 or 2."""
    b.require_dtype(x, "the operand", "float32")
    if p not in (1, 2):
        b.invalid(f"p is {p}")
    norm = reduce(b, f"L{p}", x, [b.axis(axis, len(x.shape))])
    tiny = float(np.finfo(np.float32).tiny)  # 0 / 0 is 0.
    return _binary(b, "Div", x, _binary(b, "Max", norm, tiny))


@onnx_operator(7)
def LRN(
    b: Builder, x: Tensor, *, size: int, alpha: float = 1e-4, beta: float = 0.75, bias: float = 1.0
) -> Tensor:
    """float32."""
    b.require_dtype(x, "the operand", "float32")
    if len(x.shape) < 2 or size < 1:
        b.invalid(f"size {size} of shape {list(x.shape)}")
    channels = x.shape[1]
    # The sum over a window of channels; what it lacks at the ends weighs nothing.
    window = np.arange(channels)[:, None] + np.arange(size) - (size - 1) // 2
    inside = (window >= 0) & (window < channels)
    k = b.constant(np.where(inside, window, 0).astype(np.int32))
    w = b.constant(np.where(inside, alpha / size, 0.0).astype(np.float32))
    square = _binary(b, "Mul", x, x)
    total = b.engine("resample_f32", [square, k, w], axis=1)
    return _binary(b, "Div", x, _binary(b, "Pow", _binary(b, "Add", total, bias), beta))
