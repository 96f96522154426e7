# SPDX-License-Identifier: Apache-2.0
"""Analytic derivatives of a posed body's joints and vertices.

Poses are varied by a small turn w of each joint in the joint's own frame, R exp(w) for R: three
numbers a joint that have no singular pose, as fitting wants it. `by_axis_angle` carries a result
over to SMPL's axis-angle parameters.

A point x that moves rigidly with joint j turns about its position p:  dx = (R_world_joint w) x
(x - p). A vertex is a weighted mean of such points, one for each of its bones, and joint j turns
those bones that descend from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body import _skinning
from bitpose.body.batches import broadcast, finite, flat, spread
from bitpose.body.model import PosedBody
from bitpose.body.rotations import cross_matrix, right_jacobian
from bitpose.errors import InputError

Array = NDArray[Any]

#: [3, 3, 3]: the derivative of exp(w) at 0 by each component of w.
_GENERATORS = np.asarray(cross_matrix(np.eye(3)))


@dataclass(frozen=True, eq=False)
class Jacobian:
    """Derivatives of N points in the world. That by the translation is the identity."""

    by_pose: Array
    """[..., N, 3, J, 3]: by the turn of each joint in its own frame."""
    by_shape: Array
    """[..., N, 3, B]."""


@dataclass(frozen=True, eq=False)
class Gradient:
    """Derivatives of one number."""

    by_pose: Array
    """[..., J, 3]: by the turn of each joint in its own frame."""
    by_shape: Array
    """[..., B]."""
    by_translation: Array
    """[..., 3]."""


def by_axis_angle(by_pose: Array, axis_angle: ArrayLike) -> Array:
    """A derivative [..., J, 3] by turns as one by the axis-angle vectors of `pose` [..., J, 3]."""
    return np.asarray(np.einsum("...i,...ij->...j", by_pose, right_jacobian(axis_angle)))


def joint_jacobian(posed: PosedBody) -> Jacobian:
    """Of the joints; N = J."""
    model = posed.shaped.model
    below = descendants(model.parents)
    x = posed.t_world_joint
    arms = x[..., :, None, :] - x[..., None, :, :]  # From joint j (second) to point n (first).
    arms = arms * below.T[..., None]
    return Jacobian(_turned(arms, posed), joints_by_shape(posed))


def vertex_jacobian(posed: PosedBody) -> Jacobian:
    """Of all vertices of the model; N = V. For some, pose `model.at_vertices(...)`.

    It takes 3 V (3 J + B) numbers a body.
    """
    model = posed.shaped.model
    weights = model.skin.to_dense(model.num_joints)
    R_world_rest = np.tensordot(posed.R_world_joint, weights, axes=(-3, 1))
    R_world_rest = np.moveaxis(R_world_rest, -1, -3)
    by_pose = _by_pose_of_skinning(posed)
    _add_pose_blend(by_pose, R_world_rest, posed)
    turned = posed.R_world_joint @ model.J_shapedirs.transpose(1, 2, 0)
    moved = np.moveaxis(joints_by_shape(posed) - turned, -3, -1) @ weights.T
    by_shape = R_world_rest @ model.shapedirs.transpose(1, 2, 0) + np.moveaxis(moved, -1, -3)
    return Jacobian(by_pose, by_shape)


def _by_pose_of_skinning(posed: PosedBody) -> Array:
    """[..., V, 3, J, 3]: as if the pose blend shapes stayed as they are."""
    model, rest = posed.shaped.model, posed.v_posed()
    dst = np.zeros((*rest.shape, model.num_joints, 3), model.dtype)
    _skinning.pose_jacobian(
        flat(posed.T_world_rest, 3), flat(posed.R_world_joint, 3), flat(posed.t_world_joint, 2),
        model.parents, model.skin.bones, model.skin.weights, flat(rest, 2), flat(dst, 4),
    )  # fmt: skip
    return dst


def pull_back(
    posed: PosedBody, by_vertices: ArrayLike | None = None, by_joints: ArrayLike | None = None
) -> Gradient:
    """The gradient of a function of the body from its gradients by vertices [..., V, 3] and by
    joints [..., J, 3]. It costs little more than `vertices()`. Raises InputError for other shapes.
    """
    model, joints = posed.shaped.model, posed.t_world_joint
    on_joints = np.zeros_like(joints)
    if by_joints is not None:
        on_joints += _given("by_joints", by_joints, model.num_joints, posed)
    forces, torques = on_joints, np.cross(joints, on_joints)
    by_pose, by_shape = _no_gradient(posed)
    if by_vertices is not None:
        given = _given("by_vertices", by_vertices, len(model.v_template), posed)
        on_bones, on_rest = _skin_transpose(posed, given)
        forces = forces + on_bones[..., 3]
        torques += _torques(on_bones, posed)
        by_pose += _pose_blend_gradient(on_rest, posed)
        by_shape += np.einsum("bvc,...vc->...b", model.shapedirs, on_rest)
    below = descendants(model.parents).astype(model.dtype)
    forces, torques = below @ forces, below @ torques  # Now of whole branches.
    torques = torques - np.cross(joints, forces)
    by_pose += np.einsum("...jrc,...jr->...jc", posed.R_world_joint, torques)
    # A joint at rest is where its own frame starts and what its parent's frame carries.
    on_rest_joints = np.einsum("...jrc,...jr->...jc", _R_world_parent(posed), forces)
    on_rest_joints -= np.einsum("...jrc,...jr->...jc", posed.R_world_joint, forces - on_joints)
    by_shape += np.einsum("bjc,...jc->...b", model.J_shapedirs, on_rest_joints)
    return Gradient(by_pose, by_shape, forces[..., 0, :])


def _given(name: str, gradient: ArrayLike, count: int, posed: PosedBody) -> Array:
    """[..., count, 3], for each body of the batch."""
    array = finite(name, gradient, posed.shaped.model.dtype)
    if array.shape[-2:] != (count, 3) or broadcast(array.shape[:-2], posed.batch) != posed.batch:
        wanted = (*posed.batch, count, 3)
        raise InputError(f"{name} of shape {array.shape}: must be {wanted}")
    return spread(array, posed.batch, 2)


def descendants(parents: NDArray[np.int32]) -> NDArray[np.bool_]:
    """[J, J]: whether the second joint hangs on the first, directly or not, or is the same."""
    below = np.eye(len(parents), dtype=bool)
    for joint in range(len(parents) - 1, 0, -1):
        below[parents[joint]] |= below[joint]
    return below


def _turned(arms: Array, posed: PosedBody) -> Array:
    """[..., N, 3, J, 3]: what turning joint j does at the end of arms [..., N, J, 3] from it."""
    turned = -cross_matrix(arms) @ posed.R_world_joint[..., None, :, :, :]
    return np.moveaxis(turned, -3, -2)


def _R_world_parent(posed: PosedBody) -> Array:
    """[..., J, 3, 3]: the frame that each joint hangs in."""
    frames = np.empty_like(posed.R_world_joint)
    frames[..., 0, :, :] = np.eye(3)
    frames[..., 1:, :, :] = posed.R_world_joint[..., posed.shaped.model.parents[1:], :, :]
    return frames


def joints_by_shape(posed: PosedBody) -> Array:
    """[..., J, 3, B]: each joint moves by the sum of what the bones above it grow."""
    model = posed.shaped.model
    grown = model.J_shapedirs.copy()
    grown[:, 1:] -= model.J_shapedirs[:, model.parents[1:]]
    steps = _R_world_parent(posed) @ grown.transpose(1, 2, 0)
    below = descendants(model.parents).astype(model.dtype)
    return np.moveaxis(np.moveaxis(steps, -3, -1) @ below, -1, -3)


def features_by_turn(posed: PosedBody) -> Array:
    """[..., J, 9, 3]: the derivative of `pose_features`; d exp(w) = R_parent_joint w x."""
    generators = _GENERATORS.astype(posed.R_parent_joint.dtype)
    turned = np.einsum("...jrk,akc->...jrca", posed.R_parent_joint, generators)
    return np.asarray(turned.reshape(*turned.shape[:-3], 9, 3))


def _add_pose_blend(by_pose: Array, R_world_rest: Array, posed: PosedBody) -> None:
    """Adds what the pose blend shapes do to vertices, [..., V, 3, J, 3]."""
    model, by_turn = posed.shaped.model, features_by_turn(posed)
    for joint in range(1, model.num_joints):
        moved, directions = model.pose_blend.of_joint(joint)
        if len(moved) == 0:
            continue
        rest = directions.transpose(1, 2, 0) @ by_turn[..., None, joint, :, :]
        of_joint = by_pose[..., joint, :]
        of_joint[..., moved, :, :] += R_world_rest[..., moved, :, :] @ rest


def _pose_blend_gradient(on_rest: Array, posed: PosedBody) -> Array:
    """[..., J, 3]: from gradients by `v_posed`, [..., V, 3]."""
    blend = posed.shaped.model.pose_blend
    features = np.zeros_like(posed.pose_features)
    for joint in range(1, posed.shaped.model.num_joints):
        moved, directions = blend.of_joint(joint)
        features[..., joint, :] = np.einsum("fvc,...vc->...f", directions, on_rest[..., moved, :])
    return np.asarray(np.einsum("...jf,...jfa->...ja", features, features_by_turn(posed)))


def _skin_transpose(posed: PosedBody, by_vertices: Array) -> tuple[Array, Array]:
    """Gradients by `T_world_rest` [..., J, 3, 4] and by `v_posed` [..., V, 3]."""
    skin, T = posed.shaped.model.skin, posed.T_world_rest
    on_bones, rest = np.zeros_like(T), posed.v_posed()
    on_rest = np.empty_like(rest)
    _skinning.skin_transpose(
        posed.skinning_columns, skin.bones, skin.weights, flat(rest, 2),
        flat(by_vertices, 2), flat(on_bones, 3), flat(on_rest, 2),
    )  # fmt: skip
    return on_bones, on_rest


def _torques(on_bones: Array, posed: PosedBody) -> Array:
    """[..., J, 3]: the sum of x x g about the origin, from that of g (rest, 1)^T of each bone.

    x = R rest + t, so the sum of g x^T is the gradient by (R | t) times its transpose.
    """
    outer = on_bones @ np.swapaxes(posed.T_world_rest, -1, -2)
    pairs = ((2, 1), (0, 2), (1, 0))
    return np.stack([outer[..., i, j] - outer[..., j, i] for i, j in pairs], axis=-1)


def _no_gradient(posed: PosedBody) -> tuple[Array, Array]:
    model = posed.shaped.model
    by_pose = np.zeros_like(posed.t_world_joint)
    return by_pose, np.zeros((*posed.batch, len(model.shapedirs)), model.dtype)
