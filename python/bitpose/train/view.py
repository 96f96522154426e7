# SPDX-License-Identifier: Apache-2.0
"""A part of a scene as a network's input shows it, and what is known of it there.

Views are made as those of a user's photo: `bitpose.pose.photo`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.pose.photo import Box, Placement, crop, letterbox
from bitpose.pose.virtual_camera import towards
from bitpose.train.people.labels import PersonLabels
from bitpose.train.scenes import Scene

Array = NDArray[Any]

#: Pixels of a view to one of its maps.
STRIDE = 4
#: Of `part`, where nothing is known.
IGNORED = 255
#: Where a map's pixel is looked at along an axis, and all nine pairs, those near its middle first.
_PLACES = np.array([1 / 2, 1 / 6, 5 / 6])
_ROWS, _COLUMNS = np.array([0, 0, 0, 1, 2, 1, 1, 2, 2]), np.array([0, 1, 2, 0, 0, 1, 2, 1, 2])


@dataclass(frozen=True, eq=False)
class View:
    """Of S pixels. A pixel of a map that shows a body anywhere tells of it where that is nearest to
    its middle, and else has the values in its middle: people are thin, and who asks what is at
    their rim asks for a body.
    """

    scene: Scene
    picture: NDArray[np.uint8]
    """[3, S, S]."""
    owner: NDArray[np.uint8]
    """[S / 4, S / 4]: 0 for nobody, or 1 + which person."""
    part: NDArray[np.uint8]
    """[S / 4, S / 4]: of whom is seen there, or IGNORED."""
    uv: NDArray[np.float32]
    """[2, S / 4, S / 4]."""
    placement: Placement

    @classmethod
    def of(cls, scene: Scene, box: Box, size: int, person: int | None = None) -> View:
        """What `box`, in pixels of the scene, cuts out, in the middle of a black square. With a
        `person`, maps tell of their body rather than of others'."""
        visible, left, top = crop(Image.fromarray(scene.picture), box)
        picture, placement = letterbox(visible, size, size)
        placement = placement.shifted(left, top)
        shares = (np.arange(size // STRIDE)[:, None] + _PLACES) * STRIDE
        x = np.floor((shares - placement.left) / placement.scale).astype(np.int64)
        y = np.floor((shares - placement.top) / placement.scale).astype(np.int64)
        across = (x >= max(0, left)) & (x < min(scene.size, left + visible.width))
        down = (y >= max(0, top)) & (y < min(scene.size, top + visible.height))
        rows, columns = (np.clip(z, 0, scene.size - 1) for z in (y[..., _ROWS], x[..., _COLUMNS]))
        at = rows[:, None], columns[None]
        owner = np.where(down[:, None, _ROWS] & across[None, :, _COLUMNS], scene.owner[at], 0)
        part = np.where(owner > 0, scene.part[at], 0)
        told = part > 0 if person is None else (part > 0) & (owner == person + 1)
        first = told.argmax(axis=-1)[..., None]
        row, column, owner, part = (
            np.take_along_axis(z, first, axis=-1)[..., 0]
            for z in (*np.broadcast_arrays(*at), owner, part)
        )
        uv = np.where(part > 0, scene.uv[:, row, column], 0) / 255
        part = np.where((owner > 0) & (part == 0), IGNORED, part).astype(np.uint8)
        return cls(scene, picture.transpose(2, 0, 1), owner, part, uv.astype(np.float32), placement)

    @property
    def size(self) -> int:
        return int(self.picture.shape[1])

    def placed(self, xy: Array) -> Array:
        """Points [N, 2] of the scene's picture as points of the view."""
        return np.asarray(xy * self.placement.scale + (self.placement.left, self.placement.top))

    def keypoints(self, person: PersonLabels) -> Array:
        """[17, 3]: x and y in pixels of the maps, and 1 where it is in the scene and the view."""
        xy = self.placed(person.keypoints[:, :2])
        inside = (person.keypoints[:, 2] > 0) & ((xy > 0) & (xy < self.size)).all(axis=1)
        return np.column_stack([xy / STRIDE, inside])

    def joints(self, person: PersonLabels) -> Array:
        """[24, 2]: where the camera sees the joints, in pixels of the view."""
        fx, fy, cx, cy = self.scene.camera
        plane = person.joints[:, :2] / np.maximum(person.joints[:, 2:], 0.1)
        return self.placed(plane * (fx, fy) + (cx, cy))

    def body(self, person: PersonLabels, middle: Array) -> tuple[Array, Array]:
        """Rotations [24, 3, 3] and joints [24, 3] from the root, metres, in the frame of a camera
        that looks at `middle`, a point of the view."""
        fx, fy, cx, cy = self.scene.camera
        origin = np.array([self.placement.left, self.placement.top])
        x, y = (middle - origin) / self.placement.scale
        R_crop_camera = towards((x - cx) / fx, (y - cy) / fy)
        rotations = person.R_parent_joint.astype(np.float64)
        rotations[0] = R_crop_camera @ rotations[0]
        return rotations, (person.joints - person.joints[0]) @ R_crop_camera.T
