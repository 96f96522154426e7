# SPDX-License-Identifier: Apache-2.0
"""Boxes that detectors find."""

from __future__ import annotations

from collections.abc import Sequence
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

    @classmethod
    def joined(cls, parts: Sequence[Boxes]) -> Boxes:
        """The boxes of all parts, at least one."""
        return cls(
            np.concatenate([part.corners for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.classes for part in parts]),
        )

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
