# SPDX-License-Identifier: Apache-2.0
"""Poses of one skeleton for another with SMPL's 24 joints, whose limbs rest in other directions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.layout import SMPL_JOINTS, SMPL_PARENTS
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError

Array = NDArray[Any]

#: The joints whose limbs keep their directions in the world, and the joint at each limb's end.
_LIMBS = tuple(
    (SMPL_JOINTS.index(f"{side}_{start}"), SMPL_JOINTS.index(f"{side}_{end}"))
    for side in ("left", "right")
    for start, end in (
        ("hip", "knee"),
        ("knee", "ankle"),
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
    )
)


def retarget(
    R_parent_joint: ArrayLike, source_rest_joints: ArrayLike, rest_joints: ArrayLike
) -> Array:
    """Poses [..., 24, 3, 3] for a body that rests at `rest_joints` [24, 3], whose limbs then point
    as those of one that rests at `source_rest_joints` do in `R_parent_joint` [..., 24, 3, 3].

    Thighs, shins, upper arms and forearms are corrected, each by the smallest rotation from its
    direction at rest to the source's; pelvis, spine, head, hands and feet keep their orientations.
    """
    pose = np.asarray(R_parent_joint)
    source, target = np.asarray(source_rest_joints), np.asarray(rest_joints)
    if pose.shape[-3:] != (24, 3, 3) or source.shape != (24, 3) or target.shape != (24, 3):
        raise InputError(
            f"poses of shape {pose.shape} with joints of {source.shape} and {target.shape}: "
            "must be [..., 24, 3, 3], [24, 3] and [24, 3]"
        )
    R_world_joint = pose.copy()
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        R_world_joint[..., joint, :, :] = R_world_joint[..., parent, :, :] @ pose[..., joint, :, :]
    for joint, end in _LIMBS:
        turn = shortest_rotation(target[end] - target[joint], source[end] - source[joint])
        R_world_joint[..., joint, :, :] = R_world_joint[..., joint, :, :] @ turn
    R_joint_world = np.swapaxes(R_world_joint, -1, -2)
    result = R_world_joint.copy()
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        result[..., joint, :, :] = (
            R_joint_world[..., parent, :, :] @ R_world_joint[..., joint, :, :]
        )
    return result


def shortest_rotation(source: ArrayLike, target: ArrayLike) -> Array:
    """[3, 3]: the smallest rotation from one direction to another, not the opposite one."""
    a, b = (np.asarray(v) / np.linalg.norm(v) for v in (source, target))
    axis = np.cross(a, b)
    sine = float(np.linalg.norm(axis))
    angle = np.arctan2(sine, float(a @ b))
    return axis_angle_to_matrix(axis / max(sine, 1e-12) * angle)
