# SPDX-License-Identifier: Apache-2.0
"""The camera that looks at the middle of a crop.

A network that sees a crop cannot know where in the picture it was, and so by how much a person is
turned for being seen from the side. It speaks of a camera that is turned towards the crop.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def towards(x: float, y: float) -> Array:
    """R_crop_camera [3, 3]: the smallest turn that brings the ray (x, y, 1) of a camera to z."""
    ray = np.array([x, y, 1.0]) / np.sqrt(x * x + y * y + 1)
    # Rodrigues, with axis ray x z.
    axis = np.array([ray[1], -ray[0], 0.0])
    cross = np.array([[0, 0, axis[1]], [0, 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + ray[2]))
