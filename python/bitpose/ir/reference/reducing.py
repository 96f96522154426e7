# SPDX-License-Identifier: Apache-2.0
"""Operators that make one element, or a series of sums or indices, of the elements along axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.operators import REDUCTIONS
from bitpose.ir.reference.operand import Array, Operand, operator

_LANES = 16


def _minimum(a: Array, b: Array) -> Array:
    return np.where((b < a) | (b != b), b, a)


def _maximum(a: Array, b: Array) -> Array:
    return np.where((b > a) | (b != b), b, a)


#: Start and combination, where it is not 0 and a + b.
_COMBINE: dict[str, tuple[float, Callable[[Array, Array], Array]]] = {
    "Prod": (1.0, np.multiply),
    "Min": (np.inf, _minimum),
    "Max": (-np.inf, _maximum),
}
#: What is combined, where it is not x.
_TERM: dict[str, Callable[[Array], Array]] = {
    "L1": np.abs,
    "L2": np.square,
    "SumSquare": np.square,
}


def in_lanes(
    x: Array, start: float = 0.0, combine: Callable[[Array, Array], Array] = np.add
) -> Array:
    """The combination of all elements along the last axis in the engine's one order.

    Lane l of 16 combines elements l, l + 16, ... in this order, then lane l takes lane l + 8, then
    l + 4, l + 2 and l + 1.
    """
    lanes = np.full((*x.shape[:-1], _LANES), start, x.dtype)
    for first in range(0, x.shape[-1], _LANES):
        part = x[..., first : first + _LANES]
        n = part.shape[-1]
        lanes[..., :n] = combine(lanes[..., :n], part)
    width = _LANES // 2
    while width > 0:
        lanes = combine(lanes[..., :width], lanes[..., width : 2 * width])
        width //= 2
    return np.asarray(lanes[..., 0])


def _series(x: Array, axes: int, y: Tensor) -> Array:
    """The elements that each element of y is made of, along the last axis: [*y.shape, n]."""
    reduced = [i for i in range(x.ndim) if axes >> i & 1]
    kept = [i for i in range(x.ndim) if not axes >> i & 1]
    length = math.prod(x.shape[i] for i in reduced)
    return x.transpose(kept + reduced).reshape(*y.shape, length)


@operator
def reduce_f32(y: Tensor, x: Operand, *, function: int, axes: int) -> Array:
    """A function of the elements along the axes whose bits are set in `axes`, see `in_lanes`.

    The series of an element runs over the reduced axes, the last one fastest.
    """
    name = REDUCTIONS[function]
    series = _series(x.data, axes, y)
    with np.errstate(all="ignore"):
        terms = _TERM[name](series) if name in _TERM else series
        result = in_lanes(terms, *_COMBINE.get(name, (0.0, np.add)))
        if name == "Mean":
            result = result / np.float32(series.shape[-1])
        return np.sqrt(result) if name == "L2" else result


def _least(dtype: np.dtype[Any]) -> int:
    return 0 if dtype == np.bool_ else int(np.iinfo(dtype).min)


def _greatest(dtype: np.dtype[Any]) -> int:
    return 1 if dtype == np.bool_ else int(np.iinfo(dtype).max)


@operator
def reduce_integer(y: Tensor, x: Operand, *, function: int, axes: int) -> Array:
    """Computed modulo 2^64, of which y keeps the low bits. A mean is truncated towards zero."""
    series = _series(x.data, axes, y).astype(np.int64)
    with np.errstate(all="ignore"):
        match REDUCTIONS[function]:
            case "Sum":
                result = series.sum(-1)
            case "Mean":
                total = series.sum(-1)
                result = np.sign(total) * (np.abs(total) // series.shape[-1])
            case "Prod":
                result = series.prod(-1)
            case "Min":
                result = series.min(-1, initial=_greatest(y.dtype))
            case "Max":
                result = series.max(-1, initial=_least(y.dtype))
            case "L1":
                result = np.abs(series).sum(-1)
            case "SumSquare":
                result = (series * series).sum(-1)
            case name:
                raise ValueError(f"integers have no {name}")
    return np.asarray(result).astype(y.dtype)


@operator
def cumulative_sum(y: Tensor, x: Operand, *, axis: int, exclusive: int, reverse: int) -> Array:
    """y[i] = y[i - 1] + x[i] along `axis`; one element late if `exclusive`, or from behind."""
    rows = np.moveaxis(x.data, axis, 0)
    rows = rows[::-1] if reverse else rows
    sums = np.zeros_like(rows)
    sums[0] = 0 if exclusive else rows[0]
    with np.errstate(all="ignore"):
        for i in range(1, len(rows)):
            sums[i] = sums[i - 1] + rows[i - 1 if exclusive else i]
    return np.ascontiguousarray(np.moveaxis(sums[::-1] if reverse else sums, 0, axis))


@operator
def argmax(
    y: Tensor, x: Operand, *, axis: int, keepdims: int, select_last_index: int, smallest: int
) -> Array:
    """The index of the largest element along `axis`, or of the smallest; of equals the first one,
    or the last. NaN wins."""
    data = np.flip(x.data, axis) if select_last_index else x.data
    index = (np.argmin if smallest else np.argmax)(data, axis, keepdims=bool(keepdims))
    if select_last_index:
        index = x.data.shape[axis] - 1 - index
    return np.asarray(index).astype(y.dtype)


@operator
def topk(y: Tensor, x: Operand, *, axis: int, k: int, largest: int) -> Array:
    """The indices of the k largest (or smallest) elements along `axis`, best first; of equals the
    lower index first. NaN counts as larger than every number."""
    keys = _keys(x.data)
    order = np.argsort(~keys if largest else keys, axis, kind="stable")
    return np.ascontiguousarray(order.take(range(y.shape[axis]), axis)).astype(y.dtype)


def _keys(x: Array) -> Array:
    """Elements as int64 in the same order."""
    if x.dtype != np.float32:
        return x.astype(np.int64)
    bits = np.ascontiguousarray(x).view(np.int32).astype(np.int64)
    keys = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    return np.where(np.isnan(x), np.int64(2**62), keys)


@operator
def resample_f32(y: Tensor, x: Operand, k: Operand, w: Operand, *, axis: int) -> Array:
    """s = w[i, 0] x[k[i, 0]], then s = s + w[i, t] x[k[i, t]]; each product and sum rounded."""
    beside = [1] * (x.data.ndim - axis - 1)
    acc = np.zeros(y.shape, np.float32)
    with np.errstate(all="ignore"):
        for t in range(k.data.shape[1]):
            taps = x.data.take(k.data[:, t], axis) * w.data[:, t].reshape(-1, *beside)
            acc = taps if t == 0 else acc + taps
    return acc
