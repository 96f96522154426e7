# SPDX-License-Identifier: Apache-2.0
"""From real numbers to the integers of the file: where the script's results become exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.default import TEMPLATE_STEP, WHOLE
from bitpose.body.keypoints import KeypointRegressor
from bitpose.body.packing import PoseBlend

if TYPE_CHECKING:
    from bitpose.body.make.build import BaseBody

Array = NDArray[Any]

_BONES = 4
_LARGEST = 32767
_DIGITS = 4


def body(base: BaseBody, kept: NDArray[np.int64]) -> dict[str, Array]:
    """The arrays of the vertices `kept`, without faces and regressors."""
    directions = base.directions[:, kept]
    shape_step = _steps(np.abs(directions).max(axis=(1, 2)))
    blend = PoseBlend.from_dense(base.posedirs[kept], np.float64)
    parts = [blend.of_joint(joint)[1] for joint in range(len(blend.starts) - 1)]
    pose_step = _steps(np.array([np.abs(part).max(initial=1e-6) for part in parts]))
    bones, weights = _skinning(base.weights[kept])
    return {
        "v_template": _codes(base.v_template[kept], TEMPLATE_STEP, np.int32),
        "shapedirs": _codes(directions, shape_step[:, None, None], np.int16),
        "shapedirs_step": shape_step,
        "bones": bones,
        "weights": weights,
        "posedirs": np.concatenate(
            [_codes(p, step, np.int16) for p, step in zip(parts, pose_step, strict=True)], axis=1
        ),
        "posedirs_step": pose_step,
        "moved": blend.vertices.astype(np.uint16),
        "starts": blend.starts,
        "axes": np.array(base.names),
        "axes_matrix": np.round(base.axes_matrix, 9),
    }


def regressor(name: str, keypoints: KeypointRegressor) -> dict[str, Array]:
    """The three arrays of a set of keypoints."""
    return {
        name: np.array(keypoints.names),
        f"{name}_vertices": keypoints.vertices.astype(np.uint16),
        f"{name}_weights": _shares(keypoints.weights),
    }


def _steps(largest: Array) -> Array:
    """Steps with few digits that reach the largest value in 16 bits."""
    exponent = 10.0 ** (np.floor(np.log10(largest / _LARGEST)) - _DIGITS + 1)
    return np.asarray(np.ceil(largest / _LARGEST / exponent) * exponent)


def _codes(values: Array, step: Array | float, dtype: type) -> Array:
    return np.asarray(np.rint(values / step).astype(dtype))


def _skinning(weights: Array) -> tuple[Array, Array]:
    """[V, 4] bones and weights, largest first."""
    rounded = np.round(weights, 9)
    bones = np.argsort(-rounded, axis=1, kind="stable")[:, :_BONES]
    largest = np.take_along_axis(weights, bones, axis=1)
    shares = _shares(largest / largest.sum(axis=1, keepdims=True))
    bones[shares == 0] = 0
    return bones.astype(np.uint8), shares


def _shares(weights: Array) -> Array:
    """Rows of integers that add up to 65535: rounded down, the rest given to the first, largest."""
    shares = np.rint(weights * WHOLE).astype(np.int64)
    largest = np.argmax(shares, axis=1)
    shares[np.arange(len(shares)), largest] += WHOLE - shares.sum(axis=1)
    return np.asarray(shares, np.uint16)
