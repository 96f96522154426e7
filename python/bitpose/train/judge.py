# SPDX-License-Identifier: Apache-2.0
"""How near people that were found are to the true ones: boxes, keypoints, surface and body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import default_surface
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
    Prediction,
    geodesic_errors,
    gps_similarity,
    ignore_unannotated,
)
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


@dataclass(frozen=True, eq=False)
class Judged:
    """One scene: all that figures of many are made of."""

    boxes: Image
    keypoints: Image
    surface: Image
    parts: Array
    """[M]: of each person who was found, the share of points whose part is right."""
    geodesic: Array
    """[P] metres: of points of them where a part is told."""
    told: Array
    """[M]: the share of such points."""
    pa_mpjpe: Array
    """[M] millimetres."""
    mpjpe: Array


def judged(found: Sequence[Found], true: Sequence[Truth]) -> Judged:
    surface = default_surface.load()
    atlas, geodesic = surface.charts.atlas(), surface.geodesic
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
        similar = gps_similarity(predictions, points, atlas, geodesic)
        similar, bare = ignore_unannotated(similar, points, boxes, wanted)
        unknown = ignored | bare
        labels = np.array([person.keypoints for person in true])
        xy = np.array([person.keypoints[:, :2] for person in found])
        near = oks(xy, labels[..., :2], labels[..., 2], areas, wanted)
    hidden = np.array([not (person.keypoints[:, 2] > 0).any() for person in true], np.bool_)
    parts, distances, told, aligned, plain = [], [], [], [], []
    for i, j in _pairs(overlap, scores, ignored):
        body = found[i].joints
        if body is not None:
            aligned.append(pa_mpjpe(body, true[j].joints))
            plain.append(mpjpe(body, true[j].joints, 0))
        if len(points[j].vertices):
            told_part, _, _ = predictions[i].at(points[j].xy)
            parts.append(float((told_part == true[j].parts).mean()))
            errors = geodesic_errors(predictions[i], points[j], atlas, geodesic)
            distances.append(errors[np.isfinite(errors)])
            told.append(float(np.isfinite(errors).mean()))
    return Judged(
        image(overlap, ignored),
        image(near, ignored | hidden),
        image(similar, unknown),
        np.array(parts),
        np.concatenate([*distances, np.zeros(0)]),
        np.array(told),
        np.array(aligned),
        np.array(plain),
    )


def _none(boxes: Array, wanted: Array) -> Array:
    return np.zeros((len(boxes), len(wanted)))


def _xywh(box: Array) -> list[float]:
    left, top, right, bottom = map(float, box)
    return [left, top, right - left, bottom - top]


def _pairs(overlap: Array, scores: Array, ignored: Array) -> list[tuple[int, int]]:
    """Who was found as whom: the surest first, each the true one that their box overlaps most."""
    free = ~ignored
    pairs = []
    for i in np.argsort(-scores, kind="stable"):
        candidates = np.where(free, overlap[i], 0) if len(free) else np.zeros(0)
        if len(candidates) and candidates.max() >= _MATCHED:
            j = int(candidates.argmax())
            free[j] = False
            pairs.append((int(i), j))
    return pairs


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
