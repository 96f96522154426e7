# SPDX-License-Identifier: Apache-2.0
"""Linear blend skinning of the base mesh, and its way from MakeHuman's pose to SMPL's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.layout import SMPL_JOINTS, SMPL_PARENTS
from bitpose.body.make.deform import as_rigid_as_possible, with_volume
from bitpose.body.make.helpers import with_helpers
from bitpose.body.make.makehuman import SKIN
from bitpose.body.make.surface import Surface
from bitpose.body.retarget import shortest_rotation
from bitpose.body.rotations import axis_angle_to_matrix

Array = NDArray[Any]

#: Where limbs point in the zero pose: joint, the joint at its end, and the direction; left side.
_LIMBS = (
    ("left_hip", "left_knee", (0.07, -1.0, 0.0)),
    ("left_knee", "left_ankle", (0.0, -1.0, 0.0)),
    ("left_shoulder", "left_elbow", (1.0, 0.0, 0.0)),
    ("left_elbow", "left_wrist", (1.0, 0.0, 0.0)),
    ("left_wrist", "left_hand", (1.0, 0.0, 0.0)),
)
#: Turns about the limb, in radians, that bring the palms down: half at the elbow.
_PALM_DOWN = {"left_elbow": 0.2, "left_wrist": 0.4}

#: How much the repair of skinning keeps to it.
_PULL = 0.05


def transforms(R_world_joint: Array, rest_joints: Array) -> tuple[Array, Array]:
    """Rotations [24, 3, 3] and shifts [24, 3] from rest into the world; the pelvis stays."""
    position = rest_joints.copy()
    for joint, parent in enumerate(SMPL_PARENTS):
        if joint:
            bone = rest_joints[joint] - rest_joints[parent]
            position[joint] = position[parent] + R_world_joint[parent] @ bone
    return R_world_joint, position - np.einsum("jrc,jc->jr", R_world_joint, rest_joints)


def skinned(vertices: Array, weights: Array, moved: tuple[Array, Array]) -> Array:
    """[V, 3]: each vertex under the weighted mean of the transforms."""
    rotations, shifts = moved
    blended = np.einsum("vj,jrc->vrc", weights, rotations)
    return np.asarray(np.einsum("vrc,vc->vr", blended, vertices) + weights @ shifts)


def chain(R_parent_joint: Array) -> Array:
    """[24, 3, 3] rotations of the world."""
    world = R_parent_joint.copy()
    for joint, parent in enumerate(SMPL_PARENTS):
        if joint:
            world[joint] = world[parent] @ R_parent_joint[joint]
    return world


def towards_zero_pose(rest_joints: Array) -> Array:
    """[24, 3, 3] rotations of the world that bring MakeHuman's limbs to where SMPL's rest."""
    world = np.tile(np.eye(3), (24, 1, 1))
    for start, end, direction in _LIMBS:
        a, b = SMPL_JOINTS.index(start), SMPL_JOINTS.index(end)
        turn = shortest_rotation(rest_joints[b] - rest_joints[a], np.array(direction))
        along = np.array(direction) / np.linalg.norm(direction)
        world[a] = axis_angle_to_matrix(along * _PALM_DOWN.get(start, 0.0)) @ turn
    wrist, hand = SMPL_JOINTS.index("left_wrist"), SMPL_JOINTS.index("left_hand")
    world[hand] = world[wrist]
    flip = np.diag([-1.0, 1.0, 1.0])
    for joint, name in enumerate(SMPL_JOINTS):
        if name.startswith("right_"):
            world[joint] = flip @ world[SMPL_JOINTS.index(name.replace("right", "left"))] @ flip
    return world


def zero_pose(vertices: Array, weights: Array, rest_joints: Array, surface: Surface) -> Array:
    """[19158, 3]: the base mesh in SMPL's zero pose, pelvis at the origin, with the skin repaired
    where skinning alone takes volume from it.
    """
    plain = brought(vertices, weights, rest_joints)
    free = between_bones(weights[:SKIN], surface, rings=3)
    skin = as_rigid_as_possible(surface, plain[:SKIN], free, _PULL)
    skin = with_volume(surface, skin, surface.volume(surface.rest), free.astype(float))
    lacks = np.zeros_like(plain)
    lacks[:SKIN] = skin - plain[:SKIN]
    return np.asarray(plain + with_helpers(vertices, lacks, None))


def brought(vertices: Array, weights: Array, rest_joints: Array) -> Array:
    """The base mesh skinned into SMPL's zero pose, pelvis at the origin."""
    moved = transforms(towards_zero_pose(rest_joints), rest_joints)
    return np.asarray(skinned(vertices, weights, moved) - rest_joints[0])


def between_bones(weights: Array, surface: Surface, rings: int) -> NDArray[np.bool_]:
    """[V]: vertices that follow several joints, and those around them."""
    mixed = np.asarray(weights.max(axis=1) < 0.995)
    for _ in range(rings):
        mixed |= surface.mean_around(mixed[:, None].astype(float))[:, 0] > 0
    return mixed
