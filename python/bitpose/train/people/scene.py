# SPDX-License-Identifier: Apache-2.0
"""Who stands where, and the camera that sees them.

World: metres, y up, the ground at y = 0.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import BodyModel
from bitpose.render import PerspectiveCamera, look_at
from bitpose.train.people.standing import OUTLINE, Standing

Array = NDArray[Any]

#: Of pictures with 1, 2, 3, 4 people.
_COUNTS = (0.5, 0.25, 0.15, 0.1)
#: What the first person's longer side is of the picture's, and how far from its middle.
_FILLED = (0.35, 1.1)
#: The share of pictures that show the first person from about the hips or the chest up, and what
#: of them the picture's longer side then is.
_CLOSE, _CLOSE_FILLED = 0.25, (0.65, 1.2)
_OFF_MIDDLE = 0.08


def count(random: np.random.Generator) -> int:
    """How many people."""
    return int(random.choice(len(_COUNTS), p=_COUNTS)) + 1


def camera_for(person: Standing, size: int, random: np.random.Generator) -> PerspectiveCamera:
    """One that the first person, or their upper body, fills a random part of, more or less
    level."""
    close = random.random() < _CLOSE
    vertices = person.bare[::OUTLINE]
    if close:
        vertices = vertices[_heights() > random.uniform(-0.15, 0.25)]
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
    filled = random.uniform(*(_CLOSE_FILLED if close else _FILLED))
    focal = filled * size / float((high - low).max())
    shift = random.normal(0, _OFF_MIDDLE, 2) * size
    cx, cy = size / 2 - focal * (low + high) / 2 + shift
    return PerspectiveCamera(
        width=size, height=size, T_camera_world=T_camera_world, fx=focal, fy=focal, cx=cx, cy=cy
    )


@cache
def _heights() -> Array:
    """Metres above the pelvis of the outline's vertices, at rest."""
    body = BodyModel.load()
    return np.asarray(body.v_template[::OUTLINE, 1] - body.J_template[0, 1])


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
