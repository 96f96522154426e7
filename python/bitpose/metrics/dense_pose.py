# SPDX-License-Identifier: Apache-2.0
"""How near predicted points of the body's surface are to annotated ones: GPS and its kin.

An annotated person has P points: a place in the image, and the vertex of a template that is seen
there. A prediction is an IUV map in a box of the image; at each place it names a part and (U, V),
and so a vertex, whose geodesic distance from the annotated one is what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError
from bitpose.metrics.overlap import box_iou

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
#: Geodesic distances [P] in metres between vertices [P] and [P].
Geodesic = Callable[[Indices, Indices], Array]

PART_COUNT = 24
#: Of each part, 0 being the background, which of eight groups it belongs to: torso, hands, feet,
#: upper legs, lower legs, upper arms, lower arms, head.
PART_GROUPS = np.array([0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8, 8])
#: kappa of each group in metres: how far points of a group are apart in the mean. 0 has none.
GROUP_KAPPA = np.array([np.nan, 0.351, 0.107, 0.126, 0.237, 0.173, 0.142, 0.128, 0.150])
#: One kappa for all, that of the first DensePose paper: at 0.3 m a point counts half.
KAPPA = 0.255
#: A detection whose box overlaps an unannotated person's by so much is taken to be of it.
SAME_PERSON_IOU = 0.8


@dataclass(frozen=True)
class Atlas:
    """Vertices of a template by chart: `parts` [V], 1 .. 24, and `uv` [V, 2] in [0, 1]."""

    parts: NDArray[np.uint8]
    uv: NDArray[np.float64]

    def __post_init__(self) -> None:
        parts, uv = np.asarray(self.parts), np.asarray(self.uv, np.float64)
        if parts.ndim != 1 or uv.shape != (len(parts), 2) or not np.isfinite(uv).all():
            raise InputError(f"parts {parts.shape} and uv {uv.shape} must be (V,) and (V, 2)")
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "uv", uv)

    def parts_of(self, points: Points) -> NDArray[np.uint8]:
        """[P]: the part of each annotated vertex."""
        vertices = points.vertices
        if vertices.size and not (vertices.min() >= 0 and vertices.max() < len(self.parts)):
            raise InputError(f"points name vertices that do not exist; there are {len(self.parts)}")
        return self.parts[vertices]

    def nearest(self, part: ArrayLike, u: ArrayLike, v: ArrayLike) -> Indices:
        """[P]: the vertex of each part that is nearest in (U, V), of equals the first.

        -1 for the background and for parts without vertices.
        """
        parts = np.asarray(part)
        points = np.stack([np.asarray(u, np.float64), np.asarray(v, np.float64)], -1)
        found = np.full(parts.shape, -1, np.int64)
        for value in np.unique(parts[parts > 0]):
            members = np.flatnonzero(self.parts == value)
            if len(members):
                here = parts == value
                offset = points[here][:, None] - self.uv[members]
                found[here] = members[(offset**2).sum(axis=-1).argmin(axis=1)]
        return found


@dataclass(frozen=True)
class Points:
    """What is annotated of one person: `xy` [P, 2] in pixels of the image, `vertices` [P]."""

    xy: Array
    vertices: Indices

    def __post_init__(self) -> None:
        xy, vertices = np.asarray(self.xy, np.float64), np.asarray(self.vertices, np.int64)
        if xy.shape != (len(vertices), 2) or vertices.ndim != 1 or not np.isfinite(xy).all():
            raise InputError(f"xy {xy.shape} and vertices {vertices.shape}: (P, 2) and (P,)")
        object.__setattr__(self, "xy", xy)
        object.__setattr__(self, "vertices", vertices)


@dataclass(frozen=True)
class Prediction:
    """An IUV map [H, W, 3] uint8, as in render's Maps.iuv, whose corner lies at (left, top)."""

    iuv: NDArray[np.uint8]
    left: float = 0.0
    top: float = 0.0

    def __post_init__(self) -> None:
        if self.iuv.ndim != 3 or self.iuv.shape[2] != 3 or self.iuv.dtype != np.uint8:
            raise InputError(f"an IUV map is {self.iuv.dtype} {self.iuv.shape}: uint8 (H, W, 3)")

    def at(self, xy: Array) -> tuple[NDArray[np.uint8], Array, Array]:
        """I, U, V [P] of the pixels that hold these points of the image; I = 0 outside."""
        x, y = np.trunc(xy[:, 0] - self.left), np.trunc(xy[:, 1] - self.top)
        height, width = self.iuv.shape[:2]
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        inside &= (xy[:, 0] >= self.left) & (xy[:, 1] >= self.top)
        iuv = np.zeros((len(xy), 3), np.uint8)
        iuv[inside] = self.iuv[y[inside].astype(np.int64), x[inside].astype(np.int64)]
        return iuv[:, 0], iuv[:, 1] / 255, iuv[:, 2] / 255


def geodesic_errors(
    prediction: Prediction, points: Points, atlas: Atlas, geodesic: Geodesic
) -> Array:
    """[P]: metres along the surface; infinite where the background is predicted."""
    found = atlas.nearest(*prediction.at(points.xy))
    errors = np.full(len(found), np.inf)
    hit = found >= 0
    errors[hit] = geodesic(points.vertices[hit], found[hit])
    if not (errors >= 0).all():
        raise InputError("geodesic distances must not be negative, nor NaN")
    return errors


def gps(errors: ArrayLike, kappa: ArrayLike) -> float:
    """Geodesic point similarity: the mean of exp(-g^2 / (2 kappa^2)) over points.

    `errors` [P] in metres, `kappa` in metres, one or [P]. 0 without points.
    """
    distances, scale = np.asarray(errors, np.float64), np.asarray(kappa, np.float64)
    if not (distances >= 0).all() or not (scale > 0).all():
        raise InputError("errors must not be negative or NaN, and kappa must be positive")
    if distances.ndim != 1 or scale.shape not in ((), distances.shape):
        raise InputError(f"errors {distances.shape} and kappa {scale.shape}: (P,), and () or (P,)")
    if distances.size == 0:
        return 0.0
    return float(np.exp(-(distances**2) / (2 * scale**2)).mean())


def kappa_of(parts: ArrayLike) -> Array:
    """The kappa of the group that each part, 1 .. 24, belongs to."""
    given = np.asarray(parts)
    if given.size and not (given.min() >= 1 and given.max() <= PART_COUNT):
        raise InputError("parts of annotated points must be 1 .. 24")
    return np.asarray(GROUP_KAPPA[PART_GROUPS[given]])


def part_accuracy(prediction: Prediction, points: Points, atlas: Atlas) -> float:
    """The share of points whose part is predicted, the background counting as wrong."""
    if len(points.vertices) == 0:
        raise InputError("there are no points")
    part, _, _ = prediction.at(points.xy)
    return float((part == atlas.parts_of(points)).mean())


def gps_similarity(
    predictions: Sequence[Prediction],
    people: Sequence[Points],
    atlas: Atlas,
    geodesic: Geodesic,
    *,
    kappa: float | None = None,
) -> Array:
    """[D, G]: GPS of each prediction and person, with the kappa of the points' groups or one.

    People without points are to be ignored; see `ignore_unannotated`.
    """
    similarity = np.zeros((len(predictions), len(people)))
    for j, points in enumerate(people):
        scale = kappa_of(atlas.parts_of(points)) if kappa is None else np.float64(kappa)
        for i, prediction in enumerate(predictions):
            similarity[i, j] = gps(geodesic_errors(prediction, points, atlas, geodesic), scale)
    return similarity


def gpsm_similarity(gps_values: ArrayLike, mask_overlap: ArrayLike) -> Array:
    """GPSm = sqrt(GPS * IoU of the masks), [D, G] both."""
    a, b = np.asarray(gps_values, np.float64), np.asarray(mask_overlap, np.float64)
    if a.shape != b.shape:
        raise InputError(f"shapes {a.shape} and {b.shape} differ")
    return np.asarray(np.sqrt(a * b))


def ignore_unannotated(
    similarity: ArrayLike,
    people: Sequence[Points],
    detection_boxes: ArrayLike,
    truth_boxes: ArrayLike,
) -> tuple[Array, NDArray[np.bool_]]:
    """Similarities, and which people are to be ignored: those without points.

    As GPS says nothing of them, they are alike (1) to what overlaps their box by 0.8 and more, and
    not at all (0) to anything else. Boxes are left, top, width, height.
    """
    ignored = np.array([len(points.vertices) == 0 for points in people], np.bool_)
    same = box_iou(detection_boxes, truth_boxes) >= SAME_PERSON_IOU
    given = np.asarray(similarity, np.float64)
    if given.shape != same.shape or given.shape[1] != len(people):
        raise InputError(
            f"similarity {given.shape}, boxes {same.shape}, {len(people)} people: must be (D, G)"
        )
    return np.where(ignored, same.astype(np.float64), given), ignored
