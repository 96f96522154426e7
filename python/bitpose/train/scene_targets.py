# SPDX-License-Identifier: Apache-2.0
"""What a network for whole pictures should say of a scene.

A person's body is told as to a crop network that sees the square around their box.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.pose.photo import MARGIN, Box
from bitpose.train.batches import stacked
from bitpose.train.people.labels import PersonLabels
from bitpose.train.scenes import Scene
from bitpose.train.view import View

Array = NDArray[Any]

#: People of a picture.
MOST = 4
#: Pixels of a box's longer side below which a person is neither asked for nor forbidden.
_SMALLEST = 14
#: Standard deviations of the logarithm of what is seen of a scene and of its place; the logarithm
#: of the greatest aspect, since photos are not square.
_RESIZED, _MOVED, _ASPECT = 0.25, 0.08, 0.5


@dataclass(frozen=True, eq=False)
class PersonTargets:
    """Of one person in a view of S pixels; with leading axes, of many."""

    count: NDArray[np.float32]
    """1 for a person, -1 for one too small to count, 0 where there is nobody."""
    box: NDArray[np.float32]
    """[4]: left, top, right, bottom of what is seen, in pixels of the view."""
    keypoints: NDArray[np.float32]
    """[17, 3]: x and y in pixels of the maps, and 1 where it is in the picture."""
    rotations: NDArray[np.float32]
    """[24, 3, 3]: the root's in the frame of the camera that looks at the box."""
    betas: NDArray[np.float32]
    """[16]."""
    joints: NDArray[np.float32]
    """[24, 3] metres, from the root, in the same frame."""
    joints_in_picture: NDArray[np.float32]
    """[24, 2]: from -1 to 1 over the square around the box."""

    @classmethod
    def of(cls, view: View, person: PersonLabels) -> PersonTargets:
        corners = np.clip(view.placed(person.box.reshape(2, 2)), 0, view.size)
        extent = float((corners[1] - corners[0]).max())
        if extent < 1:
            return cls.nobody()
        middle = corners.mean(axis=0)
        rotations, joints = view.body(person, middle)
        seen = 2 * (view.joints(person) - middle) / (MARGIN * extent)
        count = 1 if extent >= _SMALLEST else -1
        values = [count, corners.reshape(4), view.keypoints(person), rotations, person.betas]
        return cls(*(np.asarray(x, np.float32) for x in (*values, joints, np.clip(seen, -4, 4))))

    @classmethod
    def nobody(cls) -> PersonTargets:
        shapes = ((), (4,), (17, 3), (24, 3, 3), (16,), (24, 3), (24, 2))
        empty = [np.zeros(shape, np.float32) for shape in shapes]
        empty[3] += np.eye(3, dtype=np.float32)
        return cls(*empty)


@dataclass(frozen=True, eq=False)
class SceneTargets:
    """Of a picture of S pixels; with a leading axis, of many."""

    picture: NDArray[np.uint8]
    """[3, S, S]."""
    owner: NDArray[np.uint8]
    """[S / 4, S / 4]: 1 + which person, 0 for nobody."""
    part: NDArray[np.uint8]
    """[S / 4, S / 4]: of whom is seen there; 0 for nobody, or IGNORED."""
    uv: NDArray[np.float32]
    """[2, S / 4, S / 4]."""
    people: PersonTargets
    """With a leading axis [MOST]."""

    @classmethod
    def of(cls, scene: Scene, box: Box, size: int) -> SceneTargets:
        """Of what `box` cuts out, in pixels of the scene."""
        view = View.of(scene, box, size)
        people = [PersonTargets.of(view, person) for person in scene.people[:MOST]]
        people += [PersonTargets.nobody()] * (MOST - len(people))
        owner = np.where(view.owner > MOST, 0, view.owner)
        return cls(view.picture, owner, view.part, view.uv, stacked(people))


def views(scene: Scene, size: int, random: np.random.Generator) -> Iterator[SceneTargets]:
    """A random view of the scene, high or wide."""
    side = scene.size * np.exp(random.normal(0, _RESIZED))
    aspect = np.exp(random.uniform(-_ASPECT, _ASPECT))
    width, height = side * min(1, aspect), side / max(1, aspect)
    x, y = scene.size / 2 + random.normal(0, _MOVED, 2) * side
    yield SceneTargets.of(scene, Box(x - width / 2, y - height / 2, width, height), size)
