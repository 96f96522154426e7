# SPDX-License-Identifier: Apache-2.0
"""Operators that take tensors apart along axes, and put them together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.registry import onnx_operator

#: More elements than an axis has.
_LONGEST = 2**31 - 1


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
    filled = [x for x in operands if x.elements]  # Constants alone can be empty.
    return b.emit("Concat", filled or operands[:1], shape, first.dtype, axis=axis)


def part(b: Builder, x: Tensor, axis: int, start: int, length: int, step: int = 1) -> Tensor:
    """The elements start, start + step, ... along an axis."""
    shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
    if length == 0:
        return b.constant(np.zeros(shape, x.dtype))
    attributes = {"axis": axis, "start": start, "length": length, "step": step}
    return b.emit("Slice", [x], shape, x.dtype, **attributes)


def extents_of(b: Builder, x: Tensor) -> Tensor:
    """The extents of x in a run."""
    return b.engine("shape", [x], np.int64)


def narrowed(b: Builder, x: Tensor, lengths: Tensor, axes: Sequence[int]) -> Tensor:
    """x with as many elements along each of `axes` as the element of `lengths` there says."""
    for axis in axes:
        x = b.narrow(x, axis, part(b, lengths, 0, axis, 1))
    return x


def _split(b: Builder, x: Tensor, axis: int, lengths: Sequence[int]) -> list[Tensor]:
    axis = b.axis(axis, len(x.shape))
    if sum(lengths) != x.shape[axis] or len(lengths) != b.outputs:
        b.invalid(f"parts {list(lengths)} of axis {axis} of {list(x.shape)}")
    starts = np.cumsum([0, *lengths[:-1]]).tolist()
    return [part(b, x, axis, s, n) for s, n in zip(starts, lengths, strict=True)]


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
        if step == 0:
            b.invalid(f"steps are {list(steps)}")
        along = b.axis(axis, len(x.shape))
        if along in x.open_axes and min(start, end, step) >= 0:
            x = _open_part(b, x, along, range(start, min(end, _LONGEST), step))
            continue
        positions = range(x.shape[along])[start:end:step]
        if positions != range(x.shape[along]):
            x = part(b, x, along, positions.start, len(positions), step)
    return x


def _open_part(b: Builder, x: Tensor, axis: int, chosen: range) -> Tensor:
    """Those of the chosen elements that there are in a run."""
    if not chosen:
        return part(b, x, axis, 0, 0)
    attributes = {"start": chosen.start, "length": len(chosen), "step": chosen.step}
    return b.engine("slice", [x], x.dtype, None, axis=axis, **attributes)


def _slice_to(b: Builder, x: Tensor, start: int, end: Tensor, axis: int) -> Tensor:
    """x[start:end] along an axis, with an end that is computed from shapes."""
    ((least, _),) = b.bounded_ints(end, "ends")
    if least < 0 or start < 0:
        b.refuse(
            "bounds may count from the end", "bounds of a computed slice that are not negative"
        )
    along = b.axis(axis, len(x.shape))
    x = b.narrow(x, along, end)
    return _slice(b, x, (start,), (_LONGEST,), (along,), (1,)) if start else x


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
    """Constant starts and steps; ends constant, or one that is computed from shapes."""
    first = b.ints(starts, "starts")
    along = tuple(range(len(first))) if axes is None else b.ints(axes, "axes")
    by = (1,) * len(first) if steps is None else b.ints(steps, "steps")
    if b.varies(ends) and len(first) == 1 and by == (1,):
        return _slice_to(b, x, first[0], ends, along[0])
    return _slice(b, x, first, b.ints(ends, "ends"), along, by)
