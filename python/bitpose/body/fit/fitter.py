# SPDX-License-Identifier: Apache-2.0
"""Fits a body to keypoints in one or more pictures and to joints in space (SMPLify's job)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.batches import finite
from bitpose.body.fit import start
from bitpose.body.fit.capsules import Capsules
from bitpose.body.fit.checks import positive
from bitpose.body.fit.landmarks import Landmarks
from bitpose.body.fit.likelihood import Sighting
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.prediction import Prediction
from bitpose.body.fit.prior import Density, PosePrior
from bitpose.body.fit.problem import Problem
from bitpose.body.fit.solve import Quadratic, minimize
from bitpose.body.fit.stages import REFINEMENT, STAGES, Stage, free_parameters
from bitpose.body.fit.uncertainty import joint_covariance
from bitpose.body.fit.views import SpacePoints, View
from bitpose.body.keypoints import KeypointRegressor
from bitpose.body.layout import SMPL_JOINTS
from bitpose.body.model import BodyModel, PosedBody, ShapedBody
from bitpose.errors import InputError

Array = NDArray[Any]

_HEADINGS = 8
#: Guesses whose joints are this near to each other on average, in metres, are one.
_SAME = 0.035
#: Fewer keypoints than this, in different places, do not say where a body is.
FEWEST = 4


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted body."""

    shaped: ShapedBody
    R_parent_joint: Array
    """[J, 3, 3]."""
    translation: Array
    """[3] metres, in the world of the views."""
    focal: float | None
    """Pixels: the fitted one, of all views that came without; None where none did."""
    energy: float
    """Minus the log probability, but for a constant: comparable between fits of one person."""
    covariance: Array
    """[J, 3, 3] square metres, in the world's axes: of where each joint is relative to the root."""

    def posed(self) -> PosedBody:
        """The body where it is."""
        return self.shaped.with_pose(self.R_parent_joint, self.translation)

    @property
    def betas(self) -> Array:
        """[B]."""
        return self.shaped.coefficients


class Fitter:
    """Fits bodies of one model to keypoints of one set."""

    def __init__(
        self,
        model: BodyModel | None = None,
        keypoints: str | KeypointRegressor = "COCO-17",
        prior: PosePrior | None = None,
        use_prior: bool = True,
    ) -> None:
        """Of the default body with its prior, unless given. Without the prior only the limits of
        its joints stay. `keypoints` are a set of the model, by its name, or means of its vertices.

        Raises InputError for keypoints that the model does not have, for a model without SMPL's 24
        joints or not in float64, and for a prior of other joints.
        """
        model = BodyModel.load(dtype=np.float64) if model is None else model
        if model.num_joints != len(SMPL_JOINTS):
            raise InputError(f"fitting needs SMPL's 24 joints, the model has {model.num_joints}")
        if model.dtype != np.float64:
            raise InputError(f"fitting needs a body in float64, the model is in {model.dtype}")
        if isinstance(keypoints, str):
            if keypoints not in model.keypoints:
                raise InputError(f"no keypoints {keypoints!r}; there are {sorted(model.keypoints)}")
            keypoints = model.keypoints[keypoints]
        self.model = model
        self.prior = PosePrior.load() if prior is None else prior
        if self.prior.means.shape[1] != 3 * model.num_joints:
            raise InputError(
                f"a prior of {self.prior.means.shape[1]} numbers, must be {3 * model.num_joints}"
            )
        self.use_prior = use_prior
        self.keypoints = Landmarks.of_keypoints(model, keypoints)
        self.joints = Landmarks.of_joints(model)
        self.capsules = Capsules.of_body(model, self.prior.poses[:1])

    def fit(
        self,
        views: Sequence[View] = (),
        space: SpacePoints | None = None,
        up: ArrayLike | None = (0, -1, 0),
        tilt: float = 0.15,
        solid: bool = True,
    ) -> Fit:
        """The body that is likeliest behind what was seen.

        `up` [3] is where up is in the world, to a standard deviation of `tilt` radians: as given,
        in that of a camera that somebody holds more or less level. None if it may be anywhere.
        Where the body is `solid`, its limbs are not in each other's place nor in that of its trunk.

        Raises InputError where too little was seen, where keypoints are not as many as the set's,
        and where no body is before all cameras that saw it.
        """
        problem = self.problem(views, space, up, tilt, solid)
        guesses, at = self.candidates(problem)
        return self._result(guesses, at, problem.fixed_focal)

    def refine(
        self,
        views: Sequence[View],
        prediction: Prediction,
        up: ArrayLike | None = (0, -1, 0),
        tilt: float = 0.15,
        solid: bool = True,
    ) -> Fit:
        """The body near a predicted one that explains what was seen: one stage from there, in a few
        milliseconds, instead of many from everywhere. What was not seen stays as predicted.

        Raises InputError as `fit`, but for too few points, and where the prediction does not fit
        the model or lies behind a camera that saw it.
        """
        problem = self.problem_of_frame(views, None, self.density(up, tilt), up, solid)
        guess = prediction.guess(self.model, problem.log_focal)
        problem = replace(problem, held=prediction.held(guess))
        return self._result(*self._run(problem, guess, REFINEMENT), problem.fixed_focal)

    def candidates(self, problem: Problem) -> tuple[Guesses, Quadratic]:
        """The bodies that are likeliest, best first, and their energies."""
        guesses = self.first_guesses(problem)
        for stage in STAGES:
            guesses, at = self._run(problem, guesses, stage)
        return guesses, at

    def problem(
        self,
        views: Sequence[View] = (),
        space: SpacePoints | None = None,
        up: ArrayLike | None = (0, -1, 0),
        tilt: float = 0.15,
        solid: bool = True,
    ) -> Problem:
        """What `fit` solves; it raises what this raises."""
        problem = self.problem_of_frame(views, space, self.density(up, tilt), up, solid)
        if self.sees(problem) < FEWEST:
            seen = [_places(sighting.seen) for sighting in problem.sightings]
            raise InputError(f"too few points were seen for a fit: {seen}, need {FEWEST}")
        return problem

    def density(self, up: ArrayLike | None, tilt: float) -> Density | None:
        """Of poses, and of up where it is given; None without the prior."""
        spread = None if up is None else positive("tilt", tilt)
        return self.prior.density(spread) if self.use_prior else None

    def sees(self, problem: Problem) -> int:
        """How many different points the view, or the space, has that sees most."""
        seen = [_places(sighting.seen) for sighting in problem.sightings]
        if problem.space is not None:
            seen.append(_places(problem.space.seen))
        return max(seen, default=0)

    def problem_of_frame(
        self,
        views: Sequence[View],
        space: SpacePoints | None,
        density: Density | None,
        up: ArrayLike | None,
        solid: bool,
    ) -> Problem:
        """Where nothing has to be seen; `density` is that of `up`."""
        count = len(self.keypoints)
        for view in views:
            got = len(np.asarray(view.confidence))
            if got != count:
                raise InputError(f"a view with {got} keypoints; the set has {count}")
        joints = self.model.num_joints
        if space is not None and len(np.asarray(space.confidence)) != joints:
            got = len(np.asarray(space.confidence))
            raise InputError(f"{got} joints in space, must be {joints}")
        return Problem(
            self.joints,
            tuple(views),
            tuple(self._sightings(views)),
            space,
            self.prior,
            density,
            self.capsules if solid else None,
            None if up is None else direction(up),
            _likely_log_focal(views),
        )

    def _sightings(self, views: Sequence[View]) -> list[Sighting]:
        sightings = [Sighting.of_keypoints(self.keypoints, view) for view in views]
        for view in views:
            if view.dense is None or not len(view.dense.seen):
                continue
            dense = view.dense.used()
            last = int(dense.points.triangles.max())
            if last >= len(self.model.faces):
                raise InputError(f"triangle {last}; the body has {len(self.model.faces)}")
            surface = Landmarks.of_surface(self.model, dense.points)
            sightings.append(Sighting.of_surface(surface, view, dense))
        return sightings

    def first_guesses(self, problem: Problem) -> Guesses:
        """Where `fit` starts: several poses, and headings where one view has to say them."""
        poses = self.prior.poses
        if problem.space is not None and _places(problem.space.seen) >= FEWEST:
            return start.around(problem.space, self.joints, poses, problem.log_focal)
        space = start.triangulated(problem.views, problem.log_focal)
        if _places(space.seen) >= FEWEST:
            guesses = start.around(space, self.keypoints, poses, problem.log_focal)
            # Cameras of one place, or that contradict each other, may put it behind them.
            if np.isfinite(problem.energy(guesses, STAGES[0].blur, solid=False).energy).any():
                return guesses
        fullest = max(problem.sightings, key=lambda sighting: _places(sighting.seen))
        return start.in_front_of(fullest, poses, problem.log_focal, _HEADINGS)

    def _run(self, problem: Problem, guesses: Guesses, stage: Stage) -> tuple[Guesses, Quadratic]:
        """The best guesses at the end of a stage, best first."""
        free = free_parameters(stage.free, guesses.layout, problem.fixed_focal)

        def energy(guesses: Guesses) -> Quadratic:
            return problem.energy(guesses, stage.blur, stage.solid)

        guesses, at = minimize(energy, guesses, free, stage.rounds)
        best = self._best(guesses, at, stage.guesses)
        return guesses.of(best), at.of(best)

    def _best(self, guesses: Guesses, at: Quadratic, count: int) -> NDArray[np.intp]:
        """Up to `count` guesses of lowest energy that are not the same body, best first; none that
        is impossible.
        """
        points = self.joints.positions(guesses.posed(self.joints.skeleton))
        points = points - points[:, :1]
        chosen: list[int] = []
        possible = np.count_nonzero(np.isfinite(at.energy))
        for guess in np.argsort(at.energy, kind="stable")[:possible].tolist():
            apart = np.linalg.norm(points[chosen] - points[guess], axis=-1).mean(axis=-1)
            if (apart > _SAME).all():
                chosen.append(guess)
            if len(chosen) == count:
                break
        if not chosen:
            raise InputError("no body is before all cameras that saw it: see R_view_world")
        return np.array(chosen)

    def _result(self, guesses: Guesses, at: Quadratic, fixed_focal: bool) -> Fit:
        best = guesses.of(slice(0, 1))
        posed = best.posed(self.model.skeleton)
        return Fit(
            shaped=self.model.with_shape(best.betas[0]),
            R_parent_joint=posed.R_parent_joint[0],
            translation=best.translation[0],
            focal=None if fixed_focal else float(np.exp(best.log_focal[0])),
            energy=float(at.energy[0]),
            covariance=joint_covariance(
                self.joints, guesses, at, free_parameters("all", guesses.layout, fixed_focal)
            )
            * self.prior.spread**2,
        )


def direction(up: ArrayLike) -> Array:
    """Of length 1, [3]; raises InputError where it has none."""
    vector = finite("up", up, np.dtype(np.float64))
    length = float(np.linalg.norm(vector))
    if vector.shape != (3,) or length == 0 or not np.isfinite(length):
        raise InputError(f"up is {up!r}: must be a direction, [3]")
    return vector / length


def _places(points: Array) -> int:
    """How many different points [n, D] there are."""
    return len(np.unique(points, axis=0))


def _likely_log_focal(views: Sequence[View]) -> float:
    """Of a picture with the principal point in its middle, 1.2 times the longer side."""
    sides = [2 * float(np.max(np.abs(np.asarray(view.center)))) for view in views]
    return float(np.log(1.2 * max(sides, default=0) or 1000.0))
