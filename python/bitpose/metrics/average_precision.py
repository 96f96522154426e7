# SPDX-License-Identifier: Apache-2.0
"""COCO's procedure: average precision and recall of detections by any similarity.

In each image and category, detections choose in the order of their scores, for each threshold, the
most similar true object that is left, the last of equals; those that are ignored only if no other
will do. A detection that gets an ignored one counts neither way, and so does one without an object
whose area is out of range. Precision is the mean over 101 recalls of the best precision at that
recall or a higher one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)

ALL = (0.0, 1e10)
SMALL = (0.0, 32.0**2)
MEDIUM = (32.0**2, 96.0**2)
LARGE = (96.0**2, 1e10)


@dataclass(frozen=True)
class Protocol:
    """What is averaged: ranges of areas in square pixels, ends included, by name; and how many
    detections of an image and category may count.
    """

    areas: dict[str, tuple[float, float]]
    max_detections: tuple[int, ...]
    thresholds: Array = field(default_factory=lambda: THRESHOLDS)


#: For boxes and masks.
DETECTION = Protocol({"all": ALL, "small": SMALL, "medium": MEDIUM, "large": LARGE}, (1, 10, 100))
#: For keypoints by OKS and surfaces by GPS.
PEOPLE = Protocol({"all": ALL, "medium": MEDIUM, "large": LARGE}, (20,))


@dataclass(frozen=True)
class Image:
    """One image and category: D detections and G true objects, in any order.

    `similarity` [D, G]; `scores` [D]; areas [D] and [G] in square pixels; `crowd` [G] may be
    chosen by any number of detections and is ignored, `ignored` [G] is ignored too.
    """

    similarity: Array
    scores: Array
    detection_areas: Array
    truth_areas: Array
    crowd: Flags
    ignored: Flags
    category: int = 0

    def __post_init__(self) -> None:
        shapes = (len(self.scores), len(self.truth_areas))
        for name, shape in [
            ("similarity", shapes),
            ("scores", shapes[:1]),
            ("detection_areas", shapes[:1]),
            ("truth_areas", shapes[1:]),
            ("crowd", shapes[1:]),
            ("ignored", shapes[1:]),
        ]:
            dtype = np.bool_ if name in ("crowd", "ignored") else np.float64
            array: NDArray[Any] = np.asarray(getattr(self, name), dtype)
            if array.shape != shape:
                raise InputError(f"{name} has shape {array.shape}; must be {shape}")
            if not np.isfinite(array).all():
                raise InputError(f"{name} must be finite")
            object.__setattr__(self, name, array)


@dataclass(frozen=True)
class AveragePrecision:
    """Precision [T, R, K, A, M] and recall [T, K, A, M] over thresholds, recalls, categories in
    rising order, ranges of areas and numbers of detections. NaN where there is no true object.
    """

    protocol: Protocol
    precision: Array
    recall: Array

    def ap(
        self, area: str = "all", threshold: float | None = None, max_detections: int | None = None
    ) -> float:
        """Average precision over categories and, unless one is named, thresholds; NaN if none."""
        return _mean(self._part(self.precision, area, threshold, max_detections))

    def ar(
        self, area: str = "all", threshold: float | None = None, max_detections: int | None = None
    ) -> float:
        """Average recall."""
        return _mean(self._part(self.recall, area, threshold, max_detections))

    @property
    def summary(self) -> dict[str, float]:
        """The figures that are reported, by their usual names."""
        ranges = [name for name in self.protocol.areas if name != "all"]
        figures = {
            "AP": self.ap(),
            "AP50": self.ap(threshold=0.5),
            "AP75": self.ap(threshold=0.75),
            **{f"AP{name[0].upper()}": self.ap(name) for name in ranges},
        }
        numbers = self.protocol.max_detections
        if len(numbers) > 1:
            figures |= {f"AR{n}": self.ar(max_detections=n) for n in numbers}
        else:
            figures |= {"AR": self.ar(), "AR50": self.ar(threshold=0.5)}
            figures |= {"AR75": self.ar(threshold=0.75)}
        return figures | {f"AR{name[0].upper()}": self.ar(name) for name in ranges}

    def _part(
        self, values: Array, area: str, threshold: float | None, max_detections: int | None
    ) -> Array:
        protocol = self.protocol
        if area not in protocol.areas:
            raise InputError(f"no range of areas {area!r}; there are {', '.join(protocol.areas)}")
        number = protocol.max_detections[-1] if max_detections is None else max_detections
        if number not in protocol.max_detections:
            raise InputError(f"{number} detections is none of {protocol.max_detections}")
        part = values[..., list(protocol.areas).index(area), :]
        part = part[..., protocol.max_detections.index(number)]
        if threshold is None:
            return part
        near = np.abs(protocol.thresholds - threshold) < 1e-6
        if not near.any():
            raise InputError(f"no threshold {threshold}; there are {protocol.thresholds}")
        return part[near]


def average_precision(images: Sequence[Image], protocol: Protocol = DETECTION) -> AveragePrecision:
    """The evaluation of all images; of equal scores in different images the earlier comes first."""
    categories = sorted({image.category for image in images})
    shape = (
        len(protocol.thresholds),
        len(categories),
        len(protocol.areas),
        len(protocol.max_detections),
    )
    recall = np.full(shape, np.nan)
    precision = np.full((shape[0], len(RECALLS), *shape[1:]), np.nan)
    for k, category in enumerate(categories):
        chosen = [image for image in images if image.category == category]
        for a, limits in enumerate(protocol.areas.values()):
            matches = [_match(image, limits, protocol) for image in chosen]
            for m, number in enumerate(protocol.max_detections):
                curve = _accumulate(matches, number)
                if curve is not None:
                    precision[:, :, k, a, m], recall[:, k, a, m] = curve
    return AveragePrecision(protocol, precision, recall)


@dataclass(frozen=True)
class _Matches:
    """Detections in the order of their scores, as far as they may count; T thresholds."""

    scores: Array
    matched: Flags
    """[T, D]."""
    ignored: Flags
    """[T, D]."""
    objects: int
    """How many are to be found."""


def _match(image: Image, limits: tuple[float, float], protocol: Protocol) -> _Matches:
    order = np.argsort(-image.scores, kind="stable")[: protocol.max_detections[-1]]
    areas = image.truth_areas
    ignored = image.crowd | image.ignored | (areas < limits[0]) | (areas > limits[1])
    least = np.minimum(protocol.thresholds, 1 - 1e-10)[:, None]
    free = np.ones((len(least), len(areas)), np.bool_)
    matched = np.zeros((len(least), len(order)), np.bool_)
    skipped = np.zeros_like(matched)
    row = np.arange(len(least))
    for i, detection in enumerate(order if len(areas) else []):
        similar = image.similarity[detection]
        able = (free | image.crowd) & (similar >= least)
        wanted = able & ~ignored
        regular = wanted.any(axis=1)
        candidates = np.where(regular[:, None], wanted, able)
        values = np.where(candidates, similar, -1.0)
        best = len(areas) - 1 - values[:, ::-1].argmax(axis=1)  # The last of equals.
        matched[:, i] = candidates.any(axis=1)
        skipped[:, i] = matched[:, i] & ~regular
        free[row[matched[:, i]], best[matched[:, i]]] = False
    areas_d = image.detection_areas[order]
    outside = (areas_d < limits[0]) | (areas_d > limits[1])
    skipped |= ~matched & outside
    return _Matches(image.scores[order], matched, skipped, int((~ignored).sum()))


def _accumulate(matches: Sequence[_Matches], number: int) -> tuple[Array, Array] | None:
    """Precision [T, R] and recall [T] by the best `number` detections of each image."""
    objects = sum(match.objects for match in matches)
    if objects == 0:
        return None
    scores = np.concatenate([match.scores[:number] for match in matches])
    order = np.argsort(-scores, kind="stable")
    matched = np.concatenate([match.matched[:, :number] for match in matches], axis=1)[:, order]
    ignored = np.concatenate([match.ignored[:, :number] for match in matches], axis=1)[:, order]
    true = np.cumsum(matched & ~ignored, axis=1).astype(np.float64)
    false = np.cumsum(~matched & ~ignored, axis=1).astype(np.float64)
    count = len(order)
    precision = np.zeros((len(true), len(RECALLS)))
    if count == 0:
        return precision, np.zeros(len(true))
    recall = true / objects
    exact = true / (false + true + np.spacing(1))
    best = np.maximum.accumulate(exact[:, ::-1], axis=1)[:, ::-1]
    for t in range(len(true)):
        reached = np.searchsorted(recall[t], RECALLS, side="left")
        precision[t, reached < count] = best[t, reached[reached < count]]
    return precision, recall[:, -1]


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
