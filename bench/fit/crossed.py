# SPDX-License-Identifier: Apache-2.0
"""People with crossed arms, and some with crossed legs, who are nowhere in their own way.

The trunk's pose, the shape, the heading and the camera are those of held-out people. Arms are one
of 24 pairs, drawn evenly within the prior's limits of shoulders and elbows, of which both hands are
on the other side of the chest, in front of it; legs of every third person in the same way, of which
the ankles have changed sides. Persons of whom more than a few vertices lie in another part are left
out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.fit.penetration import ClosedParts
from bitpose.body.fit.make import cases
from bitpose.body.fit.make.clips import Clips
from bitpose.body.fit.prior import PosePrior
from bitpose.body.layout import SMPL_JOINTS
from bitpose.body.model import BodyModel
from bitpose.body.rotations import axis_angle_to_matrix

Array = NDArray[Any]

#: So many vertices of the truth may lie in another part.
ALLOWED = 10
_DRAWN, _KINDS = 20000, 24
_ALONG = np.linspace(-0.5, 1, 9)


def people(clips: Clips, count: int, seed: int) -> list[cases.Case]:
    """`count` of them; no more than ALLOWED vertices of each lie in another part."""
    model = BodyModel.load(dtype=np.float64)
    parts = ClosedParts.of_body(model)
    rng = np.random.default_rng(seed)
    arms = _drawn(parts, model, _of("shoulder") + _of("elbow"), _arms, rng)
    legs = _drawn(parts, model, _of("hip") + _of("knee"), _legs, rng)
    found: list[cases.Case] = []
    while len(found) < count:
        pose = clips.sample(True, 1, int(rng.integers(2**31)))[0]
        _give(pose, arms[rng.integers(len(arms))])
        if len(found) % 3 == 0:
            _give(pose, legs[rng.integers(len(legs))])
        case = cases.people(pose[None], int(rng.integers(2**31)))[0]
        body = model.with_shape(case.betas).with_pose(case.R_parent_joint)
        if np.count_nonzero(parts.inside(body.vertices())) <= ALLOWED:
            found.append(case)
    return found


def _give(pose: Array, limbs: Array) -> None:
    """The joints of `limbs` [24, 3] that are turned, to `pose`; with them what hangs on them."""
    turned = limbs.any(axis=1)
    pose[turned] = limbs[turned]


def _drawn(
    parts: ClosedParts, model: BodyModel, joints: list[int], crossed: Any, rng: Any
) -> Array:
    """[n, 24, 3]: the zero pose with other `joints` that are crossed, of the mean body free."""
    low, high = PosePrior.load().limits.reshape(2, -1, 3)[:, np.array(joints) - 1]
    skeleton = model.skeleton.with_shape()
    found: list[Array] = []
    while len(found) < _KINDS:
        poses = np.zeros((_DRAWN, model.num_joints, 3))
        poses[:, joints] = rng.uniform(low, high, (_DRAWN, len(joints), 3))
        for pose in poses[crossed(skeleton.with_pose(axis_angle_to_matrix(poses)))]:
            vertices = model.with_shape().with_pose(axis_angle_to_matrix(pose)).vertices()
            if len(found) < _KINDS and not parts.inside(vertices).any():
                found.append(pose)
    return np.array(found)


def _arms(posed: Any) -> NDArray[np.bool_]:
    """Both wrists on the other's side of the chest, and forearms in front of it and apart."""
    left, right = (_in_frame(posed, "spine3", joint) for joint in _of("wrist"))
    arms = []
    for wrist, name in ((left, "left_elbow"), (right, "right_elbow")):
        elbow = _in_frame(posed, "spine3", SMPL_JOINTS.index(name))
        arms.append(np.stack([wrist + share * (elbow - wrist) for share in _ALONG], axis=1))
    height = (np.minimum(left, right)[:, 1] > -0.35) & (np.maximum(left, right)[:, 1] < 0.1)
    forward = np.concatenate(arms, axis=1)
    inner = np.abs(forward[..., 0]) < 0.16
    ahead = (np.where(inner, forward[..., 2], 1) > 0.19).all(axis=1)
    near = np.maximum(left, right)[:, 2] < 0.4
    apart = np.linalg.norm(arms[0][:, :, None] - arms[1][:, None], axis=-1).min(axis=(1, 2)) > 0.07
    return np.asarray((left[:, 0] < -0.02) & (right[:, 0] > 0.02) & height & ahead & near & apart)


def _legs(posed: Any) -> NDArray[np.bool_]:
    """The ankles below the knees, and each on the other's side."""
    left, right = (_in_frame(posed, "pelvis", joint) for joint in _of("ankle"))
    low = np.maximum(left, right)[:, 1] < -0.6
    return np.asarray(low & (left[:, 0] < right[:, 0] - 0.05))


def _in_frame(posed: Any, bone: str, joint: int) -> Array:
    """[N, 3]: a joint from another, along its axes."""
    index = SMPL_JOINTS.index(bone)
    away = posed.t_world_joint[:, joint] - posed.t_world_joint[:, index]
    turned = np.swapaxes(posed.R_world_joint[:, index], 1, 2) @ away[..., None]
    return np.asarray(turned[..., 0])


def _of(joint: str) -> list[int]:
    return [SMPL_JOINTS.index(f"{side}_{joint}") for side in ("left", "right")]
