# SPDX-License-Identifier: Apache-2.0
"""Hot loops of the body model, in Cython. B = batch, V = vertices, J = joints; all arrays of one
call are float32 or all are float64. Sums have one order, so the same bits come on every machine.

Nothing is checked here; body/model.py and body/gradients.py do.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

POSE_BLOCK: int

def blend(directions: NDArray[Any], coefficients: NDArray[Any], dst: NDArray[Any]) -> None:
    """dst[b, i] += sum_k coefficients[b, k] directions[k, i], four terms at a time."""

def pose_blend(
    directions: NDArray[np.float64],
    vertices: NDArray[np.int32],
    starts: NDArray[np.int32],
    features: NDArray[np.float64],
    dst: NDArray[np.float64],
) -> None:
    """dst[b, vertices[i]] += sum_k features[b, j, k] directions[k, i] for each joint j and each i
    in starts[j] .. starts[j + 1] - 1.

    `directions` [9, N, 3], `vertices` [N], `starts` [J + 1], `features` [B, J, 9], `dst` [B, V, 3].
    """

def pose_blend_codes(
    directions: NDArray[np.int16],
    steps: NDArray[np.float32],
    vertices: NDArray[np.int32],
    starts: NDArray[np.int32],
    features: NDArray[np.float32],
    dst: NDArray[np.float32],
) -> None:
    """The same of directions in units of `steps` [blocks, 9], a row for each POSE_BLOCK vertices of
    a joint; the vertices of a joint are sorted.
    """

def forward_kinematics(
    R_parent_joint: NDArray[Any],
    rest_joints: NDArray[Any],
    parents: NDArray[np.int32],
    R_world_joint: NDArray[Any],
    t_world_joint: NDArray[Any],
) -> None:
    """Fills R_world_joint [B, J, 3, 3] and t_world_joint [B, J, 3].

    `R_parent_joint` [B, J, 3, 3], `rest_joints` [1 or B, J, 3]; a parent comes before its children.
    t_world_joint[:, 0] holds the translation on entry, the root joint's position afterwards.
    """

def skin(
    columns: NDArray[Any],
    bones: NDArray[np.int32],
    weights: NDArray[Any],
    rest: NDArray[Any],
    dst: NDArray[Any],
) -> None:
    """dst[b, v] = sum_k weights[v, k] T[b, bones[v, k]] (rest[b, v], 1).

    `columns` [B, J, 4, 4] holds the four columns of each T, padded; `bones` and `weights` [V, K],
    largest weight first.
    """

def skin_transpose(
    columns: NDArray[Any],
    bones: NDArray[np.int32],
    weights: NDArray[Any],
    rest: NDArray[Any],
    gradient: NDArray[Any],
    d_transforms: NDArray[Any],
    d_rest: NDArray[Any],
) -> None:
    """Gradients of sum(gradient * skin(...)): adds to `d_transforms` [B, J, 3, 4], fills `d_rest`
    [B, V, 3].
    """

def pose_jacobian(
    T_world_rest: NDArray[Any],
    R_world_joint: NDArray[Any],
    t_world_joint: NDArray[Any],
    parents: NDArray[np.int32],
    bones: NDArray[np.int32],
    weights: NDArray[Any],
    rest: NDArray[Any],
    dst: NDArray[Any],
) -> None:
    """dst[b, v, :, j] += the derivative of skinned vertex v by a turn w of joint j, that is of
    R_parent_joint exp(w), without what the pose blend shapes do. `dst` [B, V, 3, J, 3].
    """
