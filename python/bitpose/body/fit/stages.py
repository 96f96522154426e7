# SPDX-License-Identifier: Apache-2.0
"""The stages of a fit: camera, then torso, then everything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.parameters import Layout
from bitpose.body.layout import SMPL_JOINTS

_TORSO = ("spine1", "spine2", "spine3", "left_hip", "right_hip", "left_shoulder", "right_shoulder")


@dataclass(frozen=True)
class Stage:
    """A part of the fit: which parameters it varies, how loosely, and how many guesses it keeps."""

    free: str
    rounds: int
    guesses: int
    blur: float
    solid: bool = False


#: The best guesses go on.
STAGES = (
    Stage("camera", 0, 24, 0.1),
    Stage("camera", 4, 16, 0.1),
    Stage("torso", 3, 14, 0.04),
    Stage("all", 7, 8, 0.04),
    Stage("all", 8, 6, 0.01),
    Stage("all", 40, 6, 0, solid=True),
)

#: From a body that was predicted.
REFINEMENT = Stage("all", 5, 1, 0, solid=True)


def free_parameters(name: str, layout: Layout, fixed_focal: bool) -> NDArray[np.intp]:
    """Indices of a step: of everything, the torso, or where the camera is."""
    every = np.arange(layout.size)
    if name == "all":
        return np.delete(every, layout.focal) if fixed_focal else every
    parts = [every[layout.root], every[layout.translation]]
    if name == "torso":
        parts += [every[layout.of_joint(SMPL_JOINTS.index(joint))] for joint in _TORSO]
        parts.append(every[layout.shape])
    return np.sort(np.concatenate(parts))
