# SPDX-License-Identifier: Apache-2.0
"""Shares of keypoints that are near enough.

Raises InputError where shapes do not fit, a number is not finite, or no keypoint counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError
from bitpose.metrics.points import joint_errors

#: Up to where 3DPCK counts a joint, in mm, and the thresholds over which its AUC is the mean.
PCK_3D_MM = 150.0
AUC_MM = np.linspace(0.0, 150.0, 31)


def pck(
    predicted: ArrayLike,
    target: ArrayLike,
    size: ArrayLike,
    threshold: float,
    visible: ArrayLike | None = None,
) -> float:
    """PCK@threshold: the share of keypoints [N, K, 2] at most `threshold` * size from the target.

    `size` [N], or one for all, is what the threshold is a part of, in the unit of the points: the
    longer side of the person's box, say. Only keypoints with `visible` [N, K] count.
    """
    prediction, truth = np.asarray(predicted, np.float64), np.asarray(target, np.float64)
    if prediction.shape != truth.shape or prediction.ndim != 3:
        raise InputError(
            f"keypoints have shapes {prediction.shape} and {truth.shape}; must be equal (N, K, 2)"
        )
    sizes = np.asarray(size, np.float64)
    if sizes.shape not in ((), (len(truth),)) or not (np.isfinite(sizes) & (sizes > 0)).all():
        raise InputError(f"sizes must be positive, one or {len(truth)} of them")
    counts = np.ones(truth.shape[:2], np.bool_)
    if visible is not None:
        counts = np.asarray(visible).astype(np.bool_)
        if counts.shape != truth.shape[:2]:
            raise InputError(f"visible has shape {counts.shape}; must be {truth.shape[:2]}")
    difference = (prediction - truth)[counts]
    if len(difference) == 0:
        raise InputError("no keypoint is visible")
    if not np.isfinite(difference).all():
        raise InputError("visible keypoints must be finite")
    distance = np.sqrt((difference**2).sum(axis=-1))
    reach = np.broadcast_to(sizes[..., None] * threshold, counts.shape)[counts]
    return float((distance <= reach).mean())


def pckh(
    predicted: ArrayLike,
    target: ArrayLike,
    head_size: ArrayLike,
    visible: ArrayLike | None = None,
    threshold: float = 0.5,
) -> float:
    """PCKh@0.5: PCK by the size of each head [N]; MPII's is 0.6 of the diagonal of its box."""
    return pck(predicted, target, head_size, threshold, visible)


def pck_3d(
    predicted: ArrayLike,
    target: ArrayLike,
    root: int | Sequence[int] | None,
    threshold_mm: float = PCK_3D_MM,
) -> float:
    """3DPCK: the share of joints [..., J, 3], in metres, at most 150 mm from the target.

    Both are moved to a common root first, as in `mpjpe`, unless it is None.
    """
    return float((joint_errors(predicted, target, root) <= threshold_mm).mean())


def auc_3d(predicted: ArrayLike, target: ArrayLike, root: int | Sequence[int] | None) -> float:
    """The mean of 3DPCK over thresholds of 0, 5, ..., 150 mm: the area below its curve."""
    errors = joint_errors(predicted, target, root)
    return float(np.mean([(errors <= threshold).mean() for threshold in AUC_MM]))


def keypoints_area(keypoints: NDArray[np.float64]) -> NDArray[np.float64]:
    """[D]: the areas of the boxes around all keypoints [D, K, 2], which COCO takes for people's."""
    if keypoints.shape[1] == 0:
        return np.zeros(len(keypoints))
    return np.asarray(np.prod(keypoints.max(axis=1) - keypoints.min(axis=1), axis=-1))
