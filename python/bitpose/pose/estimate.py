# SPDX-License-Identifier: Apache-2.0
"""From a photo to people: a detector, a keypoint network for each person, and a body fitted to its
keypoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.body.fit import Fit, Fitter, View, fit_scene
from bitpose.body.fit.fitter import FEWEST
from bitpose.body.keypoints import KeypointRegressor
from bitpose.errors import InputError
from bitpose.pose.boxes import Boxes, suppressed
from bitpose.pose.decode import Convention, Keypoints, find_convention
from bitpose.pose.detectors import Detector, find_detector
from bitpose.pose.feed import PictureInput
from bitpose.pose.person import Person
from bitpose.pose.photo import Box, Photo, as_photo, crop, focal_of, letterbox
from bitpose.pose.skeleton import COCO_17
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

    `network` gives keypoints of one person, `detector` boxes of people; without one the photo is
    taken to show one person. Sessions, or paths of .onnx or .bpm files; their kinds are recognised
    by their outputs (`bitpose.pose.decode`, `bitpose.pose.detectors`). `threshold` is the least
    score of a box, `focal` a focal length in pixels for all photos.

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
    ) -> None:
        self._posing = _Posing.of(_session(network, threads))
        self._detecting = (
            None if detector is None else _Detecting.of(_session(detector, threads), threshold)
        )
        self._focal = focal

    def __call__(self, image: Photo) -> list[Person]:
        """The people in a photo (path, PIL image or uint8 array [H, W, 3] or [H, W]), the surest
        first. Raises InputError for what is no picture."""
        photo = as_photo(image)
        longer = max(photo.size)
        focal = self._focal or focal_of(photo) or _USUAL_FOCAL * longer
        camera = PerspectiveCamera(width=photo.width, height=photo.height, fx=focal, fy=focal)
        seen = self._seen(photo)
        fits = self._posing.fitted([found for found, _, _ in seen], camera)
        people = [
            self._person(found, score, box, camera, fit)
            for (found, score, box), fit in zip(seen, fits, strict=True)
        ]
        return sorted(people, key=lambda person: -person.score)

    def _seen(self, photo: Image.Image) -> list[tuple[Keypoints, float, Array]]:
        """Keypoints, score and box [4] of each person."""
        if self._detecting is not None:
            boxes = self._detecting.run(photo)
            return [
                (self._posing.run(photo, _box(corners)), float(score), corners)
                for corners, score in zip(boxes.corners, boxes.scores, strict=True)
            ]
        threshold = self._posing.kind.threshold
        found = self._posing.run(photo, None)
        box = found.box(threshold)
        if box is not None and _extent(box) < _NEAR_ENOUGH * max(photo.size):
            found = self._posing.run(photo, _box(box))
            box = found.box(threshold)
        if box is None:
            return []
        return [(found, float(found.score[found.score >= threshold].mean()), np.array(box))]

    def _person(
        self,
        found: Keypoints,
        score: float,
        box: Array,
        camera: PerspectiveCamera,
        fit: Fit | None,
    ) -> Person:
        left, top, right, bottom = map(float, box)
        person = Person((left, top, right, bottom), score, found, camera, fit)
        return replace(person, keypoints=self._posing.as_coco(person))


@dataclass(frozen=True, eq=False)
class _Detecting:
    session: InferenceSession
    source: PictureInput
    kind: Detector
    threshold: float

    @classmethod
    def of(cls, session: InferenceSession, threshold: float | None) -> _Detecting:
        source = PictureInput.of(session.get_inputs())
        kind = find_detector(_shapes(session), source.height, source.width)
        if kind is None:
            raise InputError(f"no known kind of detector has the outputs {_described(session)}")
        if kind.person is None:
            raise InputError(f"{kind.name} does not find people; give a detector of persons")
        return cls(session, source, kind, kind.threshold if threshold is None else threshold)

    def run(self, photo: Image.Image) -> Boxes:
        """The boxes of people, in pixels of the photo."""
        size = self.source.height, self.source.width
        picture, placement = letterbox(photo, *size)
        outputs = self.session.run(None, self.source.feed(picture, self.kind.pixels))
        found = self.kind.decode(outputs, *size).above(self.threshold)
        people = suppressed(found[found.classes == self.kind.person], self.kind.most_overlap)
        corners = placement.to_photo(people.corners.reshape(-1, 2, 2).astype(np.float32))
        inside = np.clip(corners, 0, photo.size).reshape(-1, 4)
        real = (inside[:, 2:] - inside[:, :2] >= 1).all(axis=1)
        return Boxes(inside, people.scores, people.classes)[real]


@dataclass(frozen=True, eq=False)
class _Posing:
    session: InferenceSession
    source: PictureInput
    kind: Convention

    @classmethod
    def of(cls, session: InferenceSession) -> _Posing:
        source = PictureInput.of(session.get_inputs())
        kind = find_convention(_shapes(session), source.height, source.width)
        if kind is None:
            raise InputError(
                f"no known kind of keypoint network has the outputs {_described(session)}"
            )
        return cls(session, source, kind)

    def run(self, photo: Image.Image, box: Box | None) -> Keypoints:
        """The keypoints of the person in a box, or in the photo, in pixels of the photo."""
        size = self.source.height, self.source.width
        part, left, top = (
            (photo, 0, 0)
            if box is None
            else crop(photo, box.framed(self.source.width / self.source.height, self.kind.margin))
        )
        picture, placement = letterbox(part, *size)
        outputs = self.session.run(None, self.source.feed(picture, self.kind.pixels))
        return self.kind.decode(outputs, *size).placed(placement.shifted(left, top))

    @cached_property
    def _fitter(self) -> tuple[Fitter, Array]:
        """Of the keypoints that the body has, and their indices in those of the network."""
        from bitpose.body import BodyModel

        model = BodyModel.load(dtype=np.float64)
        names = self.kind.skeleton.keypoints
        regressor, known = KeypointRegressor.of_names(model.keypoints, names)
        return Fitter(model, regressor), known

    def fitted(self, people: Sequence[Keypoints], camera: PerspectiveCamera) -> list[Fit | None]:
        """The body behind each, where enough keypoints were seen; together they say where up is."""
        fitter = self._fitter[0]
        views = [self._view(found, camera) for found in people]
        enough = [view for view in views if len(np.unique(view.seen, axis=0)) >= FEWEST]
        if len(enough) > 1:
            fits = iter(fit_scene(fitter, enough).people)
        else:
            fits = iter([fitter.fit([view]) for view in enough])
        return [next(fits) if view in enough else None for view in views]

    def _view(self, found: Keypoints, camera: PerspectiveCamera) -> View:
        """What the fitter is told of a person."""
        known = self._fitter[1]
        score = found.score[known].astype(np.float64)
        seen = np.where(score >= self.kind.threshold, np.clip(score, 0, 1), 0.0)
        center = camera.cx, camera.cy
        return View(found.xy[known].astype(np.float64), seen, center=center, focal=camera.fx)

    def as_coco(self, person: Person) -> Keypoints:
        """COCO's keypoints: those of the network; what it does not give is that of the body, as
        sure as the least sure of the others."""
        found = person.keypoints
        if found.skeleton is COCO_17:
            return found
        own = {name: i for i, name in enumerate(found.skeleton.keypoints)}
        xy = np.zeros((len(COCO_17.keypoints), 2), np.float32)
        score = np.zeros(len(xy), np.float32)
        if person.mesh is not None:
            points = self._fitter[0].model.keypoints["COCO-17"].positions(person.mesh.vertices)
            projected, _ = person.camera.project(points)
            xy[:] = np.nan_to_num(projected)
            score[:] = found.score.min()
        for i, name in enumerate(COCO_17.keypoints):
            if name in own:
                xy[i], score[i] = found.xy[own[name]], found.score[own[name]]
        return Keypoints(COCO_17, xy, score)


def estimate(image: Photo, network: Network, detector: Network | None = None) -> list[Person]:
    """The people in one photo; see `Estimator`, which keeps its networks for many."""
    return Estimator(network, detector)(image)


def _session(network: Network, threads: int) -> InferenceSession:
    if isinstance(network, InferenceSession):
        return network
    return InferenceSession(network, threads=threads)


def _shapes(session: InferenceSession) -> list[tuple[int, ...]]:
    return [tuple(y.extents) for y in session.get_outputs()]


def _described(session: InferenceSession) -> str:
    return ", ".join(str(y) for y in session.get_outputs())


def _extent(corners: Sequence[float]) -> float:
    return max(corners[2] - corners[0], corners[3] - corners[1])


def _box(corners: Iterable[float]) -> Box:
    left, top, right, bottom = map(float, corners)
    return Box(left, top, right - left, bottom - top)
