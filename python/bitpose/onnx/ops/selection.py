# SPDX-License-Identifier: Apache-2.0
"""Operators that select as many elements as their data say."""

from __future__ import annotations

import math

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder
from bitpose.onnx.ops.gather import gather
from bitpose.onnx.ops.logical import compare
from bitpose.onnx.ops.parts import part
from bitpose.onnx.ops.reduction import reduce
from bitpose.onnx.registry import onnx_operator

_MOST = 2**31 - 1


def _nonzero(b: Builder, x: Tensor) -> Tensor:
    """The coordinates of the elements that are not 0: [rank of x, as many as there are]."""
    flags = b.emit("Cast", [x], x.shape, np.bool_)
    ones = b.emit("Cast", [flags], x.shape, np.int64)
    count = reduce(b, "Sum", ones, range(len(x.shape)))
    return b.narrow(b.engine("nonzero", [x], np.int64), 1, count)


@onnx_operator(9)
def NonZero(b: Builder, x: Tensor) -> Tensor:
    """Any but a scalar."""
    if x.data is not None:
        return b.constant(np.array(np.nonzero(x.data), np.int64))
    if not x.shape:
        b.refuse("the operand is a scalar", "rank 1 or more")
    return _nonzero(b, x)


@onnx_operator(9)
def Compress(b: Builder, x: Tensor, condition: Tensor, *, axis: int | None = None) -> Tensor:
    """Any."""
    if axis is None:
        x, axis = b.reshape(x, (x.elements,)), 0
    axis = b.axis(axis, len(x.shape))
    if condition.data is None:
        b.require_rank(condition, "the condition", 1, "[n]")
        places = _nonzero(b, condition)
        return b.engine("gather", [x, b.reshape(places, places.shape[1:])], x.dtype, axis=axis)
    chosen = np.flatnonzero(condition.data)
    if chosen.size and chosen[-1] >= x.shape[axis]:
        b.invalid(f"condition chooses {chosen.tolist()} of {list(x.shape)}")
    return gather(b, x, chosen, axis)


def _scalar(b: Builder, x: Tensor | None, what: str, default: float) -> float:
    return default if x is None else float(b.value(x, what).reshape(()))


@onnx_operator(10)
def NonMaxSuppression(
    b: Builder,
    boxes: Tensor,
    scores: Tensor,
    max_output_boxes_per_class: Tensor | None = None,
    iou_threshold: Tensor | None = None,
    score_threshold: Tensor | None = None,
    *,
    center_point_box: int = 0,
) -> Tensor:
    """float32; constant thresholds and max_output_boxes_per_class above 0. Of equal scores the
    lower index comes first."""
    for x, what in ((boxes, "boxes"), (scores, "scores")):
        b.require_dtype(x, what, "float32")
        b.require_rank(x, what, 3, "[batch, boxes, 4] and [batch, classes, boxes]")
    most = _scalar(b, max_output_boxes_per_class, "max_output_boxes_per_class", 0)
    if most < 1:
        b.refuse(f"max_output_boxes_per_class is {most:g}", "1 or more: nothing is selected")
    rows = b.engine(
        "nms",
        [boxes, scores],
        np.int64,
        most=min(int(most), _MOST),
        center_point_box=int(bool(center_point_box)),
        iou_threshold=_scalar(b, iou_threshold, "iou_threshold", 0.0),
        score_threshold=_scalar(b, score_threshold, "score_threshold", -math.inf),
    )
    # The rows behind the last selected box are -1.
    used = compare(b, "GreaterOrEqual", part(b, rows, 1, 0, 1), b.constant(np.array(0)))
    ones = b.emit("Cast", [used], used.shape, np.int64)
    return b.narrow(rows, 0, reduce(b, "Sum", ones, [0, 1]))
