# SPDX-License-Identifier: Apache-2.0
"""The pose prior, from motion capture to the integers of its file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.make import mixture
from bitpose.body.fit.make.clips import Clips
from bitpose.body.fit.prior import ACCELERATION_STEP, ANGLE_STEP, FRAME_SECONDS, SPREAD_STEP, WHOLE
from bitpose.body.layout import SMPL_MIRRORED
from bitpose.body.rotations import axis_angle_to_matrix, matrix_to_axis_angle

Array = NDArray[Any]

_COMPONENTS = 16
#: How much further joints may go than they ever did, in radians.
_MARGIN = 0.1
#: The least standard deviation of an acceleration, in rad / s^2 and m / s^2.
_STIFFEST = 0.5


def mirrored(poses: Array) -> Array:
    """Poses [..., 24, 3] with left and right exchanged; they are axis-angle vectors."""
    return np.asarray(poses[..., SMPL_MIRRORED, :] * np.array([1.0, -1.0, -1.0]))


def arrays(clips: Clips) -> dict[str, Array]:
    """The arrays of the file. Every category counts the same, and every pose also mirrored.
    The spread is 1.
    """
    train = ~clips.held_out
    count = np.bincount(clips.categories[train])
    weights = 1 / count[clips.categories[train]]
    poses = clips.poses[train]
    poses = np.concatenate([poses, mirrored(poses)])
    angles = poses[:, 1:].reshape(len(poses), -1)
    t_root_up = axis_angle_to_matrix(poses[:, 0])[:, 1]  # Row y of R_world_root.
    x = np.concatenate([angles, t_root_up], axis=1)
    both = np.concatenate([weights, weights])
    fitted = mixture.fit(x, both / both.sum(), _COMPONENTS, seed=0)
    limits = np.stack([angles.min(axis=0) - _MARGIN, angles.max(axis=0) + _MARGIN])
    codes = {"accelerations": np.rint(_accelerations(clips) / ACCELERATION_STEP).astype(np.uint16)}
    return _codes(fitted, limits) | codes | spread_code(1.0)


def _accelerations(clips: Clips) -> Array:
    """[3 J + 3]: their standard deviations, as MotionPrior counts; no hand is quite stiff."""
    rows = np.flatnonzero(
        ~clips.held_out[2:]
        & (clips.clips[2:] == clips.clips[:-2])
        & (clips.frames[2:] == clips.frames[:-2] + 2)
    )
    angles = np.diff(clips.poses[rows[:, None] + np.arange(3), 1:], n=2, axis=1)[:, 0]
    R = axis_angle_to_matrix(clips.poses[rows[:, None] + np.arange(3), 0])
    turns = matrix_to_axis_angle(np.swapaxes(R[:, :-1], -1, -2) @ R[:, 1:])
    moved = np.diff(clips.translation[rows[:, None] + np.arange(3)], n=2, axis=1)[:, 0]
    weights = 1 / np.bincount(clips.categories[rows])[clips.categories[rows]]
    weights /= weights.sum()
    root, body, place = (
        np.tensordot(weights, square, 1)
        for square in ((turns[:, 1] - turns[:, 0]) ** 2, angles**2, moved**2)
    )
    both = np.concatenate([[root], body])
    both = 0.5 * (both + both[list(SMPL_MIRRORED)])
    both[0], place = both[0].mean(), np.full(3, place.mean())
    variances = np.concatenate([both.ravel(), place]) / FRAME_SECONDS**4
    return np.asarray(np.maximum(np.sqrt(variances), _STIFFEST))


def _codes(fitted: mixture.Mixture, limits: Array) -> dict[str, Array]:
    shares = np.rint(fitted.weights * WHOLE).astype(np.int64)
    shares[np.argmax(shares)] += WHOLE - shares.sum()
    factors = np.linalg.cholesky(fitted.covariances)
    largest = np.abs(factors).max(axis=1)
    steps = np.ceil(largest / 32767 * 1e8) / 1e8  # [K, D]: of columns.
    rows, columns = np.tril_indices(factors.shape[1])
    return {
        "weights": shares.astype(np.uint16),
        "means": np.rint(fitted.means / ANGLE_STEP).astype(np.int16),
        "factors": np.rint(factors[:, rows, columns] / steps[:, columns]).astype(np.int16),
        "factor_steps": steps,
        "limits": np.rint(limits / ANGLE_STEP).astype(np.int16),
    }


def spread_code(spread: float) -> dict[str, Array]:
    """The array of the file that is measured with the rest."""
    return {"spread": np.array([round(spread / SPREAD_STEP)], np.uint16)}
