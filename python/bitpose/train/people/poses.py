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

from bitpose.body import SMPL_JOINTS, BodyModel
from bitpose.body.fit.prior import PosePrior
from bitpose.body.layout import SMPL_MIRRORED
from bitpose.body.retarget import retarget
from bitpose.body.rotations import axis_angle_to_matrix

Array = NDArray[Any]

#: Of poses, the share that is put together here: sitting, kneeling, lying.
_COMPOSED = 0.25
#: Radians, standard deviation of what is added to every joint, and to those of a reaching arm.
_LOOSE = 0.08
_REACHING = 0.25
_JOINT = {name: index for index, name in enumerate(SMPL_JOINTS)}
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

    def draw(self, random: np.random.Generator) -> Array:
        """R_parent_joint [24, 3, 3]; every category is as likely, and every heading."""
        group = self.categories[random.integers(len(self.categories))]
        pose = self.rotations[group[random.integers(len(group))]].astype(np.float64)
        if random.random() < _COMPOSED:
            pose = _composed(pose, random)
        elif random.random() < _REACHING:
            pose = _reaching(pose, random)
        pose = pose @ axis_angle_to_matrix(random.normal(0, _LOOSE, (24, 3)))
        if random.random() < 0.5:
            pose = mirrored(pose)
        heading = axis_angle_to_matrix(np.array([0, random.uniform(-np.pi, np.pi), 0]))
        pose[0] = heading @ pose[0]
        return np.asarray(pose)


def mirrored(R_parent_joint: Array) -> Array:
    """The pose of the person in a mirror."""
    return np.asarray(_MIRROR @ R_parent_joint[list(SMPL_MIRRORED)] @ _MIRROR)


def _root_below(up: Array) -> Array:
    """Axis-angle vectors [N, 3] of the smallest turns that bring `up` [N, 3] of the pelvis to y."""
    axis = np.cross(up, [0.0, 1.0, 0.0])
    sine = np.linalg.norm(axis, axis=1)
    angle = np.arctan2(sine, up[:, 1])
    return np.asarray(axis / np.maximum(sine, 1e-9)[:, None] * angle[:, None])


def _turn(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Array:
    return axis_angle_to_matrix(np.array([x, y, z]))


def _composed(pose: Array, random: np.random.Generator) -> Array:
    """Legs and trunk of someone who sits, kneels or lies; arms and head of `pose`."""
    kind = ("sit", "kneel", "lie")[random.choice(3, p=(0.5, 0.25, 0.25))]
    pose = pose.copy()
    lean = random.normal(0.1, 0.2)
    pose[0] = _turn(x=lean) @ _turn(z=random.normal(0, 0.08))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        spread = sign * abs(random.normal(0.15, 0.2))
        bend, knee = {
            "sit": (random.normal(1.5, 0.2), random.normal(1.5, 0.35)),
            "kneel": (random.normal(0.2, 0.2), random.normal(2.0, 0.3)),
            "lie": (random.normal(0.3, 0.35), random.normal(0.5, 0.5)),
        }[kind]
        pose[_JOINT[f"{side}_hip"]] = _turn(x=-bend - lean) @ _turn(y=spread)
        pose[_JOINT[f"{side}_knee"]] = _turn(x=np.clip(knee, 0.0, 2.5))
        pose[_JOINT[f"{side}_ankle"]] = _turn(x=random.normal(0, 0.2))
    if kind == "lie":
        onto = random.choice([-np.pi / 2, np.pi / 2, np.pi / 2])
        pose[0] = _turn(x=onto) @ _turn(y=random.normal(0, 0.5))
    return pose


def _reaching(pose: Array, random: np.random.Generator) -> Array:
    """One arm goes anywhere before the body or above it."""
    side, sign = (("left", 1.0), ("right", -1.0))[random.integers(2)]
    pose = pose.copy()
    ahead, up = random.uniform(-0.3, 1.6), random.uniform(-0.9, 1.3)
    pose[_JOINT[f"{side}_shoulder"]] = _turn(y=-sign * ahead) @ _turn(z=sign * up)
    pose[_JOINT[f"{side}_elbow"]] = _turn(y=-sign * abs(random.normal(0, 0.6)))
    return pose
