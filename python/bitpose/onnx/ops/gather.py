# SPDX-License-Identifier: Apache-2.0
"""Operators that read or write elements at indices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Tensor
from bitpose.ir.operators import SCATTER_REDUCTIONS
from bitpose.onnx.builder import Builder
from bitpose.onnx.registry import onnx_operator


def gather(b: Builder, x: Tensor, indices: NDArray[Any], axis: int) -> Tensor:
    """The elements of x at a row of known indices along an axis."""
    chosen = b.constant(np.asarray(indices, np.int32))
    return b.engine("gather", [x, chosen], x.dtype, axis=axis)


def _require_indices(b: Builder, indices: Tensor) -> None:
    b.require_dtype(indices, "indices", "int32", "int64")


@onnx_operator(7)
def Gather(b: Builder, x: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    """Any. Indices that are computed at run time, or of an axis that is, are clamped to it."""
    _require_indices(b, indices)
    axis = b.axis(axis, len(x.shape))
    shape = x.shape[:axis] + indices.shape + x.shape[axis + 1 :]
    if indices.data is None or axis in x.open_axes:
        row = indices if len(indices.shape) == 1 else b.reshape(indices, (indices.elements,))
        return _shaped(b, b.engine("gather", [x, row], x.dtype, axis=axis), shape)
    extent = x.shape[axis]
    chosen = indices.data.astype(np.int64)
    if np.any((chosen < -extent) | (chosen >= extent)):
        b.invalid(f"indices {chosen.ravel().tolist()} of axis {axis} of {list(x.shape)}")
    if x.data is not None:
        return b.constant(np.take(x.data, chosen, axis))
    if not chosen.size:
        return b.constant(np.zeros(shape, x.dtype))
    flat = chosen.ravel() % extent
    start, step = int(flat[0]), int(flat[1] - flat[0]) if len(flat) > 1 else 1
    if step == 0 or np.any(np.diff(flat) != step):
        return _shaped(b, gather(b, x, flat, axis), shape)
    attributes = {"axis": axis, "start": start, "length": len(flat), "step": step}
    extents = (*x.shape[:axis], len(flat), *x.shape[axis + 1 :])
    return _shaped(b, b.emit("Slice", [x], extents, x.dtype, **attributes), shape)


def _shaped(b: Builder, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    return x if x.shape == shape else b.reshape(x, shape)


@onnx_operator(11)
def GatherElements(b: Builder, x: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    """Any. Indices outside are clamped."""
    _require_indices(b, indices)
    axis = b.axis(axis, len(x.shape))
    return b.engine("gather_elements", [x, indices], x.dtype, axis=axis)


@onnx_operator(11)
def GatherND(b: Builder, x: Tensor, indices: Tensor, *, batch_dims: int = 0) -> Tensor:
    """Any. Indices outside are clamped."""
    _require_indices(b, indices)
    if batch_dims < 0:
        b.invalid(f"batch_dims is {batch_dims}")
    return b.engine("gather_nd", [x, indices], x.dtype, batch_dims=batch_dims)


def _reduction(b: Builder, x: Tensor, reduction: str) -> int:
    if reduction not in SCATTER_REDUCTIONS:
        b.invalid(f"reduction is {reduction!r}")
    if x.dtype == np.bool_ and reduction != "none":
        b.refuse(f"reduction {reduction!r} of bool", "reduction 'none'")
    return SCATTER_REDUCTIONS.index(reduction)


def _scatter_elements(
    b: Builder, x: Tensor, indices: Tensor, updates: Tensor, axis: int, reduction: str = "none"
) -> Tensor:
    _require_indices(b, indices)
    attributes = {"axis": b.axis(axis, len(x.shape)), "reduction": _reduction(b, x, reduction)}
    return b.engine("scatter_elements", [x, indices, updates], x.dtype, None, **attributes)


@onnx_operator(9, 10)
def Scatter(b: Builder, x: Tensor, indices: Tensor, updates: Tensor, *, axis: int = 0) -> Tensor:
    """Any. Indices outside are clamped."""
    return _scatter_elements(b, x, indices, updates, axis)


@onnx_operator(11)
def ScatterElements(
    b: Builder,
    x: Tensor,
    indices: Tensor,
    updates: Tensor,
    *,
    axis: int = 0,
    reduction: str = "none",
) -> Tensor:
    """Any. Indices outside are clamped; updates of one element are applied in order."""
    return _scatter_elements(b, x, indices, updates, axis, reduction)


@onnx_operator(11)
def ScatterND(
    b: Builder, x: Tensor, indices: Tensor, updates: Tensor, *, reduction: str = "none"
) -> Tensor:
    """Any. Indices outside are clamped; updates of one element are applied in order."""
    _require_indices(b, indices)
    attributes = {"reduction": _reduction(b, x, reduction)}
    return b.engine("scatter_nd", [x, indices, updates], x.dtype, None, **attributes)


@onnx_operator(10)
def ReverseSequence(
    b: Builder, x: Tensor, sequence_lens: Tensor, *, batch_axis: int = 1, time_axis: int = 0
) -> Tensor:
    """Constant sequence_lens."""
    lengths = b.ints(sequence_lens, "sequence_lens")
    if {batch_axis, time_axis} != {0, 1} or len(lengths) != x.shape[batch_axis]:
        b.invalid(f"axes {time_axis}, {batch_axis} and {len(lengths)} lengths of {list(x.shape)}")
    steps, sequences = np.indices((x.shape[time_axis], x.shape[batch_axis]))
    ends = np.array(lengths)[sequences]
    steps = np.where(steps < ends, ends - 1 - steps, steps)
    positions = steps * x.shape[1] + sequences if time_axis == 0 else sequences * x.shape[1] + steps
    order = positions if time_axis == 0 else positions.T
    flat = b.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))
    return b.reshape(gather(b, flat, order.ravel(), 0), x.shape)
