# SPDX-License-Identifier: Apache-2.0
"""Constants, and operators that are nothing at inference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder, Floats, Ints
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
def Dropout_7(b: Builder, x: Tensor, *, ratio: float = 0.5) -> Tensor:
    """At inference: the identity, without the mask."""
    return _dropout(b, x)


@onnx_operator(12)
def Dropout_12(
    b: Builder,
    x: Tensor,
    ratio: Tensor | None = None,
    training_mode: Tensor | None = None,
    *,
    seed: int = 0,
) -> Tensor:
    """At inference: the identity, without the mask."""
    if training_mode is not None and bool(np.any(b.value(training_mode, "training_mode"))):
        b.refuse("training_mode is true", "training_mode false")
    return _dropout(b, x)


def _dropout(b: Builder, x: Tensor) -> Tensor:
    if b.outputs > 1:
        b.refuse("the mask is an output", "one output")
    return x


@onnx_operator(7)
def Shape(b: Builder, x: Tensor, *, start: int = 0, end: int | None = None) -> Tensor:
    """Any tensor: shapes are known when compiling."""
    return b.constant(np.array(x.shape[slice(start, end)], np.int64))
