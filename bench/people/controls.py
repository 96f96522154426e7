# SPDX-License-Identifier: Apache-2.0
"""What figures are worth: people that were found by no network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.pose.photo import MARGIN, Box
from bitpose.render.maps import iuv
from bitpose.train.judge import Found
from bitpose.train.scenes import Scene
from bitpose.train.truth import Truth
from bitpose.train.view import IGNORED, STRIDE, View

Array = NDArray[Any]

#: Pixels of the crops that a crop network sees.
_CROP = 128


def oracle(scene: Scene, true: list[Truth]) -> list[Found]:
    """Boxes, keypoints and bodies as they are, and the surface as the maps of a perfect crop
    network have it: every fourth pixel of a crop."""
    found = []
    for person in true:
        number = next(
            i for i, label in enumerate(scene.people) if np.array_equal(label.box, person.box)
        )
        left, top, right, bottom = map(float, person.box)
        side = MARGIN * max(right - left, bottom - top)
        box = Box((left + right - side) / 2, (top + bottom - side) / 2, side, side)
        view = View.of(scene, box, _CROP, number)
        part = np.where((view.owner == number + 1) & (view.part != IGNORED), view.part, 0)
        maps = np.zeros((scene.size, scene.size, 3), np.uint8)
        rows, x = _cells(scene.size, view.placement.top, view.placement.scale)
        columns, y = _cells(scene.size, view.placement.left, view.placement.scale)
        cells = iuv(part.astype(np.uint8), *view.uv)
        maps[np.ix_(rows, columns)] = cells[np.ix_(x, y)]
        found.append(Found(person.box, 1.0, person.keypoints, maps, person.joints))
    return found


def _cells(extent: int, start: float, scale: float) -> tuple[Array, Array]:
    """Pixels of the scene along an axis that a crop shows, and the cells that show them."""
    pixels = np.arange(extent)
    cells = np.floor(((pixels + 0.5) * scale + start) / STRIDE).astype(np.int64)
    inside = (cells >= 0) & (cells < _CROP // STRIDE)
    return pixels[inside], cells[inside]


def mean_joints(scenes: Iterable[Scene]) -> Array:
    """[24, 3] metres: of everyone, from the root, as the root sees them."""
    everyone = [person for scene in scenes for person in scene.people]
    own = [(p.joints - p.joints[0]) @ p.R_parent_joint[0] for p in everyone]
    return np.asarray(np.mean(own, axis=0))


def average(true: list[Truth], joints: Array) -> list[Found]:
    """Everyone where they are, all with the same joints [24, 3] from the root, upright and looking
    into the camera."""
    blank = np.zeros((1, 1, 3), np.uint8)
    joints = joints * (1, -1, -1)
    return [Found(p.box, 1.0, p.keypoints, blank, joints + p.joints[0]) for p in true]
