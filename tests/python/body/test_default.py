# SPDX-License-Identifier: Apache-2.0
"""The default body: one closed surface that looks like a person in any pose people take."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.body import SMPL_JOINTS, SMPL_PARENTS, BodyModel, PosedBody
from bitpose.body.gradients import vertex_jacobian
from bitpose.body.retarget import retarget
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError
from bitpose.pose.skeleton import COCO_17
from tests.python import shared

Array = NDArray[Any]


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load(dtype=np.float64)


def test_file_is_small_and_has_its_licence() -> None:
    folder = files("bitpose.body")
    assert len(folder.joinpath("default_body.npz").read_bytes()) <= 3_000_000
    assert "CC0 1.0 Universal" in folder.joinpath("default_body.LICENSE.txt").read_text()


def test_one_closed_surface(body: BodyModel) -> None:
    """Each edge belongs to two triangles, once in each direction; no handle, no second piece."""
    faces, vertices = body.faces, len(body.v_template)
    assert 6500 <= vertices <= 7500
    directed = {(int(a), int(b)) for i in range(3) for a, b in faces[:, [i, (i + 1) % 3]]}
    assert len(directed) == 3 * len(faces)
    assert all((b, a) in directed for a, b in directed)
    assert vertices - len(directed) // 2 + len(faces) == 2
    assert set(faces.ravel().tolist()) == set(range(vertices))
    mesh = body.with_shape().with_axis_angle(np.zeros(72)).mesh()
    assert 0.04 < float(mesh.volume()) < 0.08


def test_left_mirrors_right(body: BodyModel) -> None:
    flipped = body.v_template * (-1, 1, 1)
    distance = _nearest(flipped, body.v_template)
    assert distance.max() < 1e-4
    left = [j for j, name in enumerate(SMPL_JOINTS) if name.startswith("left_")]
    right = [SMPL_JOINTS.index(SMPL_JOINTS[j].replace("left", "right")) for j in left]
    np.testing.assert_allclose(
        body.J_template[left] * (-1, 1, 1), body.J_template[right], atol=2e-3
    )


def _nearest(points: Array, others: Array) -> Array:
    best = np.full(len(points), np.inf)
    for start in range(0, len(others), 500):
        part = others[start : start + 500]
        distance = ((points[:, None] - part[None]) ** 2).sum(axis=2).min(axis=1)
        best = np.minimum(best, distance)
    return np.asarray(np.sqrt(best))


def test_zero_pose(body: BodyModel) -> None:
    """SMPL's: arms level, legs down, looking along z, pelvis at the origin for all shapes."""
    joint = dict(zip(SMPL_JOINTS, body.J_template, strict=True))
    assert tuple(body.parents) == SMPL_PARENTS
    assert np.abs(joint["pelvis"]).max() < 5e-3
    assert np.abs(body.J_shapedirs[:, 0]).max() < 5e-3
    assert np.abs((joint["left_wrist"] - joint["left_shoulder"])[1:]).max() < 0.02
    assert joint["left_ankle"][1] < joint["left_knee"][1] < joint["left_hip"][1]
    nose = body.keypoints["COCO-17"].positions(body.v_template)[0]
    assert nose[2] > joint["head"][2] + 0.05
    assert joint["left_foot"][2] > joint["left_ankle"][2] + 0.05


def test_skinning_is_smooth(body: BodyModel) -> None:
    weights = body.skin.to_dense(24)
    assert body.skin.weights.shape[1] == 4
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)
    edges = np.concatenate([body.faces[:, [i, (i + 1) % 3]] for i in range(3)])
    steps = np.abs(weights[edges[:, 0]] - weights[edges[:, 1]]).max(axis=1)
    assert np.percentile(steps, 99) < 0.3
    assert steps.max() < 0.6


def test_axes_and_betas(body: BodyModel) -> None:
    assert body.axes is not None
    assert len(body.axes.names) == body.num_betas >= 10
    assert {"sex", "age", "weight", "height", "muscle", "proportions"} <= set(body.axes.names)
    identity = body.axes.matrix @ body.axes.matrix.T
    np.testing.assert_allclose(identity, np.eye(body.num_betas), atol=1e-7)
    flat = body.shapedirs.reshape(body.num_betas, -1)
    length = np.linalg.norm(flat, axis=1)
    assert (np.diff(length) < 0).all()
    cosines = flat @ flat.T / length / length[:, None]
    np.testing.assert_allclose(cosines, np.eye(body.num_betas), atol=2e-3)
    values = body.axes.values(body.axes.betas(height=1.5, belly=-1))
    assert {k: round(v, 6) for k, v in values.items() if abs(v) > 1e-6} == {
        "height": 1.5,
        "belly": -1,
    }
    with pytest.raises(InputError, match="no shape axis charm; there are"):
        body.axes.betas(charm=1)


def test_axes_do_what_they_say(body: BodyModel) -> None:
    def shaped(**values: float) -> tuple[float, float]:
        assert body.axes is not None
        posed = body.with_shape(body.axes.betas(**values)).with_axis_angle(np.zeros(72))
        mesh = posed.mesh()
        return float(np.ptp(mesh.vertices[:, 1])), float(mesh.volume())

    assert shaped(height=2)[0] > shaped()[0] + 0.1 > shaped(height=-2)[0] + 0.2
    assert shaped(weight=2)[1] > 1.15 * shaped()[1] > 1.15**2 * shaped(weight=-2)[1]
    assert shaped(sex=1.5)[0] > shaped(sex=-1.5)[0] + 0.08
    assert shaped(childhood=2)[0] < shaped()[0] - 0.1
    assert shaped(belly=2)[1] > shaped()[1]


@pytest.mark.parametrize("degrees", [90, 110, 130])
@pytest.mark.parametrize(
    ("joint", "axis"),
    [
        ("left_elbow", (0, -1, 0)),
        ("right_elbow", (0, 1, 0)),
        ("left_knee", (1, 0, 0)),
        ("right_knee", (1, 0, 0)),
    ],
)
def test_correctives_keep_volume(
    body: BodyModel, joint: str, axis: tuple[float, float, float], degrees: int
) -> None:
    """Nine tenths of what plain skinning loses when an elbow or a knee bends."""
    pose = np.zeros((24, 3))
    pose[SMPL_JOINTS.index(joint)] = np.radians(degrees) * np.array(axis)
    at_rest = body.with_shape().with_axis_angle(np.zeros(72)).mesh().volume()
    posed = body.with_shape().with_axis_angle(pose.ravel())
    lost = float(at_rest - posed.mesh().volume())
    plain = float(at_rest - _plain(posed).mesh().volume())
    assert plain > 5e-5
    assert abs(lost) < 0.1 * plain


def _plain(posed: PosedBody) -> PosedBody:
    """Without correctives: the same with all pose directions 0."""
    from dataclasses import replace

    model = posed.shaped.model
    blend = replace(model.pose_blend, directions=0 * model.pose_blend.directions)
    model = replace(model, pose_blend=blend)
    return model.with_shape().with_pose(posed.R_parent_joint)


def test_keypoint_sets(body: BodyModel) -> None:
    coco = body.keypoints["COCO-17"]
    assert coco.names == COCO_17.keypoints
    assert body.keypoints["H36M-17"].names[:4] == (
        "pelvis",
        "right_hip",
        "right_knee",
        "right_ankle",
    )
    assert body.keypoints["H36M-17"].names[7:11] == ("spine", "thorax", "nose", "head_top")
    assert len(body.keypoints["H36M-17"].names) == 17
    assert body.keypoints["LSP-14"].names[0] == "right_ankle"
    assert body.keypoints["LSP-14"].names[12:] == ("neck", "head_top")
    for keypoints in body.keypoints.values():
        np.testing.assert_allclose(keypoints.weights.sum(axis=1), 1, atol=1e-12)
        assert (keypoints.weights >= 0).all()
        assert keypoints.vertices.shape[1] <= 24


@given(st.integers(0, 2**32))
def test_keypoints_follow_their_joints(seed: int) -> None:
    """Limb joints of the data sets are ours, in every pose and shape."""
    body = BodyModel.load()
    rng = np.random.default_rng(seed)
    posed = body.with_shape(rng.normal(size=body.num_betas)).with_axis_angle(
        rng.normal(0, 0.35, 72), rng.normal(size=3)
    )
    found = body.keypoints["COCO-17"].positions(posed.vertices())
    for name, position in zip(COCO_17.keypoints, found, strict=True):
        part = name.rpartition("_")[2]
        if part in ("elbow", "wrist", "knee", "ankle"):
            joint = posed.t_world_joint[SMPL_JOINTS.index(name)]
            assert np.linalg.norm(position - joint) < 0.025


def test_keypoints_of_some_vertices(body: BodyModel) -> None:
    coco = body.keypoints["COCO-17"]
    used = coco.used()
    small = body.at_vertices(used)
    assert len(small.v_template) < 400
    pose = np.random.default_rng(1).normal(0, 0.5, 72)
    whole = coco.positions(body.with_shape().with_axis_angle(pose).vertices())
    part = coco.within(used).positions(small.with_shape().with_axis_angle(pose).vertices())
    np.testing.assert_allclose(part, whole, atol=1e-12)
    with pytest.raises(InputError, match="not kept"):
        coco.within(used[1:])
    dense = coco.dense(len(body.v_template))
    np.testing.assert_allclose(dense @ body.v_template, coco.positions(body.v_template), atol=1e-12)


def test_derivatives_of_keypoints(body: BodyModel) -> None:
    """By the pose, of a batch of two bodies, along one direction."""
    coco = body.keypoints["COCO-17"]
    small, coco = body.at_vertices(coco.used()), coco.within(coco.used())
    rng = np.random.default_rng(3)
    rotations = axis_angle_to_matrix(rng.normal(0, 0.4, (2, 24, 3)))
    turn = rng.normal(size=(2, 24, 3))
    shaped = small.with_shape(rng.normal(size=small.num_betas))
    by_pose = coco.mean(vertex_jacobian(shaped.with_pose(rotations)).by_pose, axis=-4)
    ends = [
        coco.positions(shaped.with_pose(rotations @ axis_angle_to_matrix(h * turn)).vertices())
        for h in (1e-5, -1e-5)
    ]
    expected = (ends[0] - ends[1]) / 2e-5
    np.testing.assert_allclose(np.einsum("bkrja,bja->bkr", by_pose, turn), expected, atol=1e-8)


def test_people_in_motion(body: BodyModel) -> None:
    """Poses of motion capture: the volume stays, and few edges are stretched."""
    path = shared.ROOT / "mocap" / "cmu_poses.npz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    clips = np.load(path)
    poses = clips["poses"]
    chosen = poses[np.random.default_rng(2).choice(len(poses), 150, replace=False)]
    rotations = axis_angle_to_matrix(chosen.astype(np.float64).reshape(-1, 24, 3))
    rotations = retarget(rotations, clips["rest_joints"], body.J_template)
    mesh = body.with_shape().with_pose(rotations).mesh()
    at_rest = body.with_shape().with_axis_angle(np.zeros(72)).mesh()
    assert np.abs(mesh.volume() / at_rest.volume() - 1).max() < 0.06
    edges = np.concatenate([body.faces[:, [i, (i + 1) % 3]] for i in range(3)])
    stretch = _lengths(mesh.vertices, edges) / _lengths(at_rest.vertices, edges)
    assert np.percentile(stretch, 99.9) < 2.2
    assert np.percentile(stretch, 0.1) > 0.2


def _lengths(vertices: Array, edges: NDArray[np.int32]) -> Array:
    difference = vertices[..., edges[:, 0], :] - vertices[..., edges[:, 1], :]
    return np.asarray(np.linalg.norm(difference, axis=-1))
