# SPDX-License-Identifier: Apache-2.0
"""What a fit varies: N guesses side by side, and where each part lies in their steps.

A step has P = 3 J + 3 + B + 1 numbers: a small turn of the root in its own frame, changes of the
other joints' axis-angle vectors, of the translation, of the betas and of the logarithm of the focal
length. The root may turn without limit; no other joint comes near half a turn, where axis-angle
vectors would be singular.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.model import BodyModel, PosedBody
from bitpose.body.rotations import axis_angle_to_matrix, right_jacobian

Array = NDArray[Any]


@dataclass(frozen=True)
class Layout:
    """Where the parts of a step lie."""

    joints: int
    betas: int

    @property
    def root(self) -> slice:
        return slice(0, 3)

    @property
    def body(self) -> slice:
        return slice(3, 3 * self.joints)

    @property
    def turns(self) -> slice:
        """Of the root and all other joints."""
        return slice(0, 3 * self.joints)

    @property
    def translation(self) -> slice:
        return slice(3 * self.joints, 3 * self.joints + 3)

    @property
    def shape(self) -> slice:
        return slice(3 * self.joints + 3, self.size - 1)

    @property
    def focal(self) -> slice:
        return slice(self.size - 1, self.size)

    @property
    def size(self) -> int:
        """P."""
        return 3 * self.joints + self.betas + 4

    def of_joint(self, joint: int) -> slice:
        """The three numbers of one joint; 0 is the root."""
        return slice(3 * joint, 3 * joint + 3)


@dataclass(frozen=True, eq=False)
class Guesses:
    """N guesses."""

    R_world_root: Array
    """[N, 3, 3]."""
    body_pose: Array
    """[N, J - 1, 3] axis-angle."""
    translation: Array
    """[N, 3] metres."""
    betas: Array
    """[N, B]."""
    log_focal: Array
    """[N], of pixels."""

    def __len__(self) -> int:
        return len(self.betas)

    @property
    def layout(self) -> Layout:
        return Layout(self.body_pose.shape[1] + 1, self.betas.shape[1])

    @property
    def turn_jacobian(self) -> Array:
        """[N, J, 3, 3]: how a step turns each joint in its own frame, by the joint's numbers."""
        turned = np.empty((len(self), self.layout.joints, 3, 3))
        turned[:, 0] = np.eye(3)
        turned[:, 1:] = right_jacobian(self.body_pose)
        return turned

    def posed(self, skeleton: BodyModel) -> PosedBody:
        """The body in all guesses."""
        rotations = np.concatenate(
            [self.R_world_root[:, None], axis_angle_to_matrix(self.body_pose)], axis=1
        )
        return skeleton.with_shape(self.betas).with_pose(rotations, self.translation)

    def moved(self, steps: Array) -> Guesses:
        """By `steps` [N, P]."""
        at = self.layout
        return Guesses(
            self.R_world_root @ axis_angle_to_matrix(steps[:, at.root]),
            self.body_pose + steps[:, at.body].reshape(self.body_pose.shape),
            self.translation + steps[:, at.translation],
            self.betas + steps[:, at.shape],
            self.log_focal + steps[:, at.focal][:, 0],
        )

    def of(self, rows: Any) -> Guesses:
        """Some of the guesses, by indices."""
        return Guesses(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def where(self, chosen: NDArray[np.bool_], other: Guesses) -> Guesses:
        """The guesses that are `chosen` [N], and those of `other` in place of the rest."""
        parts = {}
        for name in self.__dataclass_fields__:
            mine = getattr(self, name)
            mask = chosen.reshape(-1, *(1,) * (mine.ndim - 1))
            parts[name] = np.where(mask, mine, getattr(other, name))
        return replace(self, **parts)


def by_steps(at: Layout, by_turn: Array, by_shape: Array) -> Array:
    """[N, K, 3, P]: derivatives of points from those by the numbers of each joint, [N, K, 3, J, 3],
    and by shape.
    """
    result = np.zeros((*by_turn.shape[:3], at.size))
    result[..., at.turns] = by_turn.reshape(*by_turn.shape[:3], -1)
    result[..., at.translation] = np.eye(3)
    result[..., at.shape] = by_shape
    return result
