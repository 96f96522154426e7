# SPDX-License-Identifier: Apache-2.0
"""From a photo to people: a detector, a network that looks at each person, and a body fitted to
what it sees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.pose.bodies import Bodies, Refine
from bitpose.pose.feed import Pixels
from bitpose.pose.frames import Frames
from bitpose.pose.own_networks import Network, opened
from bitpose.pose.person import Person
from bitpose.pose.person_detector import PersonDetector
from bitpose.pose.photo import Box, Photo, as_photo, focal_of
from bitpose.pose.reading import PersonNetwork, Sighting
from bitpose.pose.sequence import Progress, follow, plain
from bitpose.render import PerspectiveCamera

Array = NDArray[Any]

#: Focal length over the longer side of a photo that does not tell.
_USUAL_FOCAL = 1.2
#: A person who fills less than this of a photo's longer side is looked at again from nearer.
_NEAR_ENOUGH = 0.7


class Estimator:
    """Finds people, with bitpose's own networks or a user's. Made once for many photos.

    `network` sees one person, `detector` finds boxes of people; a file of `bitpose.train.publish`
    has both, and one comes with bitpose. Another network without a detector takes a photo to show
    one person. Sessions, or paths of .onnx or .bpm files; their kinds are recognised by their
    outputs (`bitpose.pose.reading`, `bitpose.pose.detectors`). `threshold` is the least score of a
    box, `focal` a focal length in pixels for all photos. `refine` says what becomes of a body that
    the network predicts: `bitpose.pose.bodies.Bodies`; one that gives keypoints only predicts none.
    `kind` names that of the network (`bitpose.pose.reading.KINDS`), and `pixels` the format of its
    input where it is not the usual one. `fit_surface=False` leaves the surface that a network sees
    out of fits: where its U and V are not those of bitpose's charts.

    Raises InputError for networks of no known kind.
    """

    def __init__(
        self,
        network: Network | None = None,
        detector: Network | None = None,
        *,
        threshold: float | None = None,
        focal: float | None = None,
        threads: int = 1,
        refine: Refine = "warm",
        kind: str | None = None,
        pixels: Pixels | None = None,
        fit_surface: bool = True,
    ) -> None:
        person, boxes = opened(network, detector, threads)
        self._network = PersonNetwork.of(person, kind, pixels)
        self._detector = None if boxes is None else PersonDetector.of(boxes, threshold)
        self._bodies = Bodies(self._network.skeleton, refine, fit_surface)
        self._focal = focal

    def __call__(self, image: Photo) -> list[Person]:
        """The people in a photo (path, PIL image or uint8 array [H, W, 3] or [H, W]), the surest
        first. Raises InputError for what is no picture."""
        photo = as_photo(image)
        camera = self._camera(photo)
        seen = self._seen(photo)
        bodies = self._bodies.of([sighting.reading for sighting in seen], camera)
        return [
            self._bodies.person(sighting, camera, body)
            for sighting, body in zip(seen, bodies, strict=True)
        ]

    def sequence(
        self,
        frames: Frames | str | PathLike[str] | Iterable[Photo],
        frames_per_second: float | None = None,
        progress: Progress = plain,
    ) -> list[list[Person]]:
        """The people in each frame of a sequence: who is who, and how they move, smoothly.

        `frames` are photos of one size, the path of a folder of them, which are sorted by name, or
        of an animated GIF, WebP or PNG; they are read one after the other and not kept. They are
        `frames_per_second`, by default 30, or as long as an animation says. `progress` shows how
        far it is, as rich.progress.track does. Somebody whom a few frames do not show stays in
        them; bodies have no covariance. Raises InputError for what cannot be read.
        """
        known = frames if isinstance(frames, Frames) else Frames.of(frames, frames_per_second)
        return follow(known, self._seen, self._camera, self._bodies, progress)

    def _camera(self, photo: Image.Image) -> PerspectiveCamera:
        focal = self._focal or focal_of(photo) or _USUAL_FOCAL * max(photo.size)
        return PerspectiveCamera(width=photo.width, height=photo.height, fx=focal, fy=focal)

    def _seen(self, photo: Image.Image) -> list[Sighting]:
        """Each person, the surest first."""
        if self._detector is not None:
            boxes = self._detector.run(photo)
            return [
                Sighting(corners, float(score), self._network.run(photo, _box(corners)))
                for corners, score in zip(boxes.corners, boxes.scores, strict=True)
            ]
        found = self._network.run(photo, None)
        if found.box is not None and _extent(found.box) < _NEAR_ENOUGH * max(photo.size):
            found = self._network.run(photo, _box(found.box))
        return [] if found.box is None else [Sighting(np.array(found.box), found.score, found)]


def estimate(
    image: Photo, network: Network | None = None, detector: Network | None = None
) -> list[Person]:
    """The people in one photo; see `Estimator`, which keeps its networks for many."""
    return Estimator(network, detector)(image)


def _extent(corners: Sequence[float]) -> float:
    return max(corners[2] - corners[0], corners[3] - corners[1])


def _box(corners: Iterable[float]) -> Box:
    left, top, right, bottom = map(float, corners)
    return Box(left, top, right - left, bottom - top)
