# SPDX-License-Identifier: Apache-2.0
"""What a crop network should say of a person in a scene.

Rotations and joints are in the frame of a camera that looks at the middle of the crop: what a crop
shows does not tell where in the picture it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.pose.photo import MARGIN, Box
from bitpose.train.scenes import Scene
from bitpose.train.view import View

Array = NDArray[Any]

#: People of whom less is to be seen, in pixels of the box's longer side and as a share of the box,
#: teach nothing: what hides them may hide anybody.
_SMALLEST, _LEAST_SEEN = 40, 0.12
#: Standard deviations of the logarithm of a crop's size, and of its middle over its size.
_RESIZED, _MOVED = 0.12, 0.05
#: How often a crop ends above the legs, as in photos of half a person.
_HALVED = 0.12


@dataclass(frozen=True, eq=False)
class CropTargets:
    """Of the person in the middle of a crop of S pixels; with a leading axis, of many."""

    picture: NDArray[np.uint8]
    """[3, S, S]."""
    part: NDArray[np.uint8]
    """[S / 4, S / 4]: 0 for everything but the person, or IGNORED."""
    uv: NDArray[np.float32]
    """[2, S / 4, S / 4]."""
    keypoints: NDArray[np.float32]
    """[17, 3]: x and y in pixels of the maps, and 1 where it is in the crop and in the picture."""
    rotations: NDArray[np.float32]
    """[24, 3, 3]: the root's in the frame of the crop's camera."""
    betas: NDArray[np.float32]
    """[16]."""
    joints: NDArray[np.float32]
    """[24, 3] metres, from the root, in the frame of the crop's camera."""
    joints_in_picture: NDArray[np.float32]
    """[24, 2]: from -1 to 1 over the crop."""

    @classmethod
    def of(cls, scene: Scene, index: int, box: Box, size: int) -> CropTargets:
        """Of person `index` in what `box` cuts out, a square around them in pixels."""
        view, person = View.of(scene, box, size, index), scene.people[index]
        own = view.owner == index + 1
        rotations, joints = view.body(person, np.full(2, size / 2))
        return cls(
            view.picture,
            np.where(own, view.part, 0).astype(np.uint8),
            np.where(own, view.uv, 0).astype(np.float32),
            view.keypoints(person).astype(np.float32),
            rotations.astype(np.float32),
            person.betas.astype(np.float32),
            joints.astype(np.float32),
            np.clip(2 * view.joints(person) / size - 1, -4, 4).astype(np.float32),
        )


def crops(scene: Scene, size: int, random: np.random.Generator) -> Iterator[CropTargets]:
    """A crop around each person who can be seen well enough, not quite as a detector would."""
    for index, person in enumerate(scene.people):
        left, top, right, bottom = map(float, person.box)
        if max(right - left, bottom - top) < _SMALLEST:
            continue
        pixels = np.count_nonzero(scene.owner == index + 1)
        if pixels < _LEAST_SEEN * (right - left) * (bottom - top):
            continue
        if random.random() < _HALVED:
            bottom = top + (bottom - top) * random.uniform(0.4, 0.7)
        side = max(right - left, bottom - top) * MARGIN * np.exp(random.normal(0, _RESIZED))
        x, y = np.add(((left + right) / 2, (top + bottom) / 2), random.normal(0, _MOVED, 2) * side)
        yield CropTargets.of(scene, index, Box(x - side / 2, y - side / 2, side, side), size)
