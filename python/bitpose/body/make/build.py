# SPDX-License-Identifier: Apache-2.0
"""The default body, from MakeHuman's data to the arrays of its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import default
from bitpose.body.keypoints import KeypointRegressor
from bitpose.body.layout import SMPL_JOINTS
from bitpose.body.make import axes, correctives, keypoint_sets, pose, quantize, rig
from bitpose.body.make.decimate import decimate
from bitpose.body.make.helpers import with_helpers
from bitpose.body.make.makehuman import SKIN, MakeHuman
from bitpose.body.make.surface import Surface, triangles
from bitpose.body.make.visibility import seen_from_outside

Array = NDArray[Any]

TARGET_VERTICES = 7000
_LONGEST_EDGE = 0.045
#: How much the error of the simpler surface counts, by the joint that a vertex mostly follows.
_IMPORTANCE = {"head": 4.0, "wrist": 1.0, "hand": 1.0, "ankle": 0.4, "foot": 0.3}
_ELSEWHERE = 2.5
_UNSEEN = 0.01


@dataclass(frozen=True, eq=False)
class BaseBody:
    """All 19158 vertices of the base mesh as a body in SMPL's zero pose."""

    v_template: Array
    """[19158, 3]."""
    directions: Array
    """[K, 19158, 3], by betas."""
    weights: Array
    """[19158, 24]."""
    posedirs: Array
    """[19158, 3, 207]."""
    axes_matrix: Array
    """[K, K]."""
    names: tuple[str, ...]
    R_zero_makehuman: Array
    """[24, 3, 3]."""


def base_body(source: MakeHuman) -> tuple[BaseBody, NDArray[np.int64], NDArray[np.int64]]:
    """The base mesh as a body; the vertices of the final surface in it, and its triangles."""
    template, named = axes.template(source), axes.directions(source)
    faces = triangles(source.quads, template, source.mirror)
    surface = Surface(template[:SKIN], faces)
    weights = with_helpers(template, rig.weights(source, surface), rig.weights_of_bones(source))
    kept, kept_faces = _simpler(template, faces, source, weights)

    def zero_pose(shape: Array) -> Array:
        return pose.brought(shape, weights, rig.joints(source, shape))

    v_template = pose.zero_pose(template, weights, rig.joints(source, template), surface)
    grown = np.stack([(zero_pose(template + d) - zero_pose(template - d)) / 2
                      for d in named.values()])  # fmt: skip
    matrix = _orthogonal(grown[:, kept])
    zero = Surface(v_template[:SKIN], faces)
    skin = correctives.Rig(
        zero, weights[:SKIN], rig.joints(source, v_template), source.mirror[:SKIN]
    )
    posedirs = np.zeros((len(template), 3, 9 * (len(SMPL_JOINTS) - 1)))
    posedirs[:SKIN] = correctives.solve(skin)
    body = BaseBody(
        v_template=v_template,
        directions=np.einsum("bk,kvc->bvc", matrix, grown),
        weights=weights,
        posedirs=with_helpers(template, posedirs, None),
        axes_matrix=matrix,
        names=tuple(named),
        R_zero_makehuman=pose.towards_zero_pose(rig.joints(source, template)),
    )
    return body, kept, kept_faces


def _simpler(
    template: Array, faces: NDArray[np.int64], source: MakeHuman, weights: Array
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Rounded, so that no last bit of another machine changes which vertices stay.
    skin, mirror = np.round(template[:SKIN], 7), source.mirror[:SKIN]
    by_joint = [_IMPORTANCE.get(name.rpartition("_")[2], _ELSEWHERE) for name in SMPL_JOINTS]
    importance = np.array(by_joint)[np.argmax(np.round(weights[:SKIN], 6), axis=1)]
    seen = seen_from_outside(skin, faces)
    importance = np.where(seen | seen[mirror], importance, _UNSEEN)
    importance = np.maximum(importance, importance[mirror])
    longest = np.full(SKIN, _LONGEST_EDGE)
    return decimate(skin, faces, mirror, importance, longest, TARGET_VERTICES)


def _orthogonal(grown: Array) -> Array:
    """[K, K] U with betas = U values, whose directions U grown are orthogonal, largest first."""
    flat = grown.reshape(len(grown), -1)
    size, vectors = np.linalg.eigh(flat @ flat.T)
    matrix = vectors[:, np.argsort(-size)].T
    largest = np.argmax(np.abs(matrix), axis=1)
    return np.asarray(matrix * np.sign(matrix[np.arange(len(matrix)), largest])[:, None])


def default_body(
    source: MakeHuman, base: BaseBody, kept: NDArray[np.int64], faces: NDArray[np.int64]
) -> dict[str, Array]:
    """The arrays of the file, as body/default.py describes them."""
    arrays = quantize.body(base, kept)
    arrays["faces"] = faces.astype(np.uint16)
    shaped = _shapes(arrays)
    points = keypoint_sets.points(source, axes.template(source))
    whole = np.concatenate([[base.v_template], *_plus_minus(base)])
    of_joints = np.stack([whole.transpose(0, 2, 1) @ points[name][0] for name in SMPL_JOINTS])
    joints = keypoint_sets.regressor(SMPL_JOINTS, of_joints.transpose(1, 0, 2), shaped)
    arrays |= quantize.regressor("joints", joints)
    for name in keypoint_sets.SETS:
        arrays |= quantize.regressor(name, _keypoints(name, arrays, points, whole, shaped))
    return arrays


def _plus_minus(base: BaseBody) -> list[Array]:
    return [base.v_template + sign * 2 * base.directions for sign in (1, -1)]


def _shapes(arrays: dict[str, Array]) -> Array:
    """[1 + 2 K, V, 3]: the template, and each beta at 2 and at -2."""
    template = arrays["v_template"] * default.TEMPLATE_STEP
    directions = arrays["shapedirs"] * arrays["shapedirs_step"][:, None, None]
    return np.concatenate([[template], template + 2 * directions, template - 2 * directions])


def _keypoints(
    name: str,
    arrays: dict[str, Array],
    points: dict[str, tuple[Array, int]],
    whole: Array,
    shaped: Array,
) -> KeypointRegressor:
    """Fitted to bodies of many shapes at rest, and to the template in many poses."""
    chosen = [points[point] for point in keypoint_sets.SETS[name].split()]
    at_rest = np.stack([whole.transpose(0, 2, 1) @ weights for weights, _ in chosen], axis=1)
    body = default.from_file(arrays, np.float64).with_shape()
    posed = body.with_pose(correctives.examples())
    moved = posed.T_world_rest[:, [joint for _, joint in chosen]]
    in_poses = np.einsum("skrc,kc->skr", moved[..., :3], at_rest[0]) + moved[..., 3]
    names = (keypoint_sets.RENAMED.get(p, p) for p in keypoint_sets.SETS[name].split())
    return keypoint_sets.regressor(
        tuple(names),
        np.concatenate([at_rest, in_poses]),
        np.concatenate([shaped, posed.vertices()]),
    )
