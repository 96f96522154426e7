# SPDX-License-Identifier: Apache-2.0
"""People in place: bodies in a pose that the ground, or something below them, bears.

World: metres, y up, the ground at y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import SMPL_JOINTS, BodyModel
from bitpose.render import Drawable, PerspectiveCamera
from bitpose.train.people.outfit import Look
from bitpose.train.people.postures import Pose, Rest

Array = NDArray[Any]

#: Every so many of the body's vertices say where it is.
OUTLINE = 8
#: What weighs most, alike.
_HEAVY = ("pelvis", "spine1", "spine2", "spine3", "left_knee", "right_knee", "head")
_HEAVY_JOINTS = [SMPL_JOINTS.index(name) for name in _HEAVY]
#: Of settling: how many turns, the first's length and the next's share of it, and the angle in
#: radians that nobody tips beyond.
_TURNS, _FIRST, _NEXT, _MOST = 36, 0.2, 0.89, 0.9
#: How far from the pelvis someone sits on their vertices, and how far these sink in, in metres.
_SEAT_RADIUS, _SINK = 0.2, 0.015


@dataclass(frozen=True, eq=False)
class Seat:
    """Where someone sits: the middle of the top of what bears them, and where they look."""

    at: Array
    """[3]."""
    ahead: Array
    """[3], level, of length 1."""


@dataclass(frozen=True, eq=False)
class Standing:
    """A person in the scene."""

    look: Look
    R_parent_joint: Array
    translation: Array
    body: BodyModel
    bare: Array
    """[7000, 3]: the body below the clothes."""
    joints: Array
    """[24, 3]."""
    seat: Seat | None = None

    def moved(self, by: Array) -> Standing:
        """The same elsewhere."""
        return replace(
            self,
            translation=self.translation + by,
            bare=self.bare + by,
            joints=self.joints + by,
            seat=None if self.seat is None else replace(self.seat, at=self.seat.at + by),
        )

    def drawables(self, camera: PerspectiveCamera) -> list[Drawable]:
        """What `camera` sees of them, as fine as it can see it."""
        depth = float(camera.T_camera_world[2, :3] @ self.joints[0] + camera.T_camera_world[2, 3])
        pixel = max(depth, camera.near) * camera.pixel_size
        return self.look.drawables(self.R_parent_joint, self.translation, pixel)


def grounded(look: Look, pose: Pose, body: BodyModel) -> Standing:
    """Upon the ground, at the origin."""
    posed = body.with_shape(look.betas).with_pose(pose.R_parent_joint)
    vertices, joints, rotations = posed.vertices(), posed.t_world_joint, pose.R_parent_joint
    if pose.rest is Rest.GROUND:
        turn = settling(vertices[::OUTLINE], joints[_HEAVY_JOINTS].mean(axis=0))
        root = joints[0]
        vertices, joints = (((x - root) @ turn.T + root) for x in (vertices, joints))
        rotations = rotations.copy()
        rotations[0] = turn @ rotations[0]
    lift = np.array([0.0, -float(vertices[:, 1].min()), 0.0])
    vertices, joints = vertices + lift, joints + lift
    seat = _seat(vertices, joints, rotations[0]) if pose.rest is Rest.SEAT else None
    return Standing(look, rotations, lift, body, vertices, joints, seat)


def settling(points: Array, heavy: Array) -> Array:
    """[3, 3]: the turn by which a rigid body of `points` [N, 3], whose weight lies in `heavy` [3],
    comes to rest on the ground.

    Its weight falls as low as it gets. How high it lies above the lowest point, as a function of
    which way down is, has one lowest place for each face that the hull can rest on; steps of
    falling length down the slope of that function find the next.
    """
    arms = points - heavy
    start = np.array([0.0, -1.0, 0.0])
    down, best, least = start, start, np.inf
    length = _FIRST
    for _ in range(_TURNS):
        heights = arms @ down
        lowest = int(np.argmax(heights))
        if heights[lowest] < least:
            best, least = down, float(heights[lowest])
        arm = arms[lowest]
        slope = arm - heights[lowest] * down
        down = down - slope * (length / max(float(arm @ arm) ** 0.5, 1e-9))
        down = down / float(down @ down) ** 0.5
        length *= _NEXT
        if down @ start < np.cos(_MOST):
            break
    return _turn_between(best, start)


def _turn_between(a: Array, b: Array) -> Array:
    """[3, 3]: the smallest that brings the unit vector a to b, which is not opposite."""
    axis = np.cross(a, b)
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + a @ b))


def _seat(vertices: Array, joints: Array, R_world_root: Array) -> Seat:
    below = vertices[_seat_vertices()]
    ahead = R_world_root[:, 2] * (1, 0, 1)
    ahead = ahead / max(float(np.linalg.norm(ahead)), 1e-6)
    top = float(below[:, 1].min()) + _SINK
    return Seat(np.array([joints[0, 0], max(top, 0.05), joints[0, 2]]), ahead)


@cache
def _seat_vertices() -> NDArray[np.intp]:
    """Those of the default body that are near the pelvis."""
    body = BodyModel.load()
    distance = np.linalg.norm(body.v_template - body.J_template[0], axis=1)
    return np.flatnonzero(distance < _SEAT_RADIUS)
