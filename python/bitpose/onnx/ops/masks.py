# SPDX-License-Identifier: Apache-2.0
"""Operators that write by position: triangles and one-hot vectors."""

from __future__ import annotations

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder
from bitpose.onnx.ops.gather import gather
from bitpose.onnx.ops.pad import padded
from bitpose.onnx.ops.parts import part
from bitpose.onnx.registry import onnx_operator


@onnx_operator(14)
def Trilu(b: Builder, x: Tensor, k: Tensor | None = None, *, upper: int = 1) -> Tensor:
    """Constant k."""
    if len(x.shape) < 2:
        b.invalid(f"the operand has shape {list(x.shape)}")
    if not x.elements:
        return x
    rows, columns = x.shape[-2:]
    diagonal = 0 if k is None else b.ints(k, "k")[0]
    distance = np.arange(columns) - np.arange(rows)[:, None]
    kept = distance >= diagonal if upper else distance <= diagonal
    # One more element, zero, is what the others take.
    places = np.where(kept, np.arange(rows * columns).reshape(rows, columns), rows * columns)
    flat = b.reshape(x, (x.elements // (rows * columns), rows * columns))
    return b.reshape(gather(b, padded(b, flat, (0, 0, 0, 1)), places.ravel(), 1), x.shape)


def _integer(b: Builder, op: str, x: Tensor, value: int) -> Tensor:
    return b.emit(op, [x, b.constant(np.array(value, np.int32))], x.shape, np.int32)


@onnx_operator(9)
def OneHot(b: Builder, indices: Tensor, depth: Tensor, values: Tensor, *, axis: int = -1) -> Tensor:
    """Constant depth."""
    count = int(b.value(depth, "depth").reshape(()))
    axis = b.axis(axis, len(indices.shape) + 1)
    if count < 1 or values.elements != 2:
        b.invalid(f"depth is {count}, values have shape {list(values.shape)}")
    i = indices
    if i.dtype != np.int32:
        i = b.emit("Cast", [i], i.shape, np.int32)
    # i + depth where i is negative; then everything outside goes to a place at either end.
    sign = _integer(b, "Min", _integer(b, "Max", _integer(b, "Mul", i, -1), 0), 1)
    i = b.emit("Add", [i, _integer(b, "Mul", sign, count)], i.shape, np.int32)
    i = _integer(b, "Add", _integer(b, "Max", i, -1), 1)
    shape = (*i.shape[:axis], 1, *i.shape[axis:])
    wide = (*i.shape[:axis], count + 2, *i.shape[axis:])
    pair = b.reshape(values, (2,))
    off, on = (
        b.engine("expand", [part(b, pair, 0, n, 1)], values.dtype, extents)
        for n, extents in ((0, wide), (1, shape))
    )
    operands = [off, b.reshape(i, shape), on]
    hot = b.engine("scatter_elements", operands, values.dtype, axis=axis, reduction=0)
    return part(b, hot, axis, 1, count)
