# SPDX-License-Identifier: Apache-2.0
"""Who stands where, and the camera that sees them.

World: metres, y up, the ground at y = 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import BodyModel
from bitpose.render import Drawable, PerspectiveCamera, Surface, look_at
from bitpose.train.people.outfits import Look

Array = NDArray[Any]

#: Of pictures with 1, 2, 3, 4 people.
_COUNTS = (0.5, 0.25, 0.15, 0.1)
_OCCLUDER = 0.25
#: What the first person's longer side is of the picture's, and how far from its middle.
_FILLED = (0.35, 1.1)
_OFF_MIDDLE = 0.08
#: Every so many of the body's vertices say where it is.
OUTLINE = 8


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

    def moved(self, by: Array) -> Standing:
        """The same elsewhere."""
        return replace(
            self,
            translation=self.translation + by,
            bare=self.bare + by,
            joints=self.joints + by,
        )


def grounded(look: Look, R_parent_joint: Array, body: BodyModel) -> Standing:
    """Upon the ground, at the origin."""
    posed = body.with_shape(look.betas).with_pose(R_parent_joint)
    vertices = posed.vertices()
    lift = np.array([0.0, -float(vertices[:, 1].min()), 0.0])
    joints = posed.t_world_joint + lift
    return Standing(look, R_parent_joint, lift, body, vertices + lift, joints)


def count(random: np.random.Generator) -> int:
    """How many people."""
    return int(random.choice(len(_COUNTS), p=_COUNTS)) + 1


def camera_for(person: Standing, size: int, random: np.random.Generator) -> PerspectiveCamera:
    """One that the first person fills a random part of, more or less level."""
    vertices = person.bare[::OUTLINE]
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    distance = np.exp(random.uniform(np.log(1.8), np.log(9.0)))
    heading = random.uniform(-np.pi, np.pi)
    rise = np.clip(random.normal(0.12, 0.2), -0.35, 0.8)
    eye = middle + distance * np.array(
        [np.sin(heading) * np.cos(rise), np.sin(rise), np.cos(heading) * np.cos(rise)]
    )
    eye[1] = max(eye[1], 0.15)
    roll = random.normal(0, 0.05)
    T_camera_world = look_at(eye, middle, [np.sin(roll), np.cos(roll), 0.0])
    points = vertices @ T_camera_world[:3, :3].T + T_camera_world[:3, 3]
    plane = points[:, :2] / np.maximum(points[:, 2:], 0.2)
    low, high = plane.min(axis=0), plane.max(axis=0)
    focal = random.uniform(*_FILLED) * size / float((high - low).max())
    shift = random.normal(0, _OFF_MIDDLE, 2) * size
    cx, cy = size / 2 - focal * (low + high) / 2 + shift
    return PerspectiveCamera(
        width=size, height=size, T_camera_world=T_camera_world, fx=focal, fy=focal, cx=cx, cy=cy
    )


def beside(camera: PerspectiveCamera, random: np.random.Generator) -> Array:
    """Where another person may stand, [x, 0, z]: in the picture, nearer or farther than the first,
    who is at the origin."""
    R = camera.T_camera_world[:3, :3]
    eye = -R.T @ camera.T_camera_world[:3, 3]
    forward = np.array([-eye[0], 0, -eye[2]])
    distance = float(np.linalg.norm(forward))
    forward /= max(distance, 1e-6)
    right = np.array([-forward[2], 0.0, forward[0]])
    depth = distance * np.exp(random.normal(0.15, 0.35))
    depth = max(depth, 1.2)
    half = camera.width / 2 / camera.fx * depth
    lateral = random.uniform(-1.1, 1.1) * half
    return np.asarray(np.array([eye[0], 0, eye[2]]) + forward * depth + right * lateral)


def occluders(
    person: Standing, camera: PerspectiveCamera, random: np.random.Generator
) -> list[Drawable]:
    """Perhaps a box between the camera and the first person."""
    if random.random() >= _OCCLUDER:
        return []
    R = camera.T_camera_world[:3, :3]
    eye = -R.T @ camera.T_camera_world[:3, 3]
    target = person.translation + np.array([0, random.uniform(-0.4, 0.9), 0])
    at = eye + (target - eye) * random.uniform(0.45, 0.8)
    at = at + R.T @ np.array([random.normal(0, 0.25), random.normal(0, 0.2), 0])
    extent = random.uniform(0.03, 0.3, 3) * (1, random.uniform(0.5, 4), 1)
    turn = random.uniform(-np.pi, np.pi)
    c, s = np.cos(turn), np.sin(turn)
    corners = _CUBE * extent @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + at
    colour = tuple(int(v) for v in random.integers(20, 236, 3))
    return [Drawable(_BOX, corners, colours=colour)]


_CUBE = np.array(
    [[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)], np.float64
)
_BOX = Surface(
    8,
    np.array(
        [
            *([0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1]),
            *([2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]),
        ]
    ),
)
