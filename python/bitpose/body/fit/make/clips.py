# SPDX-License-Identifier: Apache-2.0
"""Motion capture for the prior, and what is held out of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.model import BodyModel
from bitpose.body.retarget import retarget
from bitpose.body.rotations import axis_angle_to_matrix, matrix_to_axis_angle

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Clips:
    """N frames, carried over to the default body's skeleton."""

    poses: Array
    """[N, 24, 3] axis-angle; the root's against the world, y up."""
    translation: Array
    """[N, 3] metres: where the pelvis is."""
    clips: NDArray[np.int16]
    """[N]: the clip of each frame."""
    frames: NDArray[np.int16]
    """[N]: its number in the clip, ten a second."""
    categories: NDArray[np.uint8]
    """[N]."""
    held_out: NDArray[np.bool_]
    """[N]: of a test subject, or of the clip that its category holds out."""

    def sample(self, held_out: bool, count: int, seed: int) -> Array:
        """[count, 24, 3]: frames of categories drawn evenly, on either side of the split."""
        rng = np.random.default_rng(seed)
        side = self.held_out == held_out
        present = np.unique(self.categories[side])
        drawn = present[rng.integers(0, len(present), count)]
        rows = [np.flatnonzero(side & (self.categories == category)) for category in drawn]
        return self.poses[[row[rng.integers(0, len(row))] for row in rows]]


def load(path: Path) -> Clips:
    """Of `cmu_poses.npz` (see ../shared/mocap/README.md)."""
    with np.load(path, allow_pickle=False) as archive:
        data = dict(archive)
    source = axis_angle_to_matrix(data["poses"].astype(np.float64).reshape(-1, 24, 3))
    body = BodyModel.load(dtype=np.float64)
    poses = matrix_to_axis_angle(retarget(source, data["rest_joints"], body.J_template))
    held = _held_out(data["clip_category"], data["clip_test"])
    return Clips(
        poses, data["trans"], data["clip"], data["frame"], data["category"], held[data["clip"]]
    )


def _held_out(categories: Array, test: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[C]: the test subjects' clips, and the last other clip of each category with several."""
    held = test.copy()
    for category in np.unique(categories):
        others = np.flatnonzero((categories == category) & ~test)
        if len(others) > 1:
            held[others[-1]] = True
    return held
