# SPDX-License-Identifier: Apache-2.0
"""SMPL's 24 joints inside the base mesh: where they are, and which vertices follow them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.layout import SMPL_JOINTS, SMPL_MIRRORED
from bitpose.body.make.makehuman import SKIN, VERTICES, MakeHuman
from bitpose.body.make.surface import Surface

Array = NDArray[Any]

#: The cube of the base mesh in whose middle each joint lies; `?` is l or r.
_CUBES = {
    "pelvis": "joint-pelvis",
    "hip": "joint-?-upper-leg",
    "spine1": "joint-spine-3",
    "knee": "joint-?-knee",
    "spine2": "joint-spine-2",
    "ankle": "joint-?-ankle",
    "spine3": "joint-spine-1",
    "foot": "joint-?-toe-2-1",
    "neck": "joint-neck",
    "collar": "joint-?-clavicle",
    "head": "joint-head",
    "shoulder": "joint-?-shoulder",
    "elbow": "joint-?-elbow",
    "wrist": "joint-?-hand",
    "hand": "joint-?-finger-3-1",
}
#: Bones of the rig, by the start of their names, and the joint with which each moves; first match.
_BONES = (
    *(("root", "pelvis"), ("pelvis", "pelvis"), ("spine05", "pelvis"), ("spine04", "pelvis")),
    *(("spine03", "spine1"), ("spine02", "spine2"), ("spine01", "spine3"), ("breast", "spine3")),
    *(("neck", "neck"), ("clavicle", "collar"), ("shoulder01", "collar")),
    *(("upperarm", "shoulder"), ("lowerarm", "elbow"), ("wrist", "wrist"), ("metacarpal", "wrist")),
    *(("finger1", "wrist"), ("finger", "hand")),
    *(("upperleg", "hip"), ("lowerleg", "knee"), ("foot", "ankle"), ("toe", "foot")),
    ("", "head"),  # The head itself, and all of the face.
)
#: How often weights are averaged with those around, to make them smooth where bones meet: at
#: vertices with edges of 2 cm; more often where they are shorter, as the square, so that weights
#: change over the same distance everywhere.
_SMOOTHINGS = 6
_MOST_SMOOTHINGS = 80
_EDGE = 0.02


def joint_cubes(source: MakeHuman) -> list[NDArray[np.int64]]:
    """The base vertices whose mean each of the 24 joints is."""
    cubes = []
    for name in SMPL_JOINTS:
        side, _, part = name.rpartition("_")
        cubes.append(source.group(_CUBES[part].replace("?", side[:1])))
    return cubes


def joints(source: MakeHuman, vertices: Array) -> Array:
    """[24, 3] of vertices [19158, 3]."""
    return np.array([vertices[cube].mean(axis=0) for cube in joint_cubes(source)])


def weights_of_bones(source: MakeHuman) -> Array:
    """[19158, 24]: as the rig's bones say, alike on both sides; rows add up to 1."""
    dense = np.zeros((VERTICES, len(SMPL_JOINTS)))
    for bone, vertices, values in source.bone_weights():
        dense[vertices, _joint(bone)] += values
    dense = (dense + dense[source.mirror][:, SMPL_MIRRORED]) / 2
    return np.asarray(dense / dense.sum(axis=1, keepdims=True))


def weights(source: MakeHuman, surface: Surface) -> Array:
    """[19158, 24]: the same, smooth over the skin where bones meet."""
    dense = weights_of_bones(source)
    i, j, _ = surface.edges
    squares = np.zeros((SKIN, 1))
    np.add.at(squares[:, 0], i, np.sum((surface.rest[i] - surface.rest[j]) ** 2, axis=1))
    squares /= np.bincount(i, minlength=SKIN)[:, None]
    wanted = np.clip(_SMOOTHINGS * _EDGE**2 / squares, _SMOOTHINGS, _MOST_SMOOTHINGS)
    for done in range(_MOST_SMOOTHINGS):
        share = np.clip(wanted - done, 0, 1) / 2
        dense[:SKIN] += share * (surface.mean_around(dense[:SKIN]) - dense[:SKIN])
    return dense


def _joint(bone: str) -> int:
    part = next(joint for start, joint in _BONES if bone.startswith(start))
    side = {".L": "left_", ".R": "right_"}.get(bone[-2:], "")
    name = f"{side}{part}" if f"{side}{part}" in SMPL_JOINTS else part
    return SMPL_JOINTS.index(name)
