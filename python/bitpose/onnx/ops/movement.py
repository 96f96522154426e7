# SPDX-License-Identifier: Apache-2.0
"""Operators that move or select elements."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder, Ints, resolve_shape
from bitpose.onnx.registry import onnx_operator


@onnx_operator(7)
def Transpose(b: Builder, x: Tensor, *, perm: Ints | None = None) -> Tensor:
    """Any permutation."""
    rank = len(x.shape)
    order = tuple(reversed(range(rank))) if perm is None else perm
    if sorted(order) != list(range(rank)):
        b.invalid(f"perm {list(order)} for a tensor of rank {rank}")
    return b.emit("Transpose", [x], [x.shape[i] for i in order], x.dtype, perm=order)


@onnx_operator(7)
def Reshape(b: Builder, x: Tensor, shape: Tensor, *, allowzero: int = 0) -> Tensor:
    """Constant shape."""
    wanted = b.ints(shape, "shape")
    return b.reshape(x, resolve_shape(b, x.shape, wanted, bool(allowzero)))


@onnx_operator(7)
def Flatten(b: Builder, x: Tensor, *, axis: int = 1) -> Tensor:
    """Any axis."""
    cut = len(x.shape) if axis == len(x.shape) else b.axis(axis, len(x.shape))
    return b.reshape(x, (math.prod(x.shape[:cut]), math.prod(x.shape[cut:])))


def _squeeze(b: Builder, x: Tensor, axes: Ints | None) -> Tensor:
    rank = len(x.shape)
    if axes is None:
        dropped = {i for i, extent in enumerate(x.shape) if extent == 1}
    else:
        dropped = {b.axis(axis, rank) for axis in axes}
    if any(x.shape[i] != 1 for i in dropped):
        b.invalid(f"axes {sorted(dropped)} of shape {list(x.shape)} are not all 1")
    return b.reshape(x, [extent for i, extent in enumerate(x.shape) if i not in dropped])


@onnx_operator(7, 12)
def Squeeze_1(b: Builder, x: Tensor, *, axes: Ints | None = None) -> Tensor:
    """Any axes."""
    return _squeeze(b, x, axes)


@onnx_operator(13)
def Squeeze_13(b: Builder, x: Tensor, axes: Tensor | None = None) -> Tensor:
    """Constant axes."""
    return _squeeze(b, x, None if axes is None else b.ints(axes, "axes"))


def _unsqueeze(b: Builder, x: Tensor, axes: Ints) -> Tensor:
    rank = len(x.shape) + len(axes)
    added = {b.axis(axis, rank) for axis in axes}
    if len(added) != len(axes):
        b.invalid(f"axes {list(axes)} repeat")
    rest = iter(x.shape)
    return b.reshape(x, [1 if i in added else next(rest) for i in range(rank)])


@onnx_operator(7, 12)
def Unsqueeze_1(b: Builder, x: Tensor, *, axes: Ints) -> Tensor:
    """Any axes."""
    return _unsqueeze(b, x, axes)


@onnx_operator(13)
def Unsqueeze_13(b: Builder, x: Tensor, axes: Tensor) -> Tensor:
    """Constant axes."""
    return _unsqueeze(b, x, b.ints(axes, "axes"))


@onnx_operator(7)
def Concat(b: Builder, *operands: Tensor, axis: int) -> Tensor:
    """Any axis."""
    if not operands:
        b.invalid("has no operand")
    first = operands[0]
    axis = b.axis(axis, len(first.shape))
    for x in operands[1:]:
        same = len(x.shape) == len(first.shape) and all(
            x.shape[i] == first.shape[i] for i in range(len(first.shape)) if i != axis
        )
        if not same or x.dtype != first.dtype:
            b.invalid(f"operand {x.name!r} does not fit the others")
    shape = list(first.shape)
    shape[axis] = sum(x.shape[axis] for x in operands)
    return b.emit("Concat", operands, shape, first.dtype, axis=axis)


def _part(b: Builder, x: Tensor, axis: int, start: int, length: int) -> Tensor:
    shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
    return b.emit("Slice", [x], shape, x.dtype, axis=axis, start=start, length=length)


def _split(b: Builder, x: Tensor, axis: int, lengths: Sequence[int]) -> list[Tensor]:
    axis = b.axis(axis, len(x.shape))
    if sum(lengths) != x.shape[axis] or len(lengths) != b.outputs:
        b.invalid(f"parts {list(lengths)} of axis {axis} of {list(x.shape)}")
    starts = np.cumsum([0, *lengths[:-1]]).tolist()
    return [_part(b, x, axis, s, n) for s, n in zip(starts, lengths, strict=True)]


def _equal_parts(b: Builder, x: Tensor, axis: int) -> list[int]:
    """Parts of one size, the last possibly smaller."""
    extent = x.shape[b.axis(axis, len(x.shape))]
    size = -(-extent // b.outputs)
    return [min(size, extent - i * size) for i in range(b.outputs)]


@onnx_operator(7, 12)
def Split_2(b: Builder, x: Tensor, *, axis: int = 0, split: Ints | None = None) -> list[Tensor]:
    """Any axis."""
    return _split(b, x, axis, _equal_parts(b, x, axis) if split is None else split)


@onnx_operator(13)
def Split_13(
    b: Builder, x: Tensor, split: Tensor | None = None, *, axis: int = 0, num_outputs: int = 0
) -> list[Tensor]:
    """Any axis, constant parts."""
    parts = _equal_parts(b, x, axis) if split is None else b.ints(split, "split")
    return _split(b, x, axis, parts)


def _slice(b: Builder, x: Tensor, starts: Ints, ends: Ints, axes: Ints, steps: Ints) -> Tensor:
    if not len(starts) == len(ends) == len(axes) == len(steps):
        b.invalid("starts, ends, axes and steps differ in length")
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step != 1:
            b.refuse(f"steps are {list(steps)}", "steps of 1")
        along = b.axis(axis, len(x.shape))
        positions = range(*slice(start, end, 1).indices(x.shape[along]))
        if len(positions) != x.shape[along]:
            x = _part(b, x, along, positions.start, len(positions))
    return x


@onnx_operator(7, 9)
def Slice_1(b: Builder, x: Tensor, *, starts: Ints, ends: Ints, axes: Ints | None = None) -> Tensor:
    """Any axes."""
    chosen = tuple(range(len(starts))) if axes is None else axes
    return _slice(b, x, starts, ends, chosen, (1,) * len(starts))


@onnx_operator(10)
def Slice_10(
    b: Builder,
    x: Tensor,
    starts: Tensor,
    ends: Tensor,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    """Constant bounds, steps of 1."""
    first = b.ints(starts, "starts")
    return _slice(
        b,
        x,
        first,
        b.ints(ends, "ends"),
        tuple(range(len(first))) if axes is None else b.ints(axes, "axes"),
        (1,) * len(first) if steps is None else b.ints(steps, "steps"),
    )


@onnx_operator(7)
def Gather(b: Builder, x: Tensor, indices: Tensor, *, axis: int = 0) -> Tensor:
    """Constant indices: one, or a run of consecutive ones; any of constants."""
    axis = b.axis(axis, len(x.shape))
    extent = x.shape[axis]
    chosen = b.value(indices, "indices").astype(np.int64)
    flat = [int(i) for i in chosen.ravel()]
    if any(not -extent <= i < extent for i in flat):
        b.invalid(f"indices {flat} of axis {axis} of {list(x.shape)}")
    if x.data is not None:
        return b.constant(np.take(x.data, chosen, axis))
    flat = [i % extent for i in flat]
    if chosen.ndim > 1 or not flat or flat != list(range(flat[0], flat[0] + len(flat))):
        b.refuse(f"indices are {chosen.tolist()}", "a scalar or consecutive indices")
    part = _part(b, x, axis, flat[0], len(flat))
    return part if chosen.ndim else b.reshape(part, x.shape[:axis] + x.shape[axis + 1 :])


@onnx_operator(11)
def GatherND(b: Builder, data: Tensor, indices: Tensor, *, batch_dims: int = 0) -> Tensor:
    """batch_dims 0."""
    if batch_dims != 0:
        b.refuse(f"batch_dims is {batch_dims}", "batch_dims 0")
    b.require_dtype(indices, "indices", "int32", "int64")
    if not indices.shape or not 1 <= indices.shape[-1] <= len(data.shape):
        b.invalid(f"indices of shape {list(indices.shape)} into {list(data.shape)}")
    shape = indices.shape[:-1] + data.shape[indices.shape[-1] :]
    return b.emit("GatherND", [data, indices], shape, data.dtype)


def _pad(b: Builder, x: Tensor, pads: Ints, mode: str, value: float) -> Tensor:
    if mode != "constant" or value != 0:
        b.refuse(f"mode is {mode!r} with value {value}", "constant zeros")
    b.require_dtype(x, "the operand", "float32")
    rank = len(x.shape)
    if len(pads) != 2 * rank:
        b.invalid(f"pads {list(pads)} for a tensor of rank {rank}")
    if min(pads) < 0:
        b.refuse(f"pads are {list(pads)}", "pads that are not negative")
    shape = [x.shape[i] + pads[i] + pads[rank + i] for i in range(rank)]
    return b.emit("Pad", [x], shape, x.dtype, pads=pads, value=0.0)


@onnx_operator(7, 10)
def Pad_2(
    b: Builder, x: Tensor, *, pads: Ints, mode: str = "constant", value: float = 0.0
) -> Tensor:
    """Zeros around the height and width of what a Conv reads."""
    return _pad(b, x, pads, mode, value)


@onnx_operator(11)
def Pad_11(
    b: Builder,
    x: Tensor,
    pads: Tensor,
    constant_value: Tensor | None = None,
    axes: Tensor | None = None,
    *,
    mode: str = "constant",
) -> Tensor:
    """Constant zeros around the height and width of what a Conv reads."""
    value = 0.0 if constant_value is None else b.value(constant_value, "constant_value")
    amounts = b.ints(pads, "pads")
    if axes is not None:
        rank, chosen = len(x.shape), b.ints(axes, "axes")
        full = [0] * (2 * rank)
        for i, axis in enumerate(chosen):
            full[b.axis(axis, rank)] = amounts[i]
            full[rank + b.axis(axis, rank)] = amounts[len(chosen) + i]
        amounts = tuple(full)
    return _pad(b, x, amounts, mode, float(np.sum(value)))
