# SPDX-License-Identifier: Apache-2.0
"""Bodies that a network sees in its input, as networks of `bitpose.train` give them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit import Prediction
from bitpose.body.layout import SMPL_JOINTS
from bitpose.body.rotations import matrix_from_6d
from bitpose.pose.photo import Placement
from bitpose.pose.virtual_camera import towards
from bitpose.render import PerspectiveCamera

Array = NDArray[Any]

BETAS = 16
#: Numbers of an estimate: six for each rotation, the betas, and scale and shift of the camera.
ESTIMATE = 6 * len(SMPL_JOINTS) + BETAS + 3
#: A body is at least this far from the camera, in metres: nobody is nearer who can be seen.
_NEAREST = 0.5


@dataclass(frozen=True, eq=False)
class SeenBody:
    """A body of the default model's shape, in weak perspective."""

    R_parent_joint: Array
    """[24, 3, 3]: the root's in the frame of a camera that looks at `middle`."""
    betas: Array
    """[16]."""
    scale: float
    """Pixels of a metre."""
    root: Array
    """[2] pixels: where the root joint is."""
    middle: Array
    """[2] pixels."""

    def placed(self, placement: Placement) -> SeenBody:
        """The same body in pixels of the photo."""
        root, middle = placement.to_photo(np.stack([self.root, self.middle]).astype(np.float32))
        return replace(self, scale=self.scale / placement.scale, root=root, middle=middle)

    def prediction(self, camera: PerspectiveCamera) -> Prediction:
        """In the frame of the camera that took the photo."""
        center = np.array([camera.cx, camera.cy])
        x, y = (self.middle - center) / camera.fx
        rotations = self.R_parent_joint.copy()
        rotations[0] = towards(x, y).T @ rotations[0]
        scale = min(self.scale, camera.fx / _NEAREST)
        return Prediction.weak_perspective(
            rotations, self.betas, scale, self.root, center, camera.fx
        )


def is_body(shape: tuple[int, ...]) -> bool:
    """Whether an output of that shape is an estimate of a body."""
    return shape == (1, ESTIMATE)


def decode_body(output: Array, height: int, width: int) -> SeenBody | None:
    """[1, 163]: 24 x 6D rotations (Zhou et al. 2019), 16 betas, scale and shift s, x, y: a point
    (X, Y) from the root is at s (X, Y) + (x, y), from -1 to 1 over the input's longer side.

    None for what is no body: a scale that is not positive, or numbers that are not finite.
    """
    numbers = output.reshape(-1).astype(np.float64)
    turns = 6 * len(SMPL_JOINTS)
    scale, *shift = numbers[-3:]
    if not np.isfinite(numbers).all() or scale <= 0:
        return None
    half = max(height, width) / 2
    middle = np.array([width, height]) / 2
    return SeenBody(
        matrix_from_6d(numbers[:turns].reshape(-1, 6)),
        numbers[turns:-3],
        float(scale) * half,
        middle + half * np.array(shift),
        middle,
    )
