# SPDX-License-Identifier: Apache-2.0
"""Errors of 3D joints and vertices.

Points are [..., J, 3] in metres, leading axes being frames or people; errors are in millimetres.
Which joints, and which of them is the root, belongs beside each figure. Raises InputError where
shapes differ, a number is not finite, or there is nothing to average.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError

Array = NDArray[np.float64]

_MM = 1000.0


def mpjpe(predicted: ArrayLike, target: ArrayLike, root: int | Sequence[int]) -> float:
    """Mean per joint position error: mean |(p' - p'_root) - (p - p_root)|.

    `root` is a joint, or several whose middle is the root (3DPW: both hips).
    """
    return float(joint_errors(predicted, target, root).mean())


def pa_mpjpe(predicted: ArrayLike, target: ArrayLike) -> float:
    """MPJPE behind the best similarity of each frame ("reconstruction error").

    The similarity has the least sum of squares; the mean distance may be larger than before.
    """
    return float(aligned_errors(predicted, target).mean())


def pve(
    predicted: ArrayLike,
    target: ArrayLike,
    predicted_root: ArrayLike,
    target_root: ArrayLike,
) -> float:
    """Per vertex error: mean |(v' - root') - (v - root)| over vertices [..., V, 3]; roots [..., 3].

    With both bodies in the T-pose, PVE-T.
    """
    prediction, truth = _pair(predicted, target)
    roots = [_finite(np.asarray(root, np.float64)) for root in (predicted_root, target_root)]
    wanted = (*truth.shape[:-2], 3)
    if any(root.shape != wanted for root in roots):
        raise InputError(f"roots have shapes {[root.shape for root in roots]}; must be {wanted}")
    moved = [
        points - root[..., None, :] for points, root in zip((prediction, truth), roots, strict=True)
    ]
    return float(_length(moved[0] - moved[1]).mean() * _MM)


def pa_pve(predicted: ArrayLike, target: ArrayLike) -> float:
    """PVE behind the best similarity of each frame."""
    return pa_mpjpe(predicted, target)


def acceleration_error(
    predicted: ArrayLike, target: ArrayLike, frames_per_second: float = 1.0
) -> float:
    """Mean |(p'_{t+1} - 2 p'_t + p'_{t-1}) - (...)| of sequences [..., T, J, 3], T >= 3.

    In mm / s^2 with the rate of the sequence; in mm / frame^2 without.
    """
    prediction, truth = _pair(predicted, target)
    if prediction.ndim < 3 or prediction.shape[-3] < 3:
        raise InputError(f"points have shape {prediction.shape}; must be (..., 3 or more, J, 3)")
    difference = prediction - truth
    second = difference[..., 2:, :, :] - 2 * difference[..., 1:-1, :, :]
    second += difference[..., :-2, :, :]
    return float(_length(second).mean() * frames_per_second**2 * _MM)


def joint_errors(
    predicted: ArrayLike, target: ArrayLike, root: int | Sequence[int] | None = None
) -> Array:
    """[..., J]: |(p' - p'_root) - (p - p_root)| in mm; without a root, |p' - p|."""
    prediction, truth = _pair(predicted, target)
    difference = prediction - truth
    if root is not None:
        chosen = np.atleast_1d(np.asarray(root))
        if chosen.size == 0 or chosen.min() < 0 or chosen.max() >= difference.shape[-2]:
            raise InputError(f"root is {root}; there are {difference.shape[-2]} joints")
        difference = difference - difference[..., chosen, :].mean(axis=-2, keepdims=True)
    return _length(difference) * _MM


def aligned_errors(predicted: ArrayLike, target: ArrayLike) -> Array:
    """[..., J]: |s R p' + t - p| in mm, with the best similarity of each frame."""
    prediction, truth = _pair(predicted, target)
    scale, rotation, translation = similarity(prediction, truth)
    turned = (prediction[..., None, :] * rotation[..., None, :, :]).sum(axis=-1)
    moved = scale[..., None, None] * turned + translation[..., None, :]
    return _length(moved - truth) * _MM


def similarity(source: ArrayLike, target: ArrayLike) -> tuple[Array, Array, Array]:
    """s [...], R [..., 3, 3], t [..., 3] with the least sum of |s R source + t - target|^2.

    Umeyama 1991; R is a rotation, never a reflection. Where all points of the source are one, s is
    1 and R the identity.
    """
    a, b = _pair(source, target)
    mean_a, mean_b = a.mean(axis=-2), b.mean(axis=-2)
    a, b = a - mean_a[..., None, :], b - mean_b[..., None, :]
    covariance = (b[..., :, :, None] * a[..., :, None, :]).sum(axis=-3)
    u, d, vt = np.linalg.svd(covariance)
    sign = np.ones_like(d)
    sign[..., 2] = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    rotation = ((u * sign[..., None, :])[..., :, :, None] * vt[..., None, :, :]).sum(axis=-2)
    variance = (a * a).sum(axis=(-2, -1))
    spread = variance > 0
    scale = np.where(spread, (d * sign).sum(axis=-1) / np.where(spread, variance, 1), 1)
    rotation = np.where(spread[..., None, None], rotation, np.eye(3))
    moved = (rotation * mean_a[..., None, :]).sum(axis=-1)
    return scale, rotation, mean_b - scale[..., None] * moved


def _pair(predicted: ArrayLike, target: ArrayLike) -> tuple[Array, Array]:
    prediction, truth = np.asarray(predicted, np.float64), np.asarray(target, np.float64)
    if prediction.shape != truth.shape or prediction.ndim < 2 or prediction.shape[-1] != 3:
        raise InputError(
            f"points have shapes {prediction.shape} and {truth.shape}; must be equal (..., J, 3)"
        )
    if prediction.size == 0:
        raise InputError("there are no points to average over")
    return _finite(prediction), _finite(truth)


def _finite(points: Array) -> Array:
    if not np.isfinite(points).all():
        raise InputError("points must be finite")
    return points


def _length(vectors: Array) -> Array:
    return np.asarray(np.sqrt((vectors * vectors).sum(axis=-1)))
