# SPDX-License-Identifier: Apache-2.0
"""Boxes from the outputs of detectors, in pixels of the network's input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Boxes:
    """corners [N, 4] (left, top, right, bottom), scores [N] and classes [N]."""

    corners: Array
    scores: Array
    classes: Array

    def __getitem__(self, index: Any) -> Boxes:
        return Boxes(self.corners[index], self.scores[index], self.classes[index])

    def above(self, threshold: float) -> Boxes:
        return self[self.scores >= threshold]


def overlap(box: Array, others: Array) -> Array:
    """Intersection over union of a box [4] with each of [N, 4]."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = np.prod(np.maximum(sides, 0), axis=1)
    return np.asarray(common / (area(box) + area(others) - common))


def area(corners: Array) -> Array:
    return np.asarray(np.prod(corners[..., 2:] - corners[..., :2], axis=-1))


def suppressed(boxes: Boxes, most: float) -> Boxes:
    """Without those that overlap a better one of their class by more than `most`."""
    boxes = boxes[np.argsort(-boxes.scores, kind="stable")]
    kept: list[int] = []
    for i, (corners, kind) in enumerate(zip(boxes.corners, boxes.classes, strict=True)):
        rivals = [j for j in kept if boxes.classes[j] == kind]
        if not rivals or overlap(corners, boxes.corners[rivals]).max() <= most:
            kept.append(i)
    return boxes[kept]


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def cells(height: int, width: int, stride: int) -> Array:
    """Column and row of every cell, [cells, 2]."""
    rows, columns = np.mgrid[: height // stride, : width // stride]
    return np.stack([columns, rows], -1).reshape(-1, 2).astype(np.float64)


def centred(centre: Array, size: Array) -> Array:
    return np.concatenate([centre - size / 2, centre + size / 2], axis=-1)


def decode_yolox(outputs: list[Array], height: int, width: int) -> Boxes:
    """[1, cells, 5 + classes] of x, y, log w, log h in strides, objectness and class scores."""
    (output,) = outputs
    grids = [(cells(height, width, stride), stride) for stride in (8, 16, 32)]
    origin = np.concatenate([grid for grid, _ in grids])
    stride = np.concatenate([np.full((len(grid), 1), s) for grid, s in grids])
    centre = (output[0, :, :2] + origin) * stride
    size = np.exp(np.minimum(output[0, :, 2:4], 10)) * stride
    scores = output[0, :, 4:5] * output[0, :, 5:]
    return Boxes(centred(centre, size), scores.max(1), scores.argmax(1))


def decode_nanodet(outputs: list[Array], height: int, width: int) -> Boxes:
    """Per stride class scores [1, cells, 80] and [1, cells, 4 * 8] of distances to the four sides,
    each a distribution over 0..7 strides."""
    parts = []
    for stride, scores, sides in zip((8, 16, 32), outputs[:3], outputs[3:], strict=True):
        logits = sides[0].reshape(-1, 4, 8).astype(np.float64)
        share = np.exp(logits - logits.max(-1, keepdims=True))
        reach = (share / share.sum(-1, keepdims=True)) @ np.arange(8) * stride
        centre = (cells(height, width, stride) + 0.5) * stride
        corners = np.concatenate([centre - reach[:, :2], centre + reach[:, 2:]], axis=1)
        parts.append(Boxes(corners, scores[0].max(1), scores[0].argmax(1)))
    return _joined(parts)


def _joined(parts: list[Boxes]) -> Boxes:
    return Boxes(
        np.concatenate([part.corners for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.classes for part in parts]),
    )


def decode_fastestdet(outputs: list[Array], height: int, width: int) -> Boxes:
    """[1, 1 + 4 + classes, rows, columns] of objectness, x, y, w, h and class scores."""
    (output,) = outputs
    rows = output.shape[2]
    values = output[0].reshape(output.shape[1], -1).T.astype(np.float64)
    stride = height // rows
    centre = (cells(height, width, stride) + np.tanh(values[:, 1:3])) * stride
    size = sigmoid(values[:, 3:5]) * (width, height)
    kinds = values[:, 5:]
    scores = values[:, 0] ** 0.6 * kinds.max(1) ** 0.4
    return Boxes(centred(centre, size), scores, kinds.argmax(1))


def decode_ultraface(outputs: list[Array], height: int, width: int) -> Boxes:
    """Scores [1, N, 2] of nothing and a face, and corners [1, N, 4] as shares of the input."""
    scores, corners = outputs
    return Boxes(
        corners[0].astype(np.float64) * (width, height, width, height),
        scores[0, :, 1],
        np.zeros(len(scores[0]), np.int64),
    )
