# SPDX-License-Identifier: Apache-2.0
"""From a photo to people: a detector, a network that looks at each person, and a body fitted to
what it sees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.pose.bodies import Bodies, Refine
from bitpose.pose.person import Body, Person
from bitpose.pose.person_detector import PersonDetector
from bitpose.pose.photo import Box, Photo, as_photo, focal_of
from bitpose.pose.reading import PersonNetwork, Reading
from bitpose.render import PerspectiveCamera
from bitpose.session import InferenceSession

Array = NDArray[Any]
Network = InferenceSession | str | PathLike[str]

#: Focal length over the longer side of a photo that does not tell.
_USUAL_FOCAL = 1.2
#: A person who fills less than this of a photo's longer side is looked at again from nearer.
_NEAR_ENOUGH = 0.7


class Estimator:
    """Finds people with networks of a user's. Made once for many photos.

    `network` sees one person, `detector` finds boxes of people; without one the photo is taken to
    show one person. Sessions, or paths of .onnx or .bpm files; their kinds are recognised by their
    outputs (`bitpose.pose.reading`, `bitpose.pose.detectors`). `threshold` is the least score of a
    box, `focal` a focal length in pixels for all photos. `refine` says what becomes of a body that
    the network predicts: `bitpose.pose.bodies.Bodies`; one that gives keypoints only predicts none.

    Raises InputError for networks of no known kind.
    """

    def __init__(
        self,
        network: Network,
        detector: Network | None = None,
        *,
        threshold: float | None = None,
        focal: float | None = None,
        threads: int = 1,
        refine: Refine = "warm",
    ) -> None:
        self._network = PersonNetwork.of(_session(network, threads))
        self._detector = (
            None if detector is None else PersonDetector.of(_session(detector, threads), threshold)
        )
        self._bodies = Bodies(self._network.kind.skeleton, refine)
        self._focal = focal

    def __call__(self, image: Photo) -> list[Person]:
        """The people in a photo (path, PIL image or uint8 array [H, W, 3] or [H, W]), the surest
        first. Raises InputError for what is no picture."""
        photo = as_photo(image)
        camera = self._camera(photo)
        seen = self._seen(photo)
        bodies = self._bodies.of([reading for reading, _, _ in seen], camera)
        people = [
            self._person(reading, score, box, camera, body)
            for (reading, score, box), body in zip(seen, bodies, strict=True)
        ]
        return sorted(people, key=lambda person: -person.score)

    def _camera(self, photo: Image.Image) -> PerspectiveCamera:
        focal = self._focal or focal_of(photo) or _USUAL_FOCAL * max(photo.size)
        return PerspectiveCamera(width=photo.width, height=photo.height, fx=focal, fy=focal)

    def _seen(self, photo: Image.Image) -> list[tuple[Reading, float, Array]]:
        """What the network says of each person, score and box [4]."""
        if self._detector is not None:
            boxes = self._detector.run(photo)
            return [
                (self._network.run(photo, _box(corners)), float(score), corners)
                for corners, score in zip(boxes.corners, boxes.scores, strict=True)
            ]
        found = self._network.run(photo, None)
        if found.box is not None and _extent(found.box) < _NEAR_ENOUGH * max(photo.size):
            found = self._network.run(photo, _box(found.box))
        return [] if found.box is None else [(found, found.score, np.array(found.box))]

    def _person(
        self,
        found: Reading,
        score: float,
        box: Array,
        camera: PerspectiveCamera,
        body: Body | None,
    ) -> Person:
        left, top, right, bottom = map(float, box)
        person = Person((left, top, right, bottom), score, found.keypoints, camera, body)
        return replace(person, keypoints=self._bodies.as_coco(person))


def estimate(image: Photo, network: Network, detector: Network | None = None) -> list[Person]:
    """The people in one photo; see `Estimator`, which keeps its networks for many."""
    return Estimator(network, detector)(image)


def _session(network: Network, threads: int) -> InferenceSession:
    if isinstance(network, InferenceSession):
        return network
    return InferenceSession(network, threads=threads)


def _extent(corners: Sequence[float]) -> float:
    return max(corners[2] - corners[0], corners[3] - corners[1])


def _box(corners: Iterable[float]) -> Box:
    left, top, right, bottom = map(float, corners)
    return Box(left, top, right - left, bottom - top)
