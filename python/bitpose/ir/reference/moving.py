# SPDX-License-Identifier: Apache-2.0
"""Operators that move, select or convert elements."""

from __future__ import annotations

import numpy as np

from bitpose.ir.elementwise import convert
from bitpose.ir.graph import Tensor
from bitpose.ir.reference.operand import Array, Operand, operator


@operator
def concat(y: Tensor, *parts: Operand, axis: int) -> Array:
    """Parts one behind the other along `axis`."""
    return np.concatenate([part.data for part in parts], axis)


@operator
def slice(y: Tensor, x: Operand, *, axis: int, start: int, length: int) -> Array:
    """Elements start .. start + length - 1 along `axis`."""
    return x.data.take(range(start, start + length), axis)


@operator
def gather_nd(y: Tensor, data: Operand, indices: Operand) -> Array:
    """y[i...] = data[indices[i..., 0], ..., indices[i..., K - 1]].

    A negative index counts from the end. Indices outside are clamped, where ONNX leaves the result
    undefined: a run cannot fail on data.
    """
    depth = indices.data.shape[-1]
    extents = np.array(data.data.shape[:depth], np.int64)
    index = indices.data.astype(np.int64)
    index = np.clip(np.where(index < 0, index + extents, index), 0, extents - 1)
    return np.asarray(data.data[tuple(np.moveaxis(index, -1, 0))])


@operator
def argmax(y: Tensor, x: Operand, *, axis: int, keepdims: int) -> Array:
    """The index of the largest element along `axis`, the first among equals."""
    return np.asarray(np.argmax(x.data, axis, keepdims=bool(keepdims))).astype(y.dtype)


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
