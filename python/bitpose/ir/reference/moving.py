# SPDX-License-Identifier: Apache-2.0
"""Operators that move, select or convert elements."""

from __future__ import annotations

import numpy as np

from bitpose.ir.elementwise import convert
from bitpose.ir.graph import Tensor
from bitpose.ir.reference.operand import Array, Operand, operator
from bitpose.ir.shapes import sliced


@operator
def concat(y: Tensor, *parts: Operand, axis: int) -> Array:
    """Parts one behind the other along `axis`."""
    return np.concatenate([part.data for part in parts], axis)


@operator
def slice(y: Tensor, x: Operand, *, axis: int, start: int, length: int, step: int) -> Array:
    """Elements start, start + step, ... along `axis`, `length` of them or as many as there are."""
    chosen = sliced(x.data.shape[axis], {"start": start, "length": length, "step": step})
    return x.data.take(chosen, axis)


@operator
def narrow(y: Tensor, x: Operand, length: Operand, *, axis: int) -> Array:
    """The first `length` elements along `axis`, or as many as there are."""
    return x.data.take(np.arange(y.shape[axis]), axis)


@operator
def shape(y: Tensor, x: Operand) -> Array:
    """The extents of x."""
    return np.array(x.data.shape, np.int64)


@operator
def expand(y: Tensor, x: Operand) -> Array:
    """x broadcast to the shape of the output."""
    return np.ascontiguousarray(np.broadcast_to(x.data, y.shape))


@operator
def pad(y: Tensor, x: Operand, value: Operand, **amounts: int) -> Array:
    """before0 elements `value` in front of axis 0, after0 behind it, and so on."""
    margins = [(amounts[f"before{i}"], amounts[f"after{i}"]) for i in range(x.data.ndim)]
    result = np.full(y.shape, value.data.reshape(()), y.dtype)
    inside = [np.s_[low : low + n] for (low, _), n in zip(margins, x.data.shape, strict=True)]
    result[tuple(inside)] = x.data
    return result


@operator
def cast(y: Tensor, x: Operand) -> Array:
    """See `convert`."""
    return convert(x.data, y.dtype)


@operator
def reshape(y: Tensor, x: Operand) -> Array:
    """The same elements under the shape of the output."""
    return x.data.reshape(y.shape)


@operator
def transpose(y: Tensor, x: Operand, **perm: int) -> Array:
    """Axis i of the output is axis perm_i of the input (attributes perm0 .. perm5)."""
    order = [perm[f"perm{i}"] for i in range(x.data.ndim)]
    return np.ascontiguousarray(x.data.transpose(order))
