# SPDX-License-Identifier: Apache-2.0
"""Joints and keypoints of a body, with their derivatives, at the cost of a few dozen vertices.

A keypoint is a weighted mean of vertices, a vertex one of its bones' transforms of a point at
rest. So a keypoint n is a sum over bones b,

    x_n = sum_b R_b P_nb + a_nb t_b,    a_nb = sum_v w_nv W_vb,

with R_b, t_b the frame of bone b in the world and P_nb a point in that frame that is affine in the
betas and in the pose features. The sums over vertices are taken once, when the landmarks are made;
nothing is left out. Pairs (n, b) without a weight are not stored: M of them remain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.gradients import descendants, features_by_turn, joint_jacobian
from bitpose.body.keypoints import KeypointRegressor
from bitpose.body.model import BodyModel, PosedBody

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Landmarks:
    """N points of a body."""

    names: tuple[str, ...]
    skeleton: BodyModel
    """The body without vertices."""
    starts: NDArray[np.intp]
    """[N]: the first pair of each point; pairs are sorted by points."""
    bones: NDArray[np.intp]
    """[M]."""
    shares: Array
    """[M]: a_nb."""
    rest: Array
    """[M, 3]: P_nb of no betas and no pose."""
    by_shape: Array
    """[M, 3, B]."""
    by_features: Array
    """[M, 3, 9 J]."""

    @classmethod
    def of_joints(cls, model: BodyModel, names: tuple[str, ...]) -> Landmarks:
        """All joints of the skeleton, in its order."""
        joints, betas = model.num_joints, len(model.shapedirs)
        return cls(
            names=names,
            skeleton=_without_vertices(model),
            starts=np.arange(joints),
            bones=np.arange(joints),
            shares=np.ones(joints),
            rest=np.zeros((joints, 3)),
            by_shape=np.zeros((joints, 3, betas)),
            by_features=np.zeros((joints, 3, 9 * joints)),
        )

    @classmethod
    def of_keypoints(cls, model: BodyModel, keypoints: KeypointRegressor) -> Landmarks:
        """Means of vertices; `model` has the vertices that `keypoints` counts."""
        used = keypoints.used()
        means = keypoints.within(used).dense(len(used))
        skin = model.at_vertices(used).skin.to_dense(model.num_joints).astype(np.float64)
        points, bones = np.nonzero(means @ skin)
        weights = means[points] * skin[:, bones].T  # [M, used]
        shares = weights.sum(axis=1)
        rest = weights @ model.v_template[used] - shares[:, None] * model.J_template[bones]
        moved = np.tensordot(weights, model.shapedirs[:, used], axes=(1, 1))
        moved = moved.transpose(0, 2, 1)  # [M, 3, B]
        moved -= shares[:, None, None] * model.J_shapedirs[:, bones].transpose(1, 2, 0)
        return cls(
            names=keypoints.names,
            skeleton=_without_vertices(model),
            starts=np.searchsorted(points, np.arange(len(means))),
            bones=bones,
            shares=shares,
            rest=rest,
            by_shape=np.ascontiguousarray(moved),
            by_features=_pose_directions(model, used, weights),
        )

    def positions(self, posed: PosedBody) -> Array:
        """[..., N, 3] of the skeleton in a pose."""
        return np.add.reduceat(self._parts(posed), self.starts, axis=-2)

    def jacobian(self, posed: PosedBody) -> tuple[Array, Array]:
        """[..., N, 3, J, 3] by the turn of each joint in its own frame, and [..., N, 3, B]."""
        R_world_bone = posed.R_world_joint[..., self.bones, :, :]
        turned = R_world_bone @ self.by_features
        turned = np.add.reduceat(turned, self.starts, axis=-3)
        turned = turned.reshape(*turned.shape[:-1], -1, 9)  # [..., N, 3, J, 9]
        turned = np.moveaxis(np.moveaxis(turned, -2, -4) @ _inner(posed), -4, -2)
        joints = joint_jacobian(posed)
        grown = R_world_bone @ self.by_shape
        grown += self.shares[:, None, None] * joints.by_shape[..., self.bones, :, :]
        return self._turned(posed) + turned, np.add.reduceat(grown, self.starts, axis=-3)

    def _parts(self, posed: PosedBody) -> Array:
        """[..., M, 3]: the terms of the sum."""
        points = self.rest + (self.by_shape @ posed.shaped.coefficients[..., None, :, None])[..., 0]
        features = posed.pose_features.reshape(*posed.batch, -1)
        flat = self.by_features.reshape(-1, features.shape[-1])
        points = points + (features @ flat.T).reshape(*posed.batch, -1, 3)
        turned = posed.R_world_joint[..., self.bones, :, :] @ points[..., None]
        return np.asarray(
            turned[..., 0] + self.shares[:, None] * posed.t_world_joint[..., self.bones, :]
        )

    def _turned(self, posed: PosedBody) -> Array:
        """[..., N, 3, J, 3]: as if the points in the bones' frames stayed where they are.

        Joint j turns what hangs on it about itself: (R_j w) x (sum of the parts below j - their
        shares times t_j).
        """
        below = descendants(self.skeleton.parents)[:, self.bones].astype(np.float64)  # [J, M]
        parts = self._parts(posed)[..., None, :] * below.T[..., None]
        arms = np.add.reduceat(parts, self.starts, axis=-3)  # [..., N, J, 3]
        shares = np.add.reduceat(self.shares[:, None] * below.T, self.starts, axis=0)
        arms = arms - shares[..., None] * posed.t_world_joint[..., None, :, :]
        axes = posed.R_world_joint[..., None, :, :, :]  # Columns are the axes of w.
        x, y, z = (arms[..., i, None] for i in range(3))
        rows = [axes[..., i, :] for i in range(3)]
        cross = [rows[1] * z - rows[2] * y, rows[2] * x - rows[0] * z, rows[0] * y - rows[1] * x]
        return np.stack(cross, axis=-3)


def _inner(posed: PosedBody) -> Array:
    """[..., J, 1, 9, 3]: pose features by turns, for a product over [..., J, N, 3, 9]."""
    return features_by_turn(posed)[..., None, :, :]


def _without_vertices(model: BodyModel) -> BodyModel:
    return model.at_vertices(np.zeros(0, np.int64))


def _pose_directions(model: BodyModel, used: NDArray[np.int32], weights: Array) -> Array:
    """[M, 3, 9 J] of `weights` [M, used]."""
    blend = model.at_vertices(used).pose_blend
    dense = np.zeros((len(weights), 3, model.num_joints, 9))
    for joint in range(1, model.num_joints):
        moved, directions = blend.of_joint(joint)
        dense[:, :, joint] = np.tensordot(weights[:, moved], directions, axes=(1, 1)).transpose(
            0, 2, 1
        )
    return dense.reshape(*dense.shape[:2], -1)
