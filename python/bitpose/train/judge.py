# SPDX-License-Identifier: Apache-2.0
"""How near people that were found are to the true ones: boxes, keypoints, surface and body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import default_surface
from bitpose.body.geodesics import GeodesicTable
from bitpose.metrics import (
    DETECTION,
    PEOPLE,
    Image,
    average_precision,
    box_iou,
    mpjpe,
    oks,
    pa_mpjpe,
)
from bitpose.metrics.dense_pose import (
    Atlas,
    Prediction,
    geodesic_errors,
    gps_similarity,
    ignore_unannotated,
)
from bitpose.pose.person import Person
from bitpose.train.truth import Truth

Array = NDArray[Any]

_MATCHED = 0.5
_RESAMPLED, _WITHIN = 400, (2.5, 97.5)


@dataclass(frozen=True, eq=False)
class Found:
    """One person, as whoever is judged says."""

    box: Array
    """[4]: left, top, right, bottom."""
    score: float
    keypoints: Array
    """[17, 3]: x, y, score."""
    iuv: NDArray[np.uint8]
    """[H, W, 3] over the whole picture, as DensePose stores it."""
    joints: Array | None
    """[24, 3] metres, camera frame."""

    @classmethod
    def of(cls, person: Person) -> Found:
        """Somebody whom an estimator found."""
        maps, posed = person.maps, person.posed
        return cls(
            np.array(person.box),
            person.score,
            person.keypoints.rows,
            np.zeros((1, 1, 3), np.uint8) if maps is None else maps.iuv,
            None if posed is None else posed.t_world_joint,
        )


@dataclass(frozen=True, eq=False)
class Comparison:
    """Of somebody who was found with who they are."""

    overlap: float
    """Intersection over union of the boxes."""
    keypoints: Array
    """[K] pixels that labelled keypoints are off."""
    parts: float
    """The share of points of the surface whose part is right; NaN without points."""
    geodesic: Array
    """[P] metres along the surface: of points where a part is told."""
    told: float
    """The share of such points."""
    pa_mpjpe: float
    """Millimetres; NaN without a body."""
    mpjpe: float

    @classmethod
    def of(cls, found: Found, true: Truth) -> Comparison:
        labelled = true.keypoints[:, 2] > 0
        off = np.linalg.norm(found.keypoints[:, :2] - true.keypoints[:, :2], axis=1)
        parts = told = aligned = plain = float("nan")
        errors = np.zeros(0)
        if len(true.parts):
            prediction = Prediction(found.iuv)
            part, _, _ = prediction.at(true.points.xy)
            parts = float((part == true.parts).mean())
            errors = geodesic_errors(prediction, true.points, *_measure())
            told = float(np.isfinite(errors).mean())
        if found.joints is not None:
            aligned, plain = (
                pa_mpjpe(found.joints, true.joints),
                mpjpe(found.joints, true.joints, 0),
            )
        boxes = (np.array([_xywh(box)]) for box in (found.box, true.box))
        overlap = float(box_iou(*boxes)[0, 0])
        near = errors[np.isfinite(errors)]
        return cls(overlap, off[labelled], parts, near, told, aligned, plain)


@dataclass(frozen=True, eq=False)
class Judged:
    """One scene: all that figures of many are made of."""

    boxes: Image
    keypoints: Image
    surface: Image
    parts: Array
    """[M]: of each person who was found."""
    told: Array
    """[M]."""
    geodesic: Array
    """[P] metres: of all of them."""
    pa_mpjpe: Array
    """[M] millimetres."""
    mpjpe: Array


def judged(found: Sequence[Found], true: Sequence[Truth]) -> Judged:
    boxes = np.array([_xywh(person.box) for person in found]).reshape(-1, 4)
    wanted = np.array([_xywh(person.box) for person in true]).reshape(-1, 4)
    scores = np.array([person.score for person in found])
    ignored = np.array([person.ignored for person in true], np.bool_)
    areas = np.array([person.area for person in true])
    overlap = box_iou(boxes, wanted) if len(boxes) and len(wanted) else _none(boxes, wanted)

    def image(similarity: Array, unasked: Array) -> Image:
        own = boxes[:, 2] * boxes[:, 3]
        return Image(similarity, scores, own, areas, np.zeros(len(true), np.bool_), unasked)

    predictions = [Prediction(person.iuv) for person in found]
    points = [person.points for person in true]
    similar, unknown = _none(boxes, wanted), ignored
    near = _none(boxes, wanted)
    if len(boxes) and len(wanted):
        similar = gps_similarity(predictions, points, *_measure())
        similar, bare = ignore_unannotated(similar, points, boxes, wanted)
        unknown = ignored | bare
        labels = np.array([person.keypoints for person in true])
        xy = np.array([person.keypoints[:, :2] for person in found])
        near = oks(xy, labels[..., :2], labels[..., 2], areas, wanted)
    hidden = np.array([not (person.keypoints[:, 2] > 0).any() for person in true], np.bool_)
    compared = [Comparison.of(found[i], true[j]) for j, i in paired(found, true).items()]

    def all_of(name: str) -> Array:
        values = np.array([getattr(x, name) for x in compared], np.float64)
        return values[np.isfinite(values)]

    return Judged(
        boxes=image(overlap, ignored),
        keypoints=image(near, ignored | hidden),
        surface=image(similar, unknown),
        parts=all_of("parts"),
        told=all_of("told"),
        geodesic=np.concatenate([*(x.geodesic for x in compared), np.zeros(0)]),
        pa_mpjpe=all_of("pa_mpjpe"),
        mpjpe=all_of("mpjpe"),
    )


def paired(found: Sequence[Found], true: Sequence[Truth]) -> dict[int, int]:
    """Who, of `true`, was found as whom: the surest first, each the one that their box overlaps
    most, by half or more. Those who are to be ignored are not in it."""
    free = np.array([not person.ignored for person in true], np.bool_)
    wanted = np.array([_xywh(person.box) for person in true]).reshape(-1, 4)
    pairs: dict[int, int] = {}
    for i in sorted(range(len(found)), key=lambda i: -found[i].score):
        if free.any():
            overlap = box_iou(np.array([_xywh(found[i].box)]), wanted)[0]
            j = int(np.where(free, overlap, 0).argmax())
            if overlap[j] >= _MATCHED and free[j]:
                free[j] = False
                pairs[j] = i
    return pairs


@cache
def _measure() -> tuple[Atlas, GeodesicTable]:
    """Vertices of the default body by chart, and distances between them."""
    surface = default_surface.load()
    return surface.charts.atlas(), surface.geodesic


def _none(boxes: Array, wanted: Array) -> Array:
    return np.zeros((len(boxes), len(wanted)))


def _xywh(box: Array) -> list[float]:
    left, top, right, bottom = map(float, box)
    return [left, top, right - left, bottom - top]


#: Figures of many scenes by their names.
FIGURES: dict[str, Callable[[Sequence[Judged]], float]] = {
    "box AP50": lambda many: _ap([x.boxes for x in many], DETECTION, 0.5),
    "box AP": lambda many: _ap([x.boxes for x in many], DETECTION, None),
    "OKS AP": lambda many: _ap([x.keypoints for x in many], PEOPLE, None),
    "GPS AP": lambda many: _ap([x.surface for x in many], PEOPLE, None),
    "part accuracy": lambda many: _mean([x.parts for x in many]),
    "geodesic, cm": lambda many: 100 * _mean([x.geodesic for x in many]),
    "told": lambda many: _mean([x.told for x in many]),
    "PA-MPJPE, mm": lambda many: _mean([x.pa_mpjpe for x in many]),
    "MPJPE, mm": lambda many: _mean([x.mpjpe for x in many]),
}


def _ap(images: Sequence[Image], protocol: Any, threshold: float | None) -> float:
    return average_precision(images, protocol).ap(threshold=threshold)


def _mean(parts: Sequence[Array]) -> float:
    values = np.concatenate(parts)
    return float(values.mean()) if len(values) else float("nan")


def interval(figure: str, many: Sequence[Judged], seed: int = 0) -> tuple[float, float]:
    """95 % of what the figure is for as many scenes, drawn from these (Efron 1979)."""
    random = np.random.default_rng(seed)
    values = []
    for _ in range(_RESAMPLED):
        drawn = random.integers(len(many), size=len(many))
        values.append(FIGURES[figure]([many[i] for i in drawn]))
    low, high = np.nanpercentile(values, _WITHIN)
    return float(low), float(high)
