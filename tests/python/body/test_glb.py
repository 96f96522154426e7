# SPDX-License-Identifier: Apache-2.0
"""GLB files read back and evaluated by the formulas of glTF: the body that was written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib
import pytest
from numpy.typing import NDArray

from bitpose.body import SMPL_JOINTS, BodyModel, PosedBody
from bitpose.body.glb import CORRECTIVES, encode, write_glb
from bitpose.body.packing import PoseBlend
from bitpose.body.rotations import quaternion_to_matrix
from bitpose.errors import InputError
from tests.python.body.bodies import random_arrays

Array = NDArray[Any]

_DTYPES = {5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_WIDTHS = {"SCALAR": (), "VEC3": (3,), "VEC4": (4,), "MAT4": (4, 4)}


class Viewer:
    """What a viewer does with a file."""

    def __init__(self, path: Path) -> None:
        self.tree = pygltflib.GLTF2().load(str(path))
        self.mesh = self.tree.meshes[0]
        self.primitive = self.mesh.primitives[0]
        self.names = self.mesh.extras.get("targetNames", [])
        self.nodes = self.tree.nodes

    def array(self, number: int) -> Array:
        accessor = self.tree.accessors[number]
        view = self.tree.bufferViews[accessor.bufferView]
        shape = (accessor.count, *_WIDTHS[accessor.type])
        flat = np.frombuffer(
            self.tree.binary_blob(),
            _DTYPES[accessor.componentType],
            int(np.prod(shape)),
            view.byteOffset,
        )
        return flat.reshape(shape)

    def target(self, name: str) -> Array:
        return self.array(self.primitive.targets[self.names.index(name)]["POSITION"])

    def frames(self, rotations: Array, translation: Array) -> Array:
        """[J + 1, 4, 4]: where nodes are, by number."""
        frames = np.tile(np.eye(4), (len(self.nodes), 1, 1))
        for number, node in enumerate(self.nodes):
            if number > 0:
                local = np.eye(4)
                x, y, z, w = rotations[number - 1]
                local[:3, :3] = quaternion_to_matrix(np.array([w, x, y, z], np.float64))
                local[:3, 3] = translation if number == 1 else node.translation
                frames[number] = frames[number] @ local
            for child in node.children or []:
                assert child > number
                frames[child] = frames[number]
        return frames

    def vertices(
        self,
        weights: dict[str, float],
        rotations: Array | None = None,
        translation: Array | None = None,
    ) -> Array:
        """[V, 3] by the skin, in the pose of the nodes unless another is given."""
        attributes, skin = self.primitive.attributes, self.tree.skins[0]
        if rotations is None:
            rotations = np.array([node.rotation for node in self.nodes[1:]])
        if translation is None:
            translation = np.array(self.nodes[1].translation)
        frames = self.frames(rotations, translation)[skin.joints]
        bind = np.swapaxes(self.array(skin.inverseBindMatrices), 1, 2)
        rest = self.array(attributes.POSITION).astype(np.float64)
        for name, weight in weights.items():
            rest = rest + weight * self.target(name)
        carried = np.concatenate([rest, np.ones((len(rest), 1))], axis=1)
        joints = (frames @ bind)[self.array(attributes.JOINTS_0)]
        moved = np.einsum(
            "vk,vkrc,vc->vr", self.array(attributes.WEIGHTS_0), joints[..., :3, :], carried
        )
        return np.asarray(moved)


def without_correctives(posed: PosedBody) -> Array:
    model = posed.shaped.model
    none = [(np.empty(0, np.intp), np.empty((9, 0, 3)))] * model.num_joints
    bare = replace(model, pose_blend=PoseBlend.from_joints(none, model.dtype))
    shaped = bare.with_shape(posed.shaped.coefficients)
    translation = posed.t_world_joint[..., 0, :] - shaped.rest_joints[..., 0, :]
    return np.asarray(shaped.with_pose(posed.R_parent_joint, translation).vertices())


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load()


@pytest.fixture(scope="module")
def posed(body: BodyModel) -> PosedBody:
    assert body.axes is not None
    pose = np.random.default_rng(1).normal(0, 0.4, 72)
    return body.with_shape(body.axes.betas(sex=1, belly=1)).with_axis_angle(pose, (0.1, 1, 2))


@pytest.fixture(scope="module")
def viewer(posed: PosedBody, tmp_path_factory: pytest.TempPathFactory) -> Viewer:
    path = tmp_path_factory.mktemp("glb") / "body.glb"
    write_glb(path, posed)
    return Viewer(path)


def test_skin_moves_the_surface_as_the_body_does(posed: PosedBody, viewer: Viewer) -> None:
    np.testing.assert_allclose(viewer.vertices({}), without_correctives(posed), atol=1e-5)
    shown = dict(zip(viewer.names, viewer.mesh.weights, strict=True))
    assert shown.pop(CORRECTIVES) == 1
    assert set(shown.values()) == {0}
    np.testing.assert_allclose(viewer.vertices({CORRECTIVES: 1}), posed.vertices(), atol=1e-5)


def test_another_pose_of_the_nodes(posed: PosedBody, viewer: Viewer) -> None:
    pose = np.zeros((24, 3))
    pose[SMPL_JOINTS.index("left_elbow")] = (0, -1.5, 0)
    other = posed.shaped.with_axis_angle(pose.ravel())
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (24, 1))
    rotations[SMPL_JOINTS.index("left_elbow")] = (0, -np.sin(0.75), 0, np.cos(0.75))
    moved = viewer.vertices({}, rotations, posed.shaped.rest_joints[0])
    np.testing.assert_allclose(moved, without_correctives(other), atol=1e-5)


def test_targets_are_the_shape_axes(posed: PosedBody, viewer: Viewer) -> None:
    body = posed.shaped.model
    assert body.axes is not None
    assert viewer.names == [*body.axes.names, CORRECTIVES]
    for name in body.axes.names:
        betas = body.axes.betas(**{name: 1.0}) + posed.shaped.coefficients
        moved = body.with_shape(betas).v_shaped - posed.shaped.v_shaped
        np.testing.assert_allclose(viewer.target(name), moved, atol=1e-6)


def test_skeleton_is_that_of_the_body(posed: PosedBody, viewer: Viewer) -> None:
    joints = viewer.nodes[1:]
    assert [node.name for node in joints] == list(SMPL_JOINTS)
    parents = {child: i for i, node in enumerate(viewer.nodes) for child in node.children or []}
    expected = posed.shaped.model.parents
    assert [parents.get(joint + 1, 0) - 1 for joint in range(24)] == expected.tolist()
    rotations = np.array([node.rotation for node in joints])
    frames = viewer.frames(rotations, np.array(joints[0].translation))[1:]
    np.testing.assert_allclose(frames, posed.T_world_joint, atol=1e-5)


def test_attributes_are_in_order(viewer: Viewer) -> None:
    attributes = viewer.primitive.attributes
    weights, joints = viewer.array(attributes.WEIGHTS_0), viewer.array(attributes.JOINTS_0)
    assert np.abs(weights.sum(axis=1, dtype=np.float64) - 1).max() < 2e-7
    assert (np.diff(weights, axis=1) <= 0).all()
    assert not joints[weights == 0].any()
    lengths = np.linalg.norm(viewer.array(attributes.NORMAL), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-6)
    positions = viewer.tree.accessors[attributes.POSITION]
    np.testing.assert_array_equal(positions.min, viewer.array(attributes.POSITION).min(axis=0))


def test_sequence_becomes_an_animation(body: BodyModel, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    poses, translations = rng.normal(0, 0.8, (5, 72)).cumsum(axis=0), rng.normal(0, 1, (5, 3))
    posed = body.with_shape().with_axis_angle(poses, translations)
    path = tmp_path / "moving.glb"
    write_glb(path, posed, frames_per_second=10)
    viewer = Viewer(path)
    assert CORRECTIVES not in viewer.names
    animation = viewer.tree.animations[0]
    tracks = {}
    for channel in animation.channels:
        sampler = animation.samplers[channel.sampler]
        np.testing.assert_allclose(viewer.array(sampler.input), np.arange(5) / 10, rtol=1e-6)
        tracks[channel.target.node, channel.target.path] = viewer.array(sampler.output)
    turns = np.stack([tracks[joint + 1, "rotation"] for joint in range(24)], axis=1)
    assert (np.sum(turns[1:] * turns[:-1], axis=-1) >= 0).all()
    expected = without_correctives(posed)
    for frame in range(5):
        root = tracks[1, "translation"][frame]
        moved = viewer.vertices({}, turns[frame], root)
        np.testing.assert_allclose(moved, expected[frame], atol=1e-5)


def test_smpl_keeps_the_strongest_bones_and_numbers_its_betas(tmp_path: Path) -> None:
    arrays = random_arrays(3, parents=(-1, 0, 1, 2, 3, 4), betas=20)
    weights = np.random.default_rng(4).dirichlet(np.ones(6), len(arrays.v_template))
    model = BodyModel.from_arrays(replace(arrays, lbs_weights=weights, expressions=2))
    path = tmp_path / "small.glb"
    write_glb(path, model.with_shape().with_axis_angle(np.zeros(18)))
    viewer = Viewer(path)
    assert viewer.names == [*(f"beta {i}" for i in range(16)), "expression 0", "expression 1"]
    assert [node.name for node in viewer.nodes[1:]] == [f"joint {i}" for i in range(6)]
    kept = np.sort(weights, axis=1)[:, :1:-1]
    kept /= kept.sum(axis=1, keepdims=True)
    written = viewer.array(viewer.primitive.attributes.WEIGHTS_0)
    np.testing.assert_allclose(written, kept, atol=1e-6)


def test_same_body_same_bytes(posed: PosedBody) -> None:
    assert encode(posed) == encode(posed)


def test_refuses_what_has_no_place_in_a_file(body: BodyModel, tmp_path: Path) -> None:
    pose = np.zeros(72)
    one = body.with_shape().with_axis_angle(pose)
    with pytest.raises(InputError, match=r"written as \.glb"):
        write_glb(tmp_path / "body.gltf", one)
    with pytest.raises(OSError, match="missing"):
        write_glb(tmp_path / "missing" / "body.glb", one)
    with pytest.raises(InputError, match="frames a second"):
        encode(one, frames_per_second=0)
    for bad in (
        body.with_shape(np.zeros((2, 3))).with_axis_angle(pose),
        body.with_shape().with_axis_angle(np.zeros((2, 2, 72))),
    ):
        with pytest.raises(InputError, match="one shape"):
            encode(bad)
    with pytest.raises(InputError, match="without poses"):
        encode(body.with_shape().with_axis_angle(np.zeros((0, 72))))
    faceless = body.at_vertices(np.arange(2)).with_shape().with_axis_angle(pose)
    with pytest.raises(InputError, match="without triangles"):
        encode(faceless)
    infinite = replace(body, v_template=body.v_template * np.float32(np.nan))
    with pytest.raises(InputError, match="NaN"):
        encode(infinite.with_shape().with_axis_angle(pose))
