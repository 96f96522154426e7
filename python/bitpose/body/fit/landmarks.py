# SPDX-License-Identifier: Apache-2.0
"""Joints and keypoints of a body, with their derivatives, at the cost of a few dozen vertices.

A keypoint is a weighted mean of vertices, a vertex one of its bones' transforms of a point at
rest. So a keypoint n is a sum over bones b,

    x_n = sum_b R_b P_nb + a_nb t_b,    a_nb = sum_v w_nv W_vb,

with R_b, t_b the frame of bone b in the world and P_nb a point in that frame that is affine in the
betas and in the pose features. The sums over vertices are taken once, when the landmarks are made;
nothing is left out. Pairs (n, b) without a weight are not stored: M of them remain; nor are joints
whose pose does not correct a pair: T remain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.batches import flat, spread, unflat
from bitpose.body.charts import SurfacePoints
from bitpose.body.fit import _landmarks
from bitpose.body.gradients import features_by_turn, joints_by_shape
from bitpose.body.keypoints import KeypointRegressor
from bitpose.body.model import BodyModel, PosedBody

Array = NDArray[Any]
Index = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Posture:
    """A skeleton in a pose, with what the derivatives of all its landmarks have in common."""

    posed: PosedBody
    axes: Array
    """[N, J, 3, 3]: columns by which each joint's numbers turn it, in the world."""
    features: Array
    """[N, J, 9, 3]: the derivative of the pose features by them."""
    joints_by_shape: Array
    """[N, J, 3, B]."""

    @classmethod
    def of(cls, posed: PosedBody, turns: Array | None = None) -> Posture:
        """By turns of each joint in its own frame; with `turns` [..., J, 3, 3] by numbers whose
        changes turn a joint by the columns.
        """
        axes, features = posed.R_world_joint, features_by_turn(posed)
        if turns is not None:
            axes, features = axes @ turns, features @ turns
        return cls(
            posed,
            _rows(axes, posed, 3),
            _rows(features, posed, 3),
            _rows(joints_by_shape(posed), posed, 3),
        )


@dataclass(frozen=True, eq=False)
class Landmarks:
    """K points of a body."""

    skeleton: BodyModel
    """The body without vertices."""
    starts: Index
    """[K + 1]: where the pairs of each point start; pairs are sorted by points."""
    bones: Index
    """[M]."""
    shares: Array
    """[M]: a_nb."""
    rest: Array
    """[M, 3]: P_nb of no betas and no pose."""
    by_shape: Array
    """[M, 3, B]."""
    corrected: Index
    """[M + 1]: where the terms of each pair start."""
    correctors: Index
    """[T]: the joint of each term."""
    corrections: Array
    """[T, 3, 9]: by the pose features of that joint."""

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of_joints(cls, model: BodyModel) -> Landmarks:
        """All joints of the skeleton, in its order."""
        joints = model.num_joints
        nothing = np.zeros((joints, 3))
        return cls.of_bones(model, np.arange(joints), nothing, np.zeros((joints, 3, _betas(model))))

    @classmethod
    def of_bones(
        cls, model: BodyModel, bones: NDArray[Any], rest: Array, by_shape: Array
    ) -> Landmarks:
        """Points fixed to one bone each, [K]: `rest` [K, 3] from its joint, at rest, that move by
        `by_shape` [K, 3, B].
        """
        return cls(
            skeleton=model.skeleton,
            starts=np.arange(len(bones) + 1, dtype=np.int32),
            bones=bones.astype(np.int32),
            shares=np.ones(len(bones)),
            rest=np.ascontiguousarray(rest),
            by_shape=np.ascontiguousarray(by_shape),
            corrected=np.zeros(len(bones) + 1, np.int32),
            correctors=np.zeros(0, np.int32),
            corrections=np.zeros((0, 3, 9)),
        )

    @classmethod
    def of_keypoints(cls, model: BodyModel, keypoints: KeypointRegressor) -> Landmarks:
        """Means of vertices; `model` has the vertices that `keypoints` counts."""
        used = keypoints.used()
        means = keypoints.within(used).dense(len(used))
        small = model.at_vertices(used)
        skin = small.skin.to_dense(model.num_joints).astype(np.float64)
        points, bones = np.nonzero(means @ skin)
        weights = means[points] * skin[:, bones].T  # [M, used]
        shares = weights.sum(axis=1)
        rest = weights @ small.v_template - shares[:, None] * model.J_template[bones]
        moved = np.tensordot(weights, small.shapedirs, axes=(1, 1))
        moved = moved.transpose(0, 2, 1)  # [M, 3, B]
        moved -= shares[:, None, None] * model.J_shapedirs[:, bones].transpose(1, 2, 0)
        return cls(
            model.skeleton,
            np.searchsorted(points, np.arange(len(means) + 1)).astype(np.int32),
            bones.astype(np.int32),
            shares,
            rest,
            np.ascontiguousarray(moved),
            *_corrections(small, weights),
        )

    @classmethod
    def of_surface(cls, model: BodyModel, points: SurfacePoints) -> Landmarks:
        """Points of the surface; each of them has a triangle."""
        return cls.of_keypoints(
            model,
            KeypointRegressor(
                tuple(map(str, range(len(points.triangles)))),
                model.faces[points.triangles],
                points.barycentrics,
            ),
        )

    def positions(self, posed: PosedBody) -> Array:
        """[..., K, 3] of the skeleton in a pose."""
        return self._positions(posed)[0]

    def jacobian(self, posed: PosedBody) -> tuple[Array, Array]:
        """[..., K, 3, J, 3] by the turn of each joint in its own frame, and [..., K, 3, B]."""
        return self.with_jacobian(Posture.of(posed))[1:]

    def with_jacobian(self, posture: Posture) -> tuple[Array, Array, Array]:
        """Positions; their derivatives [..., K, 3, J, 3] by the numbers of each joint, and
        [..., K, 3, B].
        """
        posed = posture.posed
        points, parts = self._positions(posed)
        joints, betas = len(self.skeleton.parents), self.by_shape.shape[-1]
        by_turn = np.zeros((*parts.shape[:1], len(self), 3, joints, 3))
        by_shape = np.zeros((*parts.shape[:1], len(self), 3, betas))
        _landmarks.jacobian(
            _rows(posed.R_world_joint, posed, 3), _rows(posed.t_world_joint, posed, 2),
            posture.axes, posture.features, posture.joints_by_shape,
            self.skeleton.parents, self.starts, self.bones, self.shares, self.by_shape,
            self.corrected, self.correctors, self.corrections, parts, by_turn, by_shape,
        )  # fmt: skip
        by_turn, by_shape = unflat(by_turn, posed.batch), unflat(by_shape, posed.batch)
        return points, by_turn, by_shape

    def _positions(self, posed: PosedBody) -> tuple[Array, Array]:
        """[..., K, 3], and the terms of the sum, [N, M, 3] for all of the batch."""
        count = math.prod(posed.batch)
        parts, points = np.zeros((count, len(self.bones), 3)), np.zeros((count, len(self), 3))
        _landmarks.positions(
            _rows(posed.R_world_joint, posed, 3), _rows(posed.t_world_joint, posed, 2),
            _rows(posed.pose_features, posed, 2), _rows(posed.shaped.coefficients, posed, 1),
            self.starts, self.bones, self.shares, self.rest, self.by_shape,
            self.corrected, self.correctors, self.corrections, parts, points,
        )  # fmt: skip
        return unflat(points, posed.batch), parts


def _rows(array: Array, posed: PosedBody, tail: int) -> Array:
    """One for each body of the batch."""
    return flat(spread(array, posed.batch, tail), tail)


def _betas(model: BodyModel) -> int:
    return len(model.shapedirs)


def _corrections(model: BodyModel, weights: Array) -> tuple[Index, Index, Array]:
    """Starts, joints and directions of pairs that are sums of vertices by `weights` [M, V]."""
    pairs, joints, terms = [], [], []
    for joint in range(1, model.num_joints):
        moved, directions = model.pose_blend.of_joint(joint)
        touched = np.flatnonzero(weights[:, moved].any(axis=1))
        terms.append(np.tensordot(weights[touched][:, moved], directions, axes=(1, 1)))
        pairs.append(touched)
        joints.append(np.full(len(touched), joint, np.int32))
    pair = np.concatenate(pairs)
    order = np.argsort(pair, kind="stable")
    starts = np.searchsorted(pair[order], np.arange(len(weights) + 1)).astype(np.int32)
    directions = np.concatenate(terms)[order].transpose(0, 2, 1)
    return starts, np.concatenate(joints)[order], np.ascontiguousarray(directions)
