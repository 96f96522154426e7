# SPDX-License-Identifier: Apache-2.0
"""What a crop network should say of a person in a scene.

Crops are made as for any network of a user's: `bitpose.pose.photo`. Rotations and joints are in the
frame of a camera that looks at the middle of the crop: what a crop shows does not tell where in the
picture it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.pose.photo import Box, Placement, crop, letterbox
from bitpose.pose.virtual_camera import towards
from bitpose.train.scenes import Scene

Array = NDArray[Any]

#: Pixels of the crop to one of the maps.
STRIDE = 4
#: Of `part`, where nothing is known.
IGNORED = 255
#: The side of a crop over the longer side of a person's box.
MARGIN = 1.25
#: People of whom less is to be seen, in pixels of the box's longer side, teach nothing.
_SMALLEST = 40
#: Standard deviations of the logarithm of a crop's size, and of its middle over its size.
_RESIZED, _MOVED = 0.12, 0.05
#: How often a crop ends above the legs, as in photos of half a person.
_HALVED = 0.12


@dataclass(frozen=True, eq=False)
class Targets:
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
    joints: NDArray[np.float32]
    """[24, 3] metres, from the root, in the frame of the crop's camera."""
    joints_in_picture: NDArray[np.float32]
    """[24, 2]: from -1 to 1 over the crop."""

    @classmethod
    def of(cls, scene: Scene, index: int, box: Box, size: int) -> Targets:
        """Of person `index` in what `box` cuts out, a square around them in pixels."""
        part, left, top = crop(Image.fromarray(scene.picture), box)
        picture, placement = letterbox(part, size, size)
        placement = placement.shifted(left, top)
        surface, uv = _maps(scene, index, placement, size)
        person = scene.people[index]
        fx, fy, cx, cy = scene.camera
        keypoints = _placed(person.keypoints[:, :2], placement)
        inside = (person.keypoints[:, 2] > 0) & ((keypoints > 0) & (keypoints < size)).all(axis=1)
        plane = person.joints[:, :2] / np.maximum(person.joints[:, 2:], 0.1)
        joints = _placed(plane * (fx, fy) + (cx, cy), placement)
        middle = box.left + box.width / 2, box.top + box.height / 2
        R_crop_camera = towards((middle[0] - cx) / fx, (middle[1] - cy) / fy)
        rotations = person.R_parent_joint.copy()
        rotations[0] = R_crop_camera @ rotations[0]
        return cls(
            picture.transpose(2, 0, 1),
            surface,
            uv,
            np.column_stack([keypoints / STRIDE, inside]).astype(np.float32),
            rotations.astype(np.float32),
            person.betas.astype(np.float32),
            ((person.joints - person.joints[0]) @ R_crop_camera.T).astype(np.float32),
            np.clip(2 * joints / size - 1, -4, 4).astype(np.float32),
        )

    @classmethod
    def stacked(cls, many: Sequence[Targets]) -> Targets:
        """All with a leading axis."""
        return cls(*(np.stack([getattr(x, f.name) for x in many]) for f in fields(cls)))


def crops(scene: Scene, size: int, random: np.random.Generator) -> Iterator[Targets]:
    """A crop around each person who can be seen well enough, not quite as a detector would."""
    for index, person in enumerate(scene.people):
        left, top, right, bottom = map(float, person.box)
        if max(right - left, bottom - top) < _SMALLEST:
            continue
        if random.random() < _HALVED:
            bottom = top + (bottom - top) * random.uniform(0.4, 0.7)
        side = max(right - left, bottom - top) * MARGIN * np.exp(random.normal(0, _RESIZED))
        x, y = np.add(((left + right) / 2, (top + bottom) / 2), random.normal(0, _MOVED, 2) * side)
        yield Targets.of(scene, index, Box(x - side / 2, y - side / 2, side, side), size)


def _placed(xy: Array, placement: Placement) -> Array:
    """Points [N, 2] of the picture as points of the crop."""
    return np.asarray(xy * placement.scale + (placement.left, placement.top))


def _maps(scene: Scene, index: int, placement: Placement, size: int) -> tuple[Array, Array]:
    """Part [S / 4, S / 4], u and v [2, S / 4, S / 4] in the middles of the maps' pixels."""
    middles = (np.arange(size // STRIDE) + 0.5) * STRIDE
    x = np.floor((middles - placement.left) / placement.scale).astype(np.int64)
    y = np.floor((middles - placement.top) / placement.scale).astype(np.int64)
    inside = ((y >= 0) & (y < scene.size))[:, None] & ((x >= 0) & (x < scene.size))
    cells = np.ix_(np.clip(y, 0, scene.size - 1), np.clip(x, 0, scene.size - 1))
    own = inside & (scene.owner[cells] == index + 1)
    part = np.where(own, scene.part[cells], 0)
    uv = np.where(part > 0, scene.uv[(slice(None), *cells)], 0).astype(np.float32) / 255
    return np.where(own & (part == 0), IGNORED, part).astype(np.uint8), uv
