# SPDX-License-Identifier: Apache-2.0
"""Networks of `bitpose.train` that see a whole photo at once: boxes, surface, keypoints, bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.pose.body_head import ESTIMATE, SeenBody, decode_body
from bitpose.pose.boxes import Boxes, suppressed
from bitpose.pose.decode import Keypoints, decode_coco_heatmaps
from bitpose.pose.detectors import decode_own as decode_boxes
from bitpose.pose.feed import PictureInput, Pixels
from bitpose.pose.photo import MARGIN, Placement, letterbox
from bitpose.pose.reading import OWN_NOISE, Reading, Sighting
from bitpose.pose.skeleton import COCO_17, Skeleton
from bitpose.pose.surface_scores import OwnHeads
from bitpose.session import InferenceSession

Array = NDArray[Any]

_PIXELS = Pixels(divisor=1.0)
_MOST_OVERLAP = 0.6
#: Least scores of a person and of a keypoint.
_PERSON, _KEYPOINT = 0.3, 0.3
#: A cell belongs to whose middle it points at, if it lies in their box grown by this share, and the
#: point no farther from it than this share of the box's longer side.
_GROWN, _NEAR = 0.15, 0.35
_NAMES = ("middle", "sides", "part", "uv", "heat", "towards", "estimate")


@dataclass(frozen=True, eq=False)
class SceneReader:
    """A network and the format of its input."""

    session: InferenceSession
    source: PictureInput
    threshold: float

    @classmethod
    def of(cls, session: InferenceSession, threshold: float | None = None) -> SceneReader | None:
        """Recognised by the names and shapes of its outputs; None for another network."""
        outputs = {y.name: tuple(y.extents) for y in session.get_outputs()}
        if set(outputs) != set(_NAMES) or outputs["estimate"][3:] != (ESTIMATE,):
            return None
        source = PictureInput.of(session.get_inputs())
        return cls(session, source, _PERSON if threshold is None else threshold)

    @property
    def skeleton(self) -> Skeleton:
        return COCO_17

    def run(self, photo: Image.Image) -> list[Sighting]:
        """Everyone, the surest first, in pixels of the photo."""
        size = self.source.height, self.source.width
        picture, placement = letterbox(photo, *size)
        values = self.session.run(list(_NAMES), self.source.feed(picture, _PIXELS))
        outputs = dict(zip(_NAMES, values, strict=True))
        found = decode_boxes([outputs["middle"], outputs["sides"]], *size).above(self.threshold)
        boxes = suppressed(found, _MOST_OVERLAP)
        owner = _owners(outputs["towards"][0], boxes, size)
        sightings = []
        for number, corners in enumerate(boxes.corners):
            reading = _reading(outputs, owner, number, corners, size).placed(placement)
            place = placement.to_photo(corners.reshape(2, 2).astype(np.float32))
            box = np.clip(place, 0, photo.size).reshape(4)
            if (box[2:] - box[:2] >= 1).all():
                sightings.append(Sighting(box, float(boxes.scores[number]), reading))
        return sightings


def _cells(maps: Array, size: tuple[int, int]) -> Array:
    """[h, w, 2]: the middles of the cells of maps [h, w, ...] in pixels of the input."""
    rows, columns = maps.shape[:2]
    y, x = np.mgrid[:rows, :columns] + 0.5
    return np.stack([x * size[1] / columns, y * size[0] / rows], axis=-1)


def _owners(towards: Array, boxes: Boxes, size: tuple[int, int]) -> NDArray[np.int64]:
    """[h, w]: the box that each cell belongs to, were it a person's, or -1."""
    cells = _cells(towards, size)
    if not len(boxes.corners):
        return np.full(towards.shape[:2], -1)
    points = cells + towards * max(size)
    low, high = boxes.corners[:, :2], boxes.corners[:, 2:]
    extents = high - low
    apart = np.linalg.norm(points[..., None, :] - (low + high) / 2, axis=-1)
    apart = apart / np.maximum(extents.max(axis=1), 1)
    at = cells[..., None, :]
    inside = ((at >= low - _GROWN * extents) & (at <= high + _GROWN * extents)).all(axis=-1)
    apart = np.where(inside, apart, np.inf)
    return np.where(apart.min(axis=-1) <= _NEAR, apart.argmin(axis=-1), -1)


def _reading(
    outputs: Mapping[str, Array],
    owner: NDArray[np.int64],
    number: int,
    corners: Array,
    size: tuple[int, int],
) -> Reading:
    """Of one person, in pixels of the input."""
    own = owner == number
    surface = OwnHeads(0, 1).read([outputs["part"], outputs["uv"]], *size)
    background, person = surface.coarse
    coarse = np.stack([background, np.where(own, person, background - 1)])
    # Keypoints that are hidden lie where nobody or somebody else is seen.
    others = (owner >= 0) & ~own & (outputs["part"][0].argmax(axis=-1) > 0)
    cells = _cells(owner, size)
    grown = _GROWN * (corners[2:] - corners[:2])
    near = ((cells >= corners[:2] - grown) & (cells <= corners[2:] + grown)).all(axis=-1)
    weight = np.where(near, np.where(others, 0.5, 1.0), 0.0)[..., None].astype(np.float32)
    heat = (outputs["heat"][0] * weight).transpose(2, 0, 1)
    keypoints: Keypoints = decode_coco_heatmaps([heat[None]], *size)
    return Reading(
        keypoints,
        _KEYPOINT,
        _body(outputs["estimate"][0], corners, size),
        replace(surface, coarse=coarse),
        OWN_NOISE,
    )


def _body(estimates: Array, corners: Array, size: tuple[int, int]) -> SeenBody | None:
    """What is told in the middle of the box, of the square around it."""
    rows, columns = estimates.shape[:2]
    middle = (corners[:2] + corners[2:]) / 2
    column, row = (middle * (columns / size[1], rows / size[0])).astype(np.int64)
    estimate = estimates[np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)]
    body = decode_body(estimate, 2, 2)  # From -1 to 1 is 0 to 2.
    if body is None:
        return None
    half = MARGIN * float((corners[2:] - corners[:2]).max()) / 2
    left, top = (middle - half).tolist()
    return body.placed(Placement(1 / half, -left / half, -top / half))
