# SPDX-License-Identifier: Apache-2.0
"""Constants, and operators that are nothing at inference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder, Floats, Ints
from bitpose.onnx.initializers import DTYPES, SUPPORTED
from bitpose.onnx.ops.parts import extents_of, narrowed, part
from bitpose.onnx.ops.reduction import reduce
from bitpose.onnx.registry import onnx_operator

Array = NDArray[Any]


@onnx_operator(7)
def Constant(
    b: Builder,
    *,
    value: Array | None = None,
    value_float: float | None = None,
    value_floats: Floats | None = None,
    value_int: int | None = None,
    value_ints: Ints | None = None,
) -> Tensor:
    """Dense numbers of a supported dtype."""
    given = [
        np.asarray(v, dtype)
        for v, dtype in (
            (value, None),
            (value_float, np.float32),
            (value_floats, np.float32),
            (value_int, np.int64),
            (value_ints, np.int64),
        )
        if v is not None
    ]
    if len(given) != 1:
        b.invalid("needs exactly one value")
    return b.constant(given[0])


@onnx_operator(7)
def Identity(b: Builder, x: Tensor) -> Tensor:
    """Any tensor."""
    return x


@onnx_operator(7, 11)
def Dropout_7(b: Builder, x: Tensor, *, ratio: float = 0.5) -> list[Tensor]:
    """At inference: the identity, and a mask of ones."""
    return _dropout(b, x)


@onnx_operator(12)
def Dropout_12(
    b: Builder,
    x: Tensor,
    ratio: Tensor | None = None,
    training_mode: Tensor | None = None,
    *,
    seed: int = 0,
) -> list[Tensor]:
    """At inference: the identity, and a mask of ones."""
    training = training_mode is not None and bool(np.any(b.value(training_mode, "training_mode")))
    if training and (ratio is None or bool(np.any(b.value(ratio, "ratio")))):
        b.refuse("training_mode is true", "training_mode false, or ratio 0")
    return _dropout(b, x)


def _dropout(b: Builder, x: Tensor) -> list[Tensor]:
    kept = np.ones(x.shape, bool if b.opset >= 10 else x.dtype)
    return [x] if b.outputs == 1 else [x, b.constant(kept)]


@onnx_operator(7)
def Shape(b: Builder, x: Tensor, *, start: int = 0, end: int | None = None) -> Tensor:
    """Any tensor."""
    chosen = range(len(x.shape))[slice(start, end)]
    if not set(x.open_axes).intersection(chosen):
        return b.constant(np.array([x.shape[i] for i in chosen], np.int64))
    return part(b, extents_of(b, x), 0, chosen.start, len(chosen))


@onnx_operator(7)
def Size(b: Builder, x: Tensor) -> Tensor:
    """Any tensor."""
    if not x.open_axes:
        return b.constant(np.array(x.elements, np.int64))
    return b.reshape(reduce(b, "Prod", extents_of(b, x), [0]), ())


@onnx_operator(9)
def ConstantOfShape(b: Builder, shape: Tensor, *, value: Array | None = None) -> Tensor:
    """Shape constant or computed from shapes."""
    element = np.zeros(1, np.float32) if value is None else value
    extents = b.bounded_ints(shape, "shape")
    if element.size != 1 or any(least < 0 for least, _ in extents):
        b.invalid(f"shape {list(extents)} of a value of shape {list(element.shape)}")
    most = [n for _, n in extents]
    filled = b.constant(np.full(most, element.reshape(()), element.dtype))
    return narrowed(b, filled, shape, [i for i, (n, m) in enumerate(extents) if n != m])


@onnx_operator(11)
def Range(b: Builder, start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    """Constant operands, or from 0 by 1 to a limit that is computed from shapes."""
    if b.varies(limit) and limit.dtype == np.int64:
        if b.ints(start, "start") != (0,) or b.ints(delta, "delta") != (1,):
            b.refuse("start or delta of a computed limit", "start 0 and delta 1")
        ((_, most),) = b.bounded_ints(limit, "limit")
        return b.narrow(b.constant(np.arange(most)), 0, limit)
    first, end, step = (
        b.value(x, what).reshape(())
        for x, what in ((start, "start"), (limit, "limit"), (delta, "delta"))
    )
    if step == 0:
        b.invalid("delta is 0")
    count = max(0, math.ceil((float(end) - float(first)) / float(step)))
    return b.constant((first + np.arange(count) * step).astype(start.dtype))


@onnx_operator(9)
def EyeLike(b: Builder, x: Tensor, *, dtype: int | None = None, k: int = 0) -> Tensor:
    """Any."""
    b.require_rank(x, "the operand", 2, "[rows, columns]")
    if dtype is not None and dtype not in DTYPES:
        b.refuse(f"dtype is ONNX data type {dtype}", SUPPORTED)
    kind = x.dtype if dtype is None else np.dtype(DTYPES[dtype])
    return b.constant(np.eye(x.shape[0], x.shape[1], k, kind))


@onnx_operator(11)
def Unique(b: Builder, x: Tensor, *, axis: int | None = None, sorted: int = 1) -> list[Tensor]:
    """Of a constant."""
    values, first, inverse, counts = np.unique(
        b.value(x, "operand"), return_index=True, return_inverse=True, return_counts=True, axis=axis
    )
    order = np.arange(len(first)) if sorted else np.argsort(first)
    results = (
        np.take(values, order, 0 if axis is None else axis),
        first[order],
        np.argsort(order)[inverse.ravel()],
        counts[order],
    )
    return [b.constant(x if i == 0 else x.astype(np.int64)) for i, x in enumerate(results)]
