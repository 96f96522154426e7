# SPDX-License-Identifier: Apache-2.0
"""Where the keypoints of data sets lie in the base mesh, and sparse regressors for them.

A point is first a mean of any base vertices, helpers included; then vertices of the final surface
near it are found whose mean stays closest to it over many shapes and poses.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from bitpose.body.keypoints import KeypointRegressor
from bitpose.body.layout import SMPL_JOINTS
from bitpose.body.make.makehuman import SKIN, VERTICES, MakeHuman
from bitpose.body.make.rig import joint_cubes

Array = NDArray[Any]

SETS = {
    "coco17": "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow "
    "right_elbow left_wrist right_wrist hip:left hip:right left_knee right_knee left_ankle "
    "right_ankle",
    "h36m17": "mid_hip right_hip right_knee right_ankle left_hip left_knee left_ankle spine2 "
    "thorax nose head_top left_shoulder left_elbow left_wrist right_shoulder right_elbow "
    "right_wrist",
    "lsp14": "right_ankle right_knee hip:right hip:left left_knee left_ankle right_wrist "
    "right_elbow right_shoulder left_shoulder left_elbow left_wrist neck head_top",
}
#: Names of the points in the sets, where they are not ours.
RENAMED = {"hip:left": "left_hip", "hip:right": "right_hip", "mid_hip": "pelvis", "spine2": "spine"}
_MOST = 24
_RADIUS = 0.13
_RIDGE = 3e-4


def points(source: MakeHuman, template: Array) -> dict[str, tuple[Array, int]]:
    """By name of the point: [19158] weights, adding up to 1, and the joint that it moves with."""
    found = {
        name: (_mean(cube), joint)
        for joint, (name, cube) in enumerate(zip(SMPL_JOINTS, joint_cubes(source), strict=True))
    }
    pelvis, head = SMPL_JOINTS.index("pelvis"), SMPL_JOINTS.index("head")
    hips = [found[f"{side}_hip"][0] for side in ("left", "right")]
    middle = (hips[0] + hips[1]) / 2
    up = found["spine1"][0] - middle
    found["mid_hip"] = middle, pelvis
    found["thorax"] = found["neck"]
    for side, joint in zip(("left", "right"), hips, strict=True):
        # Annotators see the hip farther out and higher than the joint is.
        found[f"hip:{side}"] = joint + 0.24 * (joint - middle) + 0.12 * up, pelvis
        letter = side[0]
        lids = [_mean(source.group(f"joint-{letter}-{lid}lid")) for lid in ("upper", "lower")]
        found[f"{side}_eye"] = (lids[0] + lids[1]) / 2, head
        ear = source.target(f"ears/{letter}-ear-scale-incr")[:SKIN]
        found[f"{side}_ear"] = _mean(np.flatnonzero(np.abs(ear).sum(axis=1) > 0)), head
    skin = template[:SKIN]
    above_neck = skin[:, 1] > template[source.group("joint-neck")].mean(axis=0)[1]
    nose = np.where(above_neck & (np.abs(skin[:, 0]) < 1e-4), skin[:, 2], -np.inf)
    found["nose"] = _mean(np.argmax(nose, keepdims=True)), head
    found["head_top"] = _mean(np.argmax(skin[:, 1], keepdims=True)), head
    return found


def _mean(vertices: NDArray[np.int64]) -> Array:
    weights = np.zeros(VERTICES)
    weights[vertices] = 1 / len(vertices)
    return weights


def regressor(
    names: tuple[str, ...],
    wanted: Array,
    bodies: Array,
) -> KeypointRegressor:
    """For points `wanted` [S, K, 3] of bodies [S, V, 3], of which the first is at rest."""
    rows = [_sparse(wanted[:, k], bodies) for k in range(len(names))]
    most = max(len(vertices) for vertices, _ in rows)
    vertices = np.zeros((len(rows), most), np.int32)
    weights = np.zeros((len(rows), most))
    for k, (chosen, values) in enumerate(rows):
        vertices[k, : len(chosen)], weights[k, : len(chosen)] = chosen, values
    return KeypointRegressor(names, vertices, weights)


def _sparse(wanted: Array, bodies: Array) -> tuple[NDArray[np.int64], Array]:
    """Vertices and weights, none negative, by least squares with a ridge; the largest are kept."""
    distance = np.linalg.norm(bodies[0] - wanted[0], axis=1)
    near = np.sort(np.argsort(distance, kind="stable")[:300])
    near = near[(distance[near] < _RADIUS) | (distance[near] <= np.sort(distance)[11])]
    for _ in range(2):
        weights = _fit(wanted, bodies[:, near])
        near = np.sort(near[np.argsort(-weights, kind="stable")[:_MOST]])
    weights = _fit(wanted, bodies[:, near])
    used = weights > 1e-3
    return near[used], weights[used] / weights[used].sum()


def _fit(wanted: Array, bodies: Array) -> Array:
    count = bodies.shape[1]
    relative = (bodies - wanted[:, None]).transpose(0, 2, 1).reshape(-1, count)
    ridge = _RIDGE * np.sqrt(len(relative)) * np.eye(count)
    rows = np.concatenate([relative, ridge, np.full((1, count), 10.0)])
    right = np.zeros(len(rows))
    right[-1] = 10.0
    weights, _ = nnls(rows, right)
    return np.asarray(weights / weights.sum())
