# SPDX-License-Identifier: Apache-2.0
"""The stages of a body against the definition of linear blend skinning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.body import BodyArrays, BodyModel, Mesh
from bitpose.body.gradients import pull_back, vertex_jacobian
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError, InvalidModelError
from tests.python.body.bodies import random_arrays

Array = NDArray[Any]


def definition(
    arrays: BodyArrays, betas: Array, pose: Array, translation: Array
) -> tuple[Array, Array]:
    """Vertices and joints of one body, written as in the paper on SMPL."""
    shaped = arrays.v_template + arrays.shapedirs @ betas
    rest = arrays.J_regressor @ shaped
    R = axis_angle_to_matrix(pose.reshape(-1, 3))
    shaped = shaped + arrays.posedirs @ (R[1:] - np.eye(3)).ravel()
    T = np.zeros((len(rest), 4, 4))
    for joint, parent in enumerate(arrays.parents):
        local = np.eye(4)
        local[:3, :3] = R[joint]
        local[:3, 3] = rest[joint] - (rest[parent] if joint else 0)
        T[joint] = T[parent] @ local if joint else local
    joints = T[:, :3, 3] + translation
    vertices = np.zeros_like(shaped)
    for joint in range(len(rest)):
        of_bone = (shaped - rest[joint]) @ T[joint, :3, :3].T + T[joint, :3, 3]
        vertices += arrays.lbs_weights[:, joint, None] * of_bone
    return vertices + translation, joints


@given(st.integers(0, 2**32), st.integers(1, 300))
@settings(max_examples=25)
def test_definition(seed: int, vertices: int) -> None:
    rng = np.random.default_rng(seed)
    joints = int(rng.integers(1, 30))
    parents = (-1, *(int(rng.integers(0, joint)) for joint in range(1, joints)))
    arrays = random_arrays(seed, vertices, parents, betas=int(rng.integers(0, 12)))
    betas = rng.normal(size=(arrays.shapedirs.shape[2],))
    pose, translation = rng.normal(0, 1.2, 3 * joints), rng.normal(size=3)
    expected_vertices, expected_joints = definition(arrays, betas, pose, translation)
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 5e-5)):
        model = BodyModel.from_arrays(arrays, dtype)
        posed = model.with_shape(betas).with_axis_angle(pose, translation)
        assert posed.vertices().dtype == dtype
        np.testing.assert_allclose(posed.vertices(), expected_vertices, atol=tolerance)
        np.testing.assert_allclose(posed.t_world_joint, expected_joints, atol=tolerance)


def test_batches_are_single_bodies() -> None:
    model = BodyModel.from_arrays(random_arrays(1))
    rng = np.random.default_rng(2)
    betas, pose = rng.normal(size=(3, 1, 10)), rng.normal(size=(4, 72))
    translation = rng.normal(size=(3, 4, 3))
    batch = model.with_shape(betas).with_axis_angle(pose, translation)
    assert batch.batch == (3, 4)
    mesh = batch.mesh()
    for i in range(3):
        for k in range(4):
            one = model.with_shape(betas[i, 0]).with_axis_angle(pose[k], translation[i, k])
            np.testing.assert_array_equal(mesh.vertices[i, k], one.vertices())
            np.testing.assert_array_equal(batch.T_world_joint[i, k], one.T_world_joint)
    one_shape = model.with_shape(betas[0, 0]).with_axis_angle(pose, translation[0])
    np.testing.assert_array_equal(one_shape.vertices(), mesh.vertices[0])


def test_no_bodies_at_all() -> None:
    model = BodyModel.from_arrays(random_arrays(1))
    posed = model.with_shape(np.zeros((0, 10))).with_axis_angle(np.zeros(72))
    assert posed.vertices().shape == (0, 40, 3)
    nothing = model.at_vertices(np.empty(0, int)).with_shape().with_axis_angle(np.zeros(72))
    assert nothing.vertices().shape == (0, 3)
    assert pull_back(nothing, np.empty((0, 3))).by_pose.shape == (24, 3)
    assert vertex_jacobian(nothing).by_pose.shape == (0, 3, 24, 3)


def test_rest_pose_is_the_shaped_surface() -> None:
    model = BodyModel.from_arrays(random_arrays(3), np.float64)
    shaped = model.with_shape([0.5, -2])
    posed = shaped.with_axis_angle(np.zeros(72))
    np.testing.assert_allclose(posed.vertices(), shaped.v_shaped, atol=1e-14)
    np.testing.assert_allclose(posed.t_world_joint, shaped.rest_joints, atol=1e-14)
    np.testing.assert_array_equal(posed.T_world_root[:3, :3], np.eye(3))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 0), (np.float32, 2e-6)])
def test_some_vertices(dtype: type, tolerance: float) -> None:
    model = BodyModel.from_arrays(random_arrays(4), dtype)
    chosen = [31, 2, 17, 5, 30]
    rng = np.random.default_rng(5)
    betas, pose = rng.normal(size=10), rng.normal(size=72)
    whole = model.with_shape(betas).with_axis_angle(pose)
    part = model.at_vertices(chosen).with_shape(betas).with_axis_angle(pose)
    np.testing.assert_allclose(part.vertices(), whole.vertices()[chosen], rtol=0, atol=tolerance)
    np.testing.assert_array_equal(part.t_world_joint, whole.t_world_joint)
    everything = model.at_vertices(np.arange(40)[::-1])
    np.testing.assert_array_equal(39 - everything.faces, model.faces)


def test_packing_there_and_back() -> None:
    arrays = random_arrays(6)
    model = BodyModel.from_arrays(arrays, np.float64)
    np.testing.assert_array_equal(model.pose_blend.to_dense(40), arrays.posedirs)
    np.testing.assert_array_equal(model.skin.to_dense(24), arrays.lbs_weights)
    assert model.skin.weights.shape == (40, 4)
    assert not np.isin(model.pose_blend.vertices, np.arange(0, 40, 5)).any()


def test_pose_directions_in_16_bits() -> None:
    """Several blocks a joint, each with its own steps; directions beyond one block's largest."""
    arrays = random_arrays(7, vertices=2000)
    arrays.posedirs[600:] *= 1e-3
    blend = BodyModel.from_arrays(arrays).pose_blend
    assert blend.directions.dtype == np.int16
    assert len(blend.steps) == 23 * 4  # 1600 vertices in blocks of 512.
    difference = np.abs(blend.to_dense(2000) - arrays.posedirs)
    assert difference[:500].max() < 5e-7
    assert difference[1400:].max() < 5e-10


def test_mesh_of_a_cube() -> None:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 2) for z in (0, 3)], float)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)
    mesh = Mesh(np.stack([corners, corners + 7]), faces)
    np.testing.assert_allclose(mesh.volume(), [6, 6])


def test_what_does_not_fit() -> None:
    model = BodyModel.from_arrays(random_arrays(7))
    shaped = model.with_shape(np.zeros((3, 10)))
    for call in (
        lambda: model.with_shape(np.zeros(11)),
        lambda: model.with_shape(expression=[1.0]),
        lambda: model.with_shape([np.nan]),
        lambda: model.with_shape("tall"),
        lambda: shaped.with_axis_angle(np.zeros(69)),
        lambda: shaped.with_axis_angle(np.full(72, np.inf)),
        lambda: shaped.with_axis_angle(np.zeros((2, 72))),
        lambda: shaped.with_axis_angle(np.zeros(72), np.zeros(2)),
        lambda: shaped.with_pose(np.zeros((23, 3, 3))),
        lambda: model.at_vertices([0, 40]),
        lambda: model.at_vertices([3, 3]),
        lambda: BodyModel.from_arrays(random_arrays(7), np.float16),
    ):
        with pytest.raises(InputError):
            call()


def test_arrays_that_contradict_each_other() -> None:
    """However a model is made, compiled loops find no index beyond its arrays."""
    for dtype in (np.float32, np.float64):
        model = BodyModel.from_arrays(random_arrays(8), dtype)
        blend, skin = model.pose_blend, model.skin
        wrong: dict[str, list[Any]] = {
            "v_template": [model.v_template[:, :2]],
            "shapedirs": [model.shapedirs[:, :-1]],
            "J_template": [model.J_template[:-1]],
            "J_shapedirs": [model.J_shapedirs[:-1]],
            "parents": [model.parents + 1, model.parents - 1],
            "faces": [model.faces + 40, model.faces[:, :2]],
            "skin": [
                replace(skin, bones=skin.bones + 24),
                replace(skin, bones=skin.bones[:-1]),
                replace(skin, bones=skin.bones[:, :0], weights=skin.weights[:, :0]),
            ],
            "pose_blend": [
                replace(blend, vertices=blend.vertices + 1),
                replace(blend, vertices=blend.vertices[::-1]),
                replace(blend, starts=blend.starts[:-1]),
                replace(blend, starts=blend.starts[::-1]),
                replace(blend, directions=blend.directions[:, 1:]),
                replace(blend, steps=np.zeros((1, 9))),
            ],
        }
        for name, values in wrong.items():
            for value in values:
                with pytest.raises(InvalidModelError, match=rf"{name}\b.* of the body do not fit"):
                    replace(model, **{name: value})
