# SPDX-License-Identifier: Apache-2.0
"""Fits the body beneath the clothes to scans: one shape, and a pose for each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.fit.checks import positive
from bitpose.body.fit.fitter import Fitter
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.problem import Problem
from bitpose.body.fit.scan.closest import Fans
from bitpose.body.fit.scan.scans import Scan, ScanProblem, nearest
from bitpose.body.fit.scan.shared_shape import minimize
from bitpose.body.fit.solve import Quadratic
from bitpose.body.fit.views import SpacePoints
from bitpose.body.layout import SMPL_JOINTS
from bitpose.body.model import PosedBody, ShapedBody
from bitpose.body.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from bitpose.errors import InputError

Array = NDArray[Any]

#: Blur in metres, points of a scan at most, rounds.
_STAGES = ((0.02, 1500, 20), (0.006, 3000, 20), (0.0, 5000, 40))
#: Points of all frames together; but each frame may have as many as the first stage says.
_MOST_POINTS = 20000
#: Radians: joints say nothing of how hands are rolled about their forearms.
_ROLLS = (-np.pi / 2, np.pi / 2, np.pi)
_ROLL_ROUNDS = 8
_SIDES, _ARM = ("left", "right"), ("elbow", "wrist", "hand")


@dataclass(frozen=True, eq=False)
class ScanFit:
    """A person in F frames."""

    shaped: ShapedBody
    R_parent_joint: Array
    """[F, 24, 3, 3]."""
    translation: Array
    """[F, 3] metres."""
    energy: float
    """Minus the log probability, but for a constant: comparable between fits of the same scans."""

    def posed(self) -> PosedBody:
        """The body in all frames, a batch [F]."""
        return self.shaped.with_pose(self.R_parent_joint, self.translation)

    @property
    def betas(self) -> Array:
        """[B]."""
        return self.shaped.coefficients


class ScanFitter:
    """Fits bodies of one model."""

    def __init__(
        self, fitter: Fitter | None = None, noise: float = 0.002, thickest: float = 0.04
    ) -> None:
        """`fitter` has the model and the prior. `noise`: standard deviation of the points in
        metres; clothes are at most `thickest` metres off the skin, but for stray points.

        Raises InputError for a model with vertices that no triangle has, and for a noise or a
        thickness that is not positive.
        """
        self.fitter = Fitter() if fitter is None else fitter
        self.noise, self.thickest = positive("noise", noise), positive("thickest", thickest)
        model = self.fitter.model
        if len(np.unique(model.faces)) != len(model.v_template):
            raise InputError("fitting to scans needs a body whose vertices all have triangles")
        self.fans = Fans.of(model.faces, len(model.v_template))

    def fit(
        self,
        scans: Sequence[Scan],
        starts: Sequence[PosedBody] | None = None,
        up: ArrayLike | None = None,
    ) -> ScanFit:
        """The body that is likeliest beneath all of `scans`, frames of one person.

        It starts from `starts`, one body near each scan, or else from fits to the scans' joints.
        `up` [3]: where up is in the world, if that is known. Raises InputError for no scan, and for
        a scan with neither joints nor a start.
        """
        if not scans or (starts is not None and len(starts) != len(scans)):
            given = 0 if starts is None else len(starts)
            raise InputError(f"{len(scans)} scans and {given} starts: must be as many, not none")
        if starts is None:
            starts = [self._start(scan, up) for scan in scans]
        before = tuple(
            self._before(scan, body, up) for scan, body in zip(scans, starts, strict=True)
        )
        guesses = self._guesses(starts, before[0].log_focal)
        every = np.delete(np.arange(guesses.layout.size), guesses.layout.focal)
        problem = ScanProblem(
            self.fitter.model, self.fans, tuple(scans), before, self.noise, self.thickest
        )
        for stage, (blur, points, rounds) in enumerate(_STAGES):
            each = min(points, max(_STAGES[0][1], _MOST_POINTS // len(scans)))
            sampled = replace(problem, scans=tuple(scan.sample(each) for scan in scans))
            energy = partial(sampled.energy, blur=blur)
            guesses, at = minimize(energy, guesses, every, rounds)
            if stage == 1:  # Only now is there more to see of a hand than that it is flat.
                guesses, at = self._roll_hands(sampled, guesses, blur)
        return self._result(guesses, at.energy)

    def distances(self, scan: Scan, body: PosedBody) -> Array:
        """[N] metres: how far each point is from one body, negative inside."""
        if body.batch != ():
            raise InputError(f"a batch of bodies {body.batch}: must be one")
        return nearest(self.fans, scan, body.vertices()).distance

    def _start(self, scan: Scan, up: ArrayLike | None) -> PosedBody:
        if scan.joints is None:
            raise InputError("a scan without joints needs a body to start from: see starts")
        return self.fitter.fit(space=scan.joints, up=up).posed()

    def _before(self, scan: Scan, start: PosedBody, up: ArrayLike | None) -> Problem:
        shape = start.R_parent_joint.shape
        if shape != (self.fitter.model.num_joints, 3, 3):
            raise InputError(f"a start with poses of shape {shape}: must be one body of the model")
        if scan.joints is not None:
            return self.fitter.problem(space=scan.joints, up=up, solid=False)
        joints = SpacePoints(start.t_world_joint, np.ones(len(start.t_world_joint)))
        return replace(self.fitter.problem(space=joints, up=up, solid=False), space=None)

    def _guesses(self, starts: Sequence[PosedBody], log_focal: float) -> Guesses:
        """With the mean of their shapes, each with its joints where they are."""
        model = self.fitter.model
        betas = np.mean([body.shaped.coefficients for body in starts], axis=0)
        shaped = model.with_shape(betas)
        rotations = np.array([body.R_parent_joint for body in starts], np.float64)
        joints = np.array([body.t_world_joint for body in starts], np.float64)
        placed = shaped.with_pose(rotations)
        count = len(starts)
        return Guesses(
            rotations[:, 0],
            matrix_to_axis_angle(rotations[:, 1:]),
            np.mean(joints - placed.t_world_joint, axis=1),
            np.tile(betas, (count, 1)),
            np.full(count, log_focal),
        )

    def _roll_hands(
        self, problem: ScanProblem, guesses: Guesses, blur: float
    ) -> tuple[Guesses, Quadratic]:
        """With each hand rolled about its forearm as it fits best, frame by frame."""

        energy = partial(problem.energy, blur=blur)
        at = energy(guesses)
        free = np.concatenate([_steps_of(guesses, side) for side in _SIDES])
        for roll in _ROLLS:
            turned, _ = minimize(energy, self._rolled(guesses, roll), free, _ROLL_ROUNDS)
            for side in _SIDES:
                pose = guesses.body_pose.copy()
                joints = [SMPL_JOINTS.index(f"{side}_{joint}") - 1 for joint in _ARM]
                pose[:, joints] = turned.body_pose[:, joints]
                other = replace(guesses, body_pose=pose)
                there = energy(other)
                better = there.energy < at.energy
                guesses, at = other.where(better, guesses), there.where(better, at)
        return guesses, at

    def _rolled(self, guesses: Guesses, roll: float) -> Guesses:
        """Half of it by the elbows, half by the wrists."""
        pose, rest = guesses.body_pose.copy(), self.fitter.model.J_template
        for side in _SIDES:
            arm = [SMPL_JOINTS.index(f"{side}_{joint}") for joint in _ARM]
            for joint, end in pairwise(arm):
                axis = rest[end] - rest[joint]
                turn = axis_angle_to_matrix(roll / 2 * axis / np.linalg.norm(axis))
                turned = axis_angle_to_matrix(pose[:, joint - 1]) @ turn
                pose[:, joint - 1] = matrix_to_axis_angle(turned)
        return replace(guesses, body_pose=pose)

    def _result(self, guesses: Guesses, energy: Array) -> ScanFit:
        posed = guesses.posed(self.fitter.joints.skeleton)
        return ScanFit(
            self.fitter.model.with_shape(guesses.betas[0]),
            posed.R_parent_joint,
            guesses.translation,
            float(energy.sum()),
        )


def _steps_of(guesses: Guesses, side: str) -> NDArray[np.intp]:
    """The numbers of a step that turn one hand."""
    steps = np.arange(guesses.layout.size)
    joints = [SMPL_JOINTS.index(f"{side}_{joint}") for joint in _ARM]
    return np.concatenate([steps[guesses.layout.of_joint(joint)] for joint in joints])
