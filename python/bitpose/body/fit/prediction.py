# SPDX-License-Identifier: Apache-2.0
"""A body as a network predicts it: where a fit starts and what it stays near to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.fit.checks import bounded, positive, rotations
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.solve import Diagonal
from bitpose.body.model import BodyModel, PosedBody
from bitpose.body.rotations import matrix_to_axis_angle
from bitpose.errors import InputError

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Prediction:
    """A pose, shape and place in the world.

    Raises InputError for shapes that do not fit, for what is not finite or beyond 1e7, for matrices
    that are no rotations, and for a deviation that is not positive.
    """

    R_parent_joint: ArrayLike
    """[J, 3, 3]."""
    betas: ArrayLike
    """[<= B]; the rest is 0."""
    root: ArrayLike
    """[3] metres: where the root joint is in the world."""
    deviation: float | None = 0.3
    """Radians that each number of the joints' axis-angle vectors is off, as a standard deviation;
    None for a mere start. Root, shape and place are always that."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "R_parent_joint", rotations("R_parent_joint", self.R_parent_joint))
        object.__setattr__(self, "betas", bounded("betas", self.betas))
        object.__setattr__(self, "root", bounded("root", self.root, (3,)))
        if np.ndim(self.betas) != 1:
            raise InputError(f"betas of shape {np.shape(self.betas)}: must be [B]")
        if self.deviation is not None:
            object.__setattr__(self, "deviation", positive("deviation", self.deviation))

    @classmethod
    def weak_perspective(
        cls,
        R_parent_joint: ArrayLike,
        betas: ArrayLike,
        scale: float,
        pixel: ArrayLike,
        center: ArrayLike,
        focal: float,
        deviation: float | None = 0.3,
    ) -> Prediction:
        """In the frame of a camera with that `focal` length and `center` [2] in pixels, where the
        root joint is seen at `pixel` [2] and a metre there is `scale` pixels long.
        """
        depth = positive("focal", focal) / positive("scale", scale)
        across = bounded("pixel", pixel, (2,)) - bounded("center", center, (2,))
        root = np.array([*across / focal, 1]) * depth
        return cls(R_parent_joint, betas, root, deviation)

    @classmethod
    def of_body(cls, posed: PosedBody, deviation: float | None = 0.3) -> Prediction:
        """A body, for example that of the frame before."""
        coefficients = posed.shaped.coefficients
        return cls(posed.R_parent_joint, coefficients, posed.t_world_joint[0], deviation)

    def guess(self, model: BodyModel, log_focal: float) -> Guesses:
        """The start of a fit of `model`, one guess. Raises InputError for another number of joints,
        or more betas than the model has.
        """
        R, betas = np.asarray(self.R_parent_joint), np.asarray(self.betas)
        if len(R) != model.num_joints:
            raise InputError(f"{len(R)} predicted joints, the model has {model.num_joints}")
        shaped = model.skeleton.with_shape(betas)
        return Guesses(
            R[None, 0],
            matrix_to_axis_angle(R[None, 1:]),
            np.asarray(self.root)[None] - shaped.rest_joints[0],
            shaped.coefficients[None],
            np.array([log_focal]),
        )

    def held(self, guess: Guesses) -> Held | None:
        """What `guess`, of this prediction, stays near to."""
        return None if self.deviation is None else Held(guess.body_pose.ravel(), self.deviation)


@dataclass(frozen=True, eq=False)
class Held:
    """Poses are distributed normally about a predicted one."""

    pose: Array
    """[D]: axis-angle of all joints but the root."""
    deviation: float

    def energy(self, pose: Array) -> Diagonal:
        """Of `pose` [N, D]."""
        weight = 1 / self.deviation**2
        off = pose - self.pose
        return (
            0.5 * weight * np.sum(off * off, axis=1),
            weight * off,
            np.full(off.shape, weight),
        )
