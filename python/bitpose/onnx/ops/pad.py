# SPDX-License-Identifier: Apache-2.0
"""Padding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.operators import MAX_RANK
from bitpose.onnx.builder import Builder, Ints
from bitpose.onnx.ops.gather import gather
from bitpose.onnx.ops.parts import extents_of, part
from bitpose.onnx.registry import onnx_operator

#: numpy's names of the modes that repeat elements.
_REPEATING = ("reflect", "edge", "wrap")


def padded(b: Builder, x: Tensor, pads: Sequence[int], value: Tensor | None = None) -> Tensor:
    """x with elements around it, zeros where no value is given; no pad is negative."""
    rank = len(x.shape)
    if not any(pads):
        return x
    if value is None:
        value = b.constant(np.zeros((), x.dtype))
    if value.dtype != x.dtype or value.elements != 1:
        b.invalid(f"pads {x.dtype} with {value.dtype}{list(value.shape)}")
    if value.data is not None and x.dtype.name in ("float32", "int8", "uint8"):
        shape = [x.shape[i] + pads[i] + pads[rank + i] for i in range(rank)]
        amount = float(value.data.reshape(()))
        return b.emit("Pad", [x], shape, x.dtype, pads=tuple(pads), value=amount)
    if rank > MAX_RANK:
        b.refuse(f"the operand has rank {rank}", f"rank {MAX_RANK} or less")
    amounts = {f"{side}{i}": 0 for side in ("before", "after") for i in range(MAX_RANK)}
    amounts |= {f"before{i}": pads[i] for i in range(rank)}
    amounts |= {f"after{i}": pads[rank + i] for i in range(rank)}
    return b.engine("pad", [x, value], x.dtype, None, **amounts)


def _cropped(b: Builder, x: Tensor, pads: Ints) -> Tensor:
    """x without what negative pads cut off."""
    rank = len(x.shape)
    for axis in range(rank):
        before, after = max(0, -pads[axis]), max(0, -pads[rank + axis])
        length = x.shape[axis] - before - after
        if length != x.shape[axis]:
            if length < 0:
                b.invalid(f"pads {list(pads)} take more than there is of {list(x.shape)}")
            x = part(b, x, axis, before, length)
    return x


def _pad_by_computed(
    b: Builder, x: Tensor, pads: Tensor, axes: Sequence[int], value: Tensor | None
) -> Tensor:
    """Amounts that are computed from shapes: those in front of axes must be known."""
    rank, limits = len(x.shape), b.bounded_ints(pads, "pads")
    if len(limits) != 2 * len(axes):
        b.invalid(f"{len(limits)} pads for axes {list(axes)}")
    before, after = limits[: len(axes)], limits[len(axes) :]
    if any(least != most or least < 0 for least, most in before) or any(n < 0 for n, _ in after):
        b.refuse(f"computed pads {limits}", "computed pads behind axes alone, none negative")
    most = [0] * (2 * rank)
    for axis, (_, front), (_, back) in zip(axes, before, after, strict=True):
        most[axis], most[rank + axis] = front, back
    y = padded(b, x, most, value)
    for i, axis in enumerate(axes):
        if after[i][0] != after[i][1]:
            inside = extents_of(b, x)
            amounts = [part(b, inside, 0, axis, 1), part(b, pads, 0, i, 1)]
            amounts.append(part(b, pads, 0, len(axes) + i, 1))
            y = b.narrow(y, axis, total(b, amounts))
    return y


def total(b: Builder, amounts: Sequence[Tensor]) -> Tensor:
    """The sum of int64 tensors of one shape."""
    result = amounts[0]
    for amount in amounts[1:]:
        result = b.emit("Add", [result, amount], result.shape, np.int64)
    return result


def _pad(b: Builder, x: Tensor, pads: Ints, mode: str, value: Tensor | None) -> Tensor:
    rank = len(x.shape)
    if len(pads) != 2 * rank:
        b.invalid(f"pads {list(pads)} for a tensor of rank {rank}")
    if mode not in ("constant", *_REPEATING):
        b.invalid(f"mode is {mode!r}")
    x = _cropped(b, x, pads)
    around = [max(0, amount) for amount in pads]
    if mode == "constant":
        return padded(b, x, around, value)
    for axis in range(rank):
        amounts = (around[axis], around[rank + axis])
        if any(amounts):
            positions = np.arange(x.shape[axis])
            x = gather(b, x, np.pad(positions, amounts, mode=mode), axis)  # type: ignore[call-overload]
    return x


@onnx_operator(7, 10)
def Pad_2(
    b: Builder, x: Tensor, *, pads: Ints, mode: str = "constant", value: float = 0.0
) -> Tensor:
    """Any mode. Zeros around the height and width of what a Conv reads become part of it."""
    return _pad(b, x, pads, mode, b.constant(np.array(value, x.dtype)))


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
    """Any mode; pads constant or, in mode constant, computed from shapes. Zeros around the height
    and width of what a Conv reads become part of it."""
    rank = len(x.shape)
    chosen = tuple(range(rank)) if axes is None else b.ints(axes, "axes")
    if b.varies(pads) and mode == "constant":
        along = [b.axis(axis, rank) for axis in chosen]
        return _pad_by_computed(b, x, pads, along, constant_value)
    amounts = b.ints(pads, "pads")
    if axes is not None:
        if len(amounts) != 2 * len(chosen):
            b.invalid(f"pads {list(amounts)} for axes {list(chosen)}")
        full = [0] * (2 * rank)
        for i, axis in enumerate(chosen):
            full[b.axis(axis, rank)] = amounts[i]
            full[rank + b.axis(axis, rank)] = amounts[len(chosen) + i]
        amounts = tuple(full)
    return _pad(b, x, amounts, mode, constant_value)


@onnx_operator(18)
def CenterCropPad(b: Builder, x: Tensor, shape: Tensor, *, axes: Ints | None = None) -> Tensor:
    """Constant shape."""
    rank, extents = len(x.shape), b.ints(shape, "shape")
    chosen = range(rank) if axes is None else [b.axis(axis, rank) for axis in axes]
    if len(chosen) != len(extents):
        b.invalid(f"shape {list(extents)} for axes {list(chosen)}")
    pads = [0] * (2 * rank)
    for axis, extent in zip(chosen, extents, strict=True):
        missing = extent - x.shape[axis]
        if missing < 0:
            x = part(b, x, axis, -missing // 2, extent)
        else:
            pads[axis], pads[rank + axis] = missing // 2, missing - missing // 2
    return padded(b, x, pads)
