# SPDX-License-Identifier: Apache-2.0
"""How the people hold themselves: motion capture, and what it lacks.

Frames. World: y up; a person whose root is not turned looks along z.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import BodyModel
from bitpose.body.fit.prior import PosePrior
from bitpose.body.layout import SMPL_MIRRORED
from bitpose.body.retarget import retarget
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.train.people.postures import Pose, Rest, composed, reaching

Array = NDArray[Any]

#: Of poses, the shares that are put together, and with a reaching arm.
_COMPOSED, _REACHING = 0.33, 0.25
#: Radians, standard deviation of what is added to every joint.
_LOOSE = 0.08
_MIRROR = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Poses:
    """Poses to draw from: R_parent_joint [N, 24, 3, 3], by categories."""

    rotations: NDArray[np.float32]
    categories: tuple[NDArray[np.intp], ...]
    """The indices of each."""

    @classmethod
    def of_motion(cls, path: str | PathLike[str], test: bool) -> Poses:
        """Of a file like `../shared/mocap/cmu_poses.npz`, the frames of its test subjects or the
        others, for the limbs of the default body."""
        with np.load(path, allow_pickle=False) as file:
            chosen = file["test"] == test
            angles = file["poses"][chosen].astype(np.float64).reshape(-1, 24, 3)
            category, rest = file["category"][chosen], file["rest_joints"]
        model = BodyModel.load()
        rotations = retarget(axis_angle_to_matrix(angles), rest, model.J_template)
        groups = [np.flatnonzero(category == c) for c in np.unique(category)]
        return cls(rotations.astype(np.float32), tuple(groups))

    @classmethod
    def of_prior(cls, seed: int, count: int = 2000) -> Poses:
        """Drawn from the prior of the fitter, for who has no motion capture."""
        random = np.random.default_rng(seed)
        prior = PosePrior.load()
        component = random.choice(len(prior.weights), count, p=prior.weights)
        factors = np.linalg.cholesky(prior.covariances)[component]
        normal = random.standard_normal((count, factors.shape[1], 1))
        drawn = prior.means[component] + (factors @ normal)[..., 0]
        joints = np.clip(drawn[:, :-3], *prior.limits).reshape(count, 23, 3)
        up = drawn[:, -3:] / np.linalg.norm(drawn[:, -3:], axis=1, keepdims=True)
        angles = np.concatenate([_root_below(up)[:, None], joints], axis=1)
        rotations = axis_angle_to_matrix(angles)
        return cls(rotations.astype(np.float32), (np.arange(count),))

    def draw(self, random: np.random.Generator) -> Pose:
        """Every category is as likely, and every heading."""
        group = self.categories[random.integers(len(self.categories))]
        rotations = self.rotations[group[random.integers(len(group))]].astype(np.float64)
        pose = Pose(rotations, Rest.FEET)
        if random.random() < _COMPOSED:
            pose = composed(rotations, random)
        elif random.random() < _REACHING:
            pose = Pose(reaching(rotations, random), Rest.FEET)
        rotations = pose.R_parent_joint @ axis_angle_to_matrix(random.normal(0, _LOOSE, (24, 3)))
        if random.random() < 0.5:
            rotations = mirrored(rotations)
        heading = axis_angle_to_matrix(np.array([0, random.uniform(-np.pi, np.pi), 0]))
        rotations[0] = heading @ rotations[0]
        return Pose(rotations, pose.rest)


def mirrored(R_parent_joint: Array) -> Array:
    """The pose of the person in a mirror."""
    return np.asarray(_MIRROR @ R_parent_joint[list(SMPL_MIRRORED)] @ _MIRROR)


def _root_below(up: Array) -> Array:
    """Axis-angle vectors [N, 3] of the smallest turns that bring `up` [N, 3] of the pelvis to y."""
    axis = np.cross(up, [0.0, 1.0, 0.0])
    sine = np.linalg.norm(axis, axis=1)
    angle = np.arctan2(sine, up[:, 1])
    return np.asarray(axis / np.maximum(sine, 1e-9)[:, None] * angle[:, None])
