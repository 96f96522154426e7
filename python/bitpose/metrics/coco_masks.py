# SPDX-License-Identifier: Apache-2.0
"""Masks in COCO's files: runs down columns, packed or not, and polygons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InputError

Mask = NDArray[np.bool_]

MAX_EXTENT = 1 << 14
_FINE = 5  # Polygons are drawn on a grid so many times as fine as pixels.


def decode(segmentation: object, height: int, width: int) -> Mask:
    """[H, W]: what a `segmentation` of COCO covers, pixel by pixel as pycocotools has it.

    It is a list of polygons [x0, y0, x1, y1, ...], or {"size": [H, W], "counts": ...} whose counts
    are lengths of runs, outside and inside in turn, down the columns: a list of numbers or a
    packed string. Raises InputError for anything else.
    """
    if not (0 < height <= MAX_EXTENT and 0 < width <= MAX_EXTENT):
        raise InputError(f"a mask of {width} x {height} pixels; extents must be 1 .. {MAX_EXTENT}")
    if isinstance(segmentation, Mapping):
        return _from_runs(segmentation, height, width)
    if not isinstance(segmentation, Sequence) or isinstance(segmentation, str | bytes):
        raise InputError("a segmentation must be a list of polygons, or have size and counts")
    mask = np.zeros((height, width), np.bool_)
    for polygon in segmentation:
        mask |= _from_polygon(polygon, height, width)
    return mask


def _from_runs(segmentation: Mapping[str, Any], height: int, width: int) -> Mask:
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, Sequence) or list(size) != [height, width]:
        raise InputError(f"a mask has size {size}; the image has {[height, width]}")
    if isinstance(counts, str):
        counts = counts.encode("ascii", "replace")
    if isinstance(counts, bytes):
        counts = _unpacked(counts)
    runs = np.asarray(counts)
    if runs.ndim != 1 or runs.dtype.kind not in "iu" or (runs < 0).any():
        raise InputError("counts must be a string or a list of integers that are not negative")
    if (runs > height * width).any() or runs.sum() != height * width:
        raise InputError(f"counts must add up to the {height * width} pixels of the image")
    inside = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, runs).reshape(width, height).T)


def _unpacked(packed: bytes) -> list[int]:
    """Numbers of 5 bits a character, low ones first; from the fourth on less the one two before."""
    counts: list[int] = []
    value, shift = 0, 0
    for character in packed:
        code = character - 48
        if not 0 <= code < 64 or shift > 50:
            raise InputError("counts are no packed string of COCO")
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise InputError("counts end within a number")
    return counts


def _from_polygon(polygon: object, height: int, width: int) -> Mask:
    """Where the outline, drawn on the fine grid, is crossed an odd number of times from above."""
    points = np.asarray(polygon)
    if points.ndim != 1 or points.dtype.kind not in "iuf" or len(points) < 6 or len(points) % 2:
        raise InputError("a polygon must be a list of at least six numbers, x and y in turn")
    if not (np.abs(points) <= MAX_EXTENT).all():
        raise InputError(f"a polygon must lie within {MAX_EXTENT} pixels of the image")
    corners = np.trunc(_FINE * points.reshape(-1, 2).astype(np.float64) + 0.5).astype(np.int64)
    following = np.roll(corners, -1, axis=0)
    outline = np.concatenate([_line(*ends) for ends in zip(corners, following, strict=True)])
    before, after = outline[:-1], outline[1:]
    crossing = before[:, 0] != after[:, 0]
    before, after = before[crossing], after[crossing]
    x = (np.where(after[:, 0] < before[:, 0], after[:, 0], after[:, 0] - 1) + 0.5) / _FINE - 0.5
    y = (np.minimum(before[:, 1], after[:, 1]) + 0.5) / _FINE - 0.5
    counts = (np.floor(x) == x) & (x >= 0) & (x <= width - 1)
    column = x[counts].astype(np.int64)
    row = np.ceil(np.clip(y[counts], 0, height)).astype(np.int64)
    flips = np.bincount(column * height + row, minlength=height * width + 1)[: height * width]
    return np.ascontiguousarray((np.cumsum(flips) % 2 == 1).reshape(width, height).T)


def _line(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """The points of the fine grid from start to end, a step along the longer axis each."""
    extent = np.abs(end - start)
    axis = 0 if extent[0] >= extent[1] else 1
    low, high = (start, end) if start[axis] <= end[axis] else (end, start)
    steps = np.arange(extent[axis] + 1)
    slope = (high[1 - axis] - low[1 - axis]) / extent[axis] if extent[axis] else 0.0
    points = np.empty((len(steps), 2), np.int64)
    points[:, axis] = low[axis] + steps
    points[:, 1 - axis] = np.trunc(low[1 - axis] + slope * steps + 0.5)
    return points if low is start else points[::-1]
