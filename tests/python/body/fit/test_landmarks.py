# SPDX-License-Identifier: Apache-2.0
"""Landmarks against the vertices that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from bitpose.body import BodyModel
from bitpose.body.fit.landmarks import Landmarks
from bitpose.body.gradients import joint_jacobian, vertex_jacobian
from bitpose.body.rotations import axis_angle_to_matrix


@pytest.mark.parametrize("name", ["COCO-17", "H36M-17", "LSP-14"])
def test_keypoints_are_means_of_vertices(name: str) -> None:
    model = BodyModel.load(dtype=np.float64)
    regressor = model.keypoints[name]
    small, regressor = model.at_vertices(regressor.used()), regressor.within(regressor.used())
    landmarks = Landmarks.of_keypoints(model, model.keypoints[name])
    rng = np.random.default_rng(3)
    betas, translation = rng.normal(0, 1, (2, model.num_betas)), rng.normal(0, 1, (2, 3))
    pose = axis_angle_to_matrix(rng.normal(0, 0.7, (2, 24, 3)))
    posed = small.with_shape(betas).with_pose(pose, translation)
    bare = landmarks.skeleton.with_shape(betas).with_pose(pose, translation)
    np.testing.assert_allclose(
        landmarks.positions(bare), regressor.positions(posed.vertices()), atol=1e-12
    )
    by_turn, by_shape = landmarks.jacobian(bare)
    exact = vertex_jacobian(posed)
    np.testing.assert_allclose(by_turn, regressor.mean(exact.by_pose, axis=-4), atol=1e-12)
    np.testing.assert_allclose(by_shape, regressor.mean(exact.by_shape, axis=-3), atol=1e-12)


def test_joints() -> None:
    model = BodyModel.load(dtype=np.float64)
    landmarks = Landmarks.of_joints(model)
    rng = np.random.default_rng(4)
    posed = landmarks.skeleton.with_shape(rng.normal(0, 1, model.num_betas)).with_pose(
        axis_angle_to_matrix(rng.normal(0, 1, (24, 3))), rng.normal(0, 1, 3)
    )
    np.testing.assert_allclose(landmarks.positions(posed), posed.t_world_joint, atol=1e-12)
    by_turn, by_shape = landmarks.jacobian(posed)
    exact = joint_jacobian(posed)
    np.testing.assert_allclose(by_turn, exact.by_pose, atol=1e-12)
    np.testing.assert_allclose(by_shape, exact.by_shape, atol=1e-12)
