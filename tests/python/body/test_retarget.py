# SPDX-License-Identifier: Apache-2.0
"""Poses carried from one skeleton to another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose.body import SMPL_JOINTS, BodyModel
from bitpose.body.retarget import retarget, shortest_rotation
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError
from tests.python.body.bodies import random_arrays


@given(st.integers(0, 2**32))
def test_limbs_point_where_the_sources_do(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bodies = [BodyModel.from_arrays(random_arrays(seed + k), np.float64) for k in (0, 1)]
    pose = axis_angle_to_matrix(rng.normal(0, 1, (2, 24, 3)))
    carried = retarget(pose, bodies[0].J_template, bodies[1].J_template)
    source = bodies[0].with_shape().with_pose(pose)
    target = bodies[1].with_shape().with_pose(carried)
    for start, end in (("left_hip", "left_knee"), ("right_elbow", "right_wrist")):
        a, b = SMPL_JOINTS.index(start), SMPL_JOINTS.index(end)
        for k in range(2):
            bones = [p.t_world_joint[k, b] - p.t_world_joint[k, a] for p in (source, target)]
            directions = [bone / np.linalg.norm(bone) for bone in bones]
            np.testing.assert_allclose(directions[0], directions[1], atol=1e-9)
    for name in ("pelvis", "spine2", "head", "left_wrist", "right_foot"):
        joint = SMPL_JOINTS.index(name)
        np.testing.assert_allclose(
            source.R_world_joint[:, joint], target.R_world_joint[:, joint], atol=1e-12
        )


def test_same_skeleton_keeps_the_pose() -> None:
    body = BodyModel.load(dtype=np.float64)
    pose = axis_angle_to_matrix(np.random.default_rng(1).normal(0, 1, (24, 3)))
    np.testing.assert_allclose(retarget(pose, body.J_template, body.J_template), pose, atol=1e-12)


def test_shortest_rotation() -> None:
    turn = shortest_rotation([2, 0, 0], [0, 3, 0])
    np.testing.assert_allclose(turn, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-15)
    np.testing.assert_array_equal(shortest_rotation([0, 1, 0], [0, 5, 0]), np.eye(3))


def test_wrong_shapes() -> None:
    with pytest.raises(InputError, match="must be"):
        retarget(np.zeros((23, 3, 3)), np.zeros((24, 3)), np.zeros((24, 3)))
