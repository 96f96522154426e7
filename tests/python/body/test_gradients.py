# SPDX-License-Identifier: Apache-2.0
"""Derivatives against central differences in float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.body import BodyModel, PosedBody
from bitpose.body.gradients import (
    by_axis_angle,
    descendants,
    joint_jacobian,
    pull_back,
    vertex_jacobian,
)
from bitpose.body.layout import SMPL_PARENTS
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError
from tests.python.body.bodies import random_arrays

Array = NDArray[Any]
STEP = 1e-5


class Case:
    """A body with its parameters, each of which can be varied."""

    def __init__(self, seed: int) -> None:
        self.model = BodyModel.from_arrays(random_arrays(seed, vertices=25), np.float64)
        rng = np.random.default_rng(seed)
        self.betas, self.translation = rng.normal(size=10), rng.normal(size=3)
        self.pose = rng.normal(0, 1, (24, 3))
        self.rotations = axis_angle_to_matrix(self.pose)

    def posed(self) -> PosedBody:
        return self.model.with_shape(self.betas).with_pose(self.rotations, self.translation)

    def by_turn(self, points: str, turn: Array) -> Array:
        rotations = self.rotations @ axis_angle_to_matrix(turn.reshape(24, 3))
        return _points(points, self.model.with_shape(self.betas).with_pose(rotations))

    def by_betas(self, points: str, change: Array) -> Array:
        shaped = self.model.with_shape(self.betas + change)
        return _points(points, shaped.with_pose(self.rotations))


def _points(name: str, posed: PosedBody) -> Array:
    return posed.t_world_joint if name == "joints" else posed.vertices()


def difference(function: Callable[[Array], Array], size: int) -> Array:
    """[..., size]."""
    steps = STEP * np.eye(size)
    columns = [(function(step) - function(-step)) / (2 * STEP) for step in steps]
    return np.stack(columns, axis=-1)


@given(st.integers(0, 2**32))
@settings(max_examples=8, deadline=None)
def test_jacobians(seed: int) -> None:
    case = Case(seed)
    posed = case.posed()
    joints, vertices = joint_jacobian(posed), vertex_jacobian(posed)
    for jacobian, name in ((joints, "joints"), (vertices, "vertices")):
        by_pose = difference(partial(case.by_turn, name), 72)
        np.testing.assert_allclose(jacobian.by_pose.reshape(by_pose.shape), by_pose, atol=1e-8)
        by_shape = difference(partial(case.by_betas, name), 10)
        np.testing.assert_allclose(jacobian.by_shape, by_shape, atol=1e-8)


@given(st.integers(0, 2**32))
@settings(max_examples=8, deadline=None)
def test_pull_back_is_the_transpose(seed: int) -> None:
    posed = Case(seed).posed()
    rng = np.random.default_rng(seed + 1)
    on_vertices, on_joints = rng.normal(size=(25, 3)), rng.normal(size=(24, 3))
    joints, vertices = joint_jacobian(posed), vertex_jacobian(posed)
    for v, j in ((on_vertices, on_joints), (None, on_joints), (on_vertices, None)):
        gradient = pull_back(posed, v, j)
        a, b = np.zeros((25, 3)) if v is None else v, np.zeros((24, 3)) if j is None else j
        for name in ("by_pose", "by_shape"):
            expected = np.tensordot(a, getattr(vertices, name), 2)
            expected = expected + np.tensordot(b, getattr(joints, name), 2)
            np.testing.assert_allclose(getattr(gradient, name), expected, atol=1e-10)
        np.testing.assert_allclose(gradient.by_translation, a.sum(0) + b.sum(0), atol=1e-12)


def test_by_axis_angle() -> None:
    """The gradient of a scalar by SMPL's own parameters."""
    case = Case(5)
    weights = np.random.default_rng(6).normal(size=(25, 3))
    gradient = pull_back(case.posed(), by_vertices=weights)
    shaped = case.model.with_shape(case.betas)

    def loss(change: Array) -> Array:
        pose = case.pose.ravel() + change
        return np.asarray(np.sum(weights * shaped.with_axis_angle(pose).vertices()))

    numeric = difference(loss, 72).reshape(24, 3)
    np.testing.assert_allclose(by_axis_angle(gradient.by_pose, case.pose), numeric, atol=1e-7)


def test_batches_are_single_bodies() -> None:
    model = BodyModel.from_arrays(random_arrays(7), np.float64)
    rng = np.random.default_rng(8)
    betas, pose = rng.normal(size=(2, 1, 10)), rng.normal(size=(3, 72))
    on_vertices, on_joints = rng.normal(size=(2, 3, 40, 3)), rng.normal(size=(2, 3, 24, 3))
    posed = model.with_shape(betas).with_axis_angle(pose)
    whole = [joint_jacobian(posed), vertex_jacobian(posed)]
    gradient = pull_back(posed, on_vertices, on_joints)
    for i, k in np.ndindex(2, 3):
        one = model.with_shape(betas[i, 0]).with_axis_angle(pose[k])
        for jacobian, expected in zip(
            whole, (joint_jacobian(one), vertex_jacobian(one)), strict=True
        ):
            np.testing.assert_allclose(jacobian.by_pose[i, k], expected.by_pose, atol=1e-12)
            np.testing.assert_allclose(jacobian.by_shape[i, k], expected.by_shape, atol=1e-12)
        single = pull_back(one, on_vertices[i, k], on_joints[i, k])
        np.testing.assert_allclose(gradient.by_pose[i, k], single.by_pose, atol=1e-12)
        np.testing.assert_allclose(gradient.by_shape[i, k], single.by_shape, atol=1e-12)


@pytest.mark.parametrize("shape", [(24, 3), (26, 3), (3,), (25, 2), (2, 25, 3)])
def test_gradients_of_another_body(shape: tuple[int, ...]) -> None:
    posed = Case(1).posed()
    with pytest.raises(InputError, match=r"must be \(25, 3\)"):
        pull_back(posed, by_vertices=np.zeros(shape))
    with pytest.raises(InputError, match="by_joints of shape"):
        pull_back(posed, by_joints=np.zeros((25, 3)))


def test_descendants() -> None:
    below = descendants(np.array(SMPL_PARENTS, np.int32))
    assert below[0].all()
    assert list(np.flatnonzero(below[16])) == [16, 18, 20, 22]
    assert not below[4, 5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_the_models(dtype: type) -> None:
    model = BodyModel.from_arrays(random_arrays(9), dtype)
    posed = model.with_shape().with_axis_angle(np.zeros(72))
    gradient = pull_back(posed, np.ones((40, 3)), np.ones((24, 3)))
    jacobian = vertex_jacobian(posed)
    for array in (gradient.by_pose, gradient.by_shape, jacobian.by_pose, jacobian.by_shape):
        assert array.dtype == dtype
