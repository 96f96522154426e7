# SPDX-License-Identifier: Apache-2.0
"""Operators on boxes."""

from __future__ import annotations

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.ir.reference.operand import Array, Operand, operator

_Box = tuple[np.float32, np.float32, np.float32, np.float32]


@operator
def nms(
    y: Tensor,
    boxes: Operand,
    scores: Operand,
    *,
    most: int,
    center_point_box: int,
    iou_threshold: float,
    score_threshold: float,
) -> Array:
    """[picture, class, box] of the boxes that greedy non-maximum suppression selects, then -1.

    Each picture and class on its own, in this order; from the highest score down, of equal scores
    the lower index first.
    """
    limit, rows = np.float32(iou_threshold), []
    for picture, category in np.ndindex(scores.data.shape[:2]):
        corners = [_corners(box, center_point_box) for box in boxes.data[picture]]
        series = scores.data[picture, category]
        order = np.lexsort((np.arange(len(series)), -series))
        chosen: list[int] = []
        for i in order[series[order] > np.float32(score_threshold)]:
            if len(chosen) < most and not any(
                _overlap(corners[k], corners[i], limit) for k in chosen
            ):
                chosen.append(i)
        rows += [(picture, category, i) for i in chosen]
    result = np.full(y.shape, -1, np.int64)
    result[: len(rows)] = np.array(rows, np.int64).reshape(-1, 3)
    return result


def _lower(a: np.float32, b: np.float32) -> np.float32:
    return min(b, a)


def _higher(a: np.float32, b: np.float32) -> np.float32:
    return max(a, b)


def _corners(box: Array, center_point_box: int) -> _Box:
    """x0, y0, x1, y1."""
    a, b, c, d = box
    with np.errstate(all="ignore"):
        if center_point_box:
            w, h = c / np.float32(2), d / np.float32(2)
            return a - w, b - h, a + w, b + h
    return _lower(b, d), _lower(a, c), _higher(b, d), _higher(a, c)


def _area(box: _Box) -> np.float32:
    return (box[2] - box[0]) * (box[3] - box[1])


def _overlap(a: _Box, b: _Box, threshold: np.float32) -> bool:
    """Whether the intersection is more than `threshold` of the union; never without an area."""
    both = (_higher(a[0], b[0]), _higher(a[1], b[1]), _lower(a[2], b[2]), _lower(a[3], b[3]))
    if both[2] <= both[0] or both[3] <= both[1]:
        return False
    with np.errstate(all="ignore"):
        intersection = _area(both)
        union = _area(a) + _area(b) - intersection
        if intersection <= 0 or _area(a) <= 0 or _area(b) <= 0 or union <= 0:
            return False
        return bool(intersection / union > threshold)
