# SPDX-License-Identifier: Apache-2.0
"""Operators that read or write elements at run-time indices, or find them.

A negative index counts from the end. Indices outside are clamped, where ONNX leaves the result
undefined: a run cannot fail on data.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.operators import SCATTER_REDUCTIONS
from bitpose.ir.reference.operand import Array, Operand, operator


def _within(indices: Array, extent: Array | int) -> Array:
    """Indices as those of [0, extent)."""
    index = indices.astype(np.int64)
    return np.clip(np.where(index < 0, index + extent, index), 0, np.subtract(extent, 1))


def _coordinates(indices: Array, shape: tuple[int, ...], axis: int) -> tuple[Array, ...]:
    """Where elements of `indices` point to in a tensor of `shape`: their place, but for `axis`."""
    places = np.indices(indices.shape)
    places[axis] = _within(indices, shape[axis])
    return tuple(places)


@operator
def gather(y: Tensor, x: Operand, indices: Operand, *, axis: int) -> Array:
    """Element i of y along `axis` is element indices[i] of x."""
    return x.data.take(_within(indices.data, x.data.shape[axis]), axis)


@operator
def gather_elements(y: Tensor, x: Operand, indices: Operand, *, axis: int) -> Array:
    """y[i...] is the element of x at i..., but with index indices[i...] along `axis`."""
    return np.asarray(x.data[_coordinates(indices.data, x.data.shape, axis)])


@operator
def gather_nd(y: Tensor, x: Operand, indices: Operand, *, batch_dims: int) -> Array:
    """y[b..., i...] = x[b..., indices[b..., i..., 0], ..., indices[b..., i..., K - 1]]."""
    depth = indices.data.shape[-1]
    extents = np.array(x.data.shape[batch_dims : batch_dims + depth], np.int64)
    index = np.moveaxis(_within(indices.data, extents), -1, 0)
    batches = np.indices(index.shape[1:])[:batch_dims]
    return np.asarray(x.data[(*batches, *index)])


@operator
def scatter_elements(
    y: Tensor, x: Operand, indices: Operand, updates: Operand, *, axis: int, reduction: int
) -> Array:
    """x, but updates[i...] goes to i... with index indices[i...] along `axis`; in order of i."""
    result = x.data.copy()
    places = _coordinates(indices.data, x.data.shape, axis)
    for i in product(*map(range, indices.data.shape)):
        _write(result, tuple(place[i] for place in places), updates.data[i], reduction)
    return result


@operator
def scatter_nd(
    y: Tensor, x: Operand, indices: Operand, updates: Operand, *, reduction: int
) -> Array:
    """x, but updates[i...] goes to x[indices[i...]]; in order of i."""
    result = x.data.copy()
    extents = np.array(x.data.shape[: indices.data.shape[-1]], np.int64)
    index = _within(indices.data, extents)
    for i in product(*map(range, index.shape[:-1])):
        _write(result, tuple(index[i]), updates.data[i], reduction)
    return result


@operator
def nonzero(y: Tensor, x: Operand) -> Array:
    """The coordinates of the elements that are not 0, one column each, then -1."""
    found = np.array(np.nonzero(x.data), np.int64)
    result = np.full(y.shape, -1, np.int64)
    result[:, : found.shape[1]] = found
    return result


def _write(y: Array, place: tuple[int, ...], update: Array, reduction: int) -> None:
    """y = u, y + u, y * u, u < y ? u : y, u > y ? u : y by number; integers wrap."""
    with np.errstate(all="ignore"):
        match SCATTER_REDUCTIONS[reduction]:
            case "none":
                y[place] = update
            case "add":
                y[place] += update
            case "mul":
                y[place] *= update
            case "min":
                y[place] = np.where(update < y[place], update, y[place])
            case "max":
                y[place] = np.where(update > y[place], update, y[place])
