# SPDX-License-Identifier: Apache-2.0
"""Bodies behind what networks say of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bitpose.body import BodyModel, KeypointRegressor, default_surface
from bitpose.body.fit import Fitter, View, fit_scene
from bitpose.body.fit.fitter import FEWEST
from bitpose.errors import InputError
from bitpose.pose.decode import Keypoints
from bitpose.pose.person import Body, Person
from bitpose.pose.reading import Reading, Sighting
from bitpose.pose.skeleton import COCO_17, NOTHING, Skeleton
from bitpose.render import PerspectiveCamera

Array = NDArray[Any]
Refine = Literal["warm", "full", "none"]
#: Points of a surface that a fit takes.
_POINTS = 100


@dataclass(frozen=True, eq=False)
class Bodies:
    """Finds the bodies of people, whose keypoints are those of a skeleton.

    `refine` says what becomes of a body that the network predicts: "warm", it is where a fit of one
    stage starts; "full", it is forgotten, and the fit starts from everywhere; "none", it stays as
    it is. Where the network predicts none, fits are full in any case.
    """

    skeleton: Skeleton
    refine: Refine = "warm"
    fit_surface: bool = True
    """Whether points of the surface that a network sees are fitted: those on other charts than the
    body's are elsewhere."""

    def __post_init__(self) -> None:
        if self.refine not in ("warm", "full", "none"):
            raise InputError(f"refine is {self.refine!r}; must be 'warm', 'full' or 'none'")

    def of(self, people: Sequence[Reading], camera: PerspectiveCamera) -> list[Body | None]:
        """The body behind each; None where too little was seen for one."""
        views = [self.view(reading, camera) for reading in people]
        found = [self._near(*seen, camera) for seen in zip(people, views, strict=True)]
        rest = [i for i, body in enumerate(found) if body is None and enough(views[i])]
        for i, body in zip(rest, self._alone([views[i] for i in rest]), strict=True):
            found[i] = body
        return found

    def _near(self, reading: Reading, view: View, camera: PerspectiveCamera) -> Body | None:
        """That which the network predicts, or near it; None where there is none to start from."""
        if reading.body is None or self.refine == "full":
            return None
        prediction = reading.body.prediction(camera)
        if self.refine == "none":
            guess = prediction.guess(self.fitter.model, 0)
            shaped = self.fitter.model.with_shape(guess.betas[0])
            return Body(shaped, np.asarray(prediction.R_parent_joint), guess.translation[0])
        try:
            return Body.of_fit(self.fitter.refine([view], prediction))
        except InputError:  # Partly behind the camera: no start.
            return None

    def _alone(self, views: Sequence[View]) -> list[Body]:
        """By fits from everywhere. Several people together say where up is."""
        if len(views) > 1:
            return [Body.of_fit(fit) for fit in fit_scene(self.fitter, views).people]
        return [Body.of_fit(self.fitter.fit([view])) for view in views]

    @cached_property
    def _keypoints(self) -> tuple[Fitter, Array]:
        """Of the keypoints that the body has, and their indices in those of the network."""
        model = BodyModel.load(dtype=np.float64)
        if self.skeleton is NOTHING:
            return Fitter(model), np.zeros(0, np.intp)
        regressor, known = KeypointRegressor.of_names(model.keypoints, self.skeleton.keypoints)
        return Fitter(model, regressor), known

    @property
    def fitter(self) -> Fitter:
        """Of these keypoints."""
        return self._keypoints[0]

    def view(self, reading: Reading, camera: PerspectiveCamera) -> View:
        """What the fitter is told of a person."""
        fitter, known = self._keypoints
        xy, seen = np.zeros((len(fitter.keypoints), 2)), np.zeros(len(fitter.keypoints))
        if len(known):
            found = reading.keypoints
            xy, score = (x[known].astype(np.float64) for x in (found.xy, found.score))
            seen = np.where(score >= reading.threshold, np.clip(score, 0, 1), 0.0)
        dense = None
        if self.fit_surface and reading.surface is not None:
            dense = reading.surface.sample(default_surface.load().charts, _POINTS)
        view = View(xy, seen, (camera.cx, camera.cy), camera.fx, dense=dense)
        if reading.noise is None:
            return view
        own, surface = (share * view.extent for share in reading.noise)
        return replace(
            view, noise=own, dense=None if dense is None else replace(dense, noise=surface)
        )

    def person(
        self,
        seen: Sighting,
        camera: PerspectiveCamera,
        body: Body | None,
        number: int | None = None,
    ) -> Person:
        """Somebody with COCO's keypoints and the body that was found."""
        left, top, right, bottom = map(float, seen.box)
        found = seen.reading.keypoints
        box, surface = (left, top, right, bottom), seen.reading.surface
        person = Person(box, seen.score, found, camera, body, number, surface)
        return replace(person, keypoints=self._as_coco(person))

    def missed(self, camera: PerspectiveCamera, body: Body, number: int) -> Person:
        """Somebody whose body is known in a frame that did not show them: with a score of 0."""
        posed = body.posed()
        xy, _ = camera.project(posed.t_world_joint)
        low, high = np.nan_to_num(xy).min(axis=0), np.nan_to_num(xy).max(axis=0)
        size = camera.width, camera.height
        left, top, right, bottom = np.clip([low, high], 0, size).ravel().tolist()
        box = left, top, right, bottom
        person = Person(box, 0.0, Keypoints.none(), camera, body, number)
        return replace(person, keypoints=self._as_coco(person))

    def _as_coco(self, person: Person) -> Keypoints:
        """COCO's keypoints: those of the network; what it does not give is that of the body, as
        sure as the least sure of the others."""
        found = person.keypoints
        if found.skeleton is COCO_17:
            return found
        own = {name: i for i, name in enumerate(found.skeleton.keypoints)}
        xy = np.zeros((len(COCO_17.keypoints), 2), np.float32)
        score = np.zeros(len(xy), np.float32)
        if person.mesh is not None:
            points = self.fitter.model.keypoints["COCO-17"].positions(person.mesh.vertices)
            projected, _ = person.camera.project(points)
            xy[:] = np.nan_to_num(projected)
            score[:] = found.score.min(initial=person.score)
        for i, name in enumerate(COCO_17.keypoints):
            if name in own:
                xy[i], score[i] = found.xy[own[name]], found.score[own[name]]
        return Keypoints(COCO_17, xy, score)


def enough(view: View) -> bool:
    """Whether so much was seen that a fit can start from everywhere."""
    return len(np.unique(view.seen, axis=0)) >= FEWEST
