# SPDX-License-Identifier: Apache-2.0
"""Rotations as axis-angle vectors, matrices, quaternions and 6D vectors, and ways between them.

Every function takes any leading axes, keeps float32 and float64, and is accurate for every
rotation: near none, and near half a turn, where the axis is hidden in differences that cancel.

    axis_angle [..., 3]     the axis times the angle in radians
    matrix     [..., 3, 3]  acts on column vectors
    quaternion [..., 4]     w, x, y, z of unit length; w >= 0 where this module makes one
    6D         [..., 6]     the first two columns of the matrix, one after the other (Zhou et al.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError

Array = NDArray[Any]

#: Below this angle (t - sin t)/t^3 is taken from its series.
_SERIES_BELOW = 0.25
_EYE = {kind: np.eye(3, dtype=kind) for kind in "fd"}


def cross_matrix(v: ArrayLike) -> Array:
    """[..., 3, 3] K with K @ u = v x u, from [..., 3]."""
    v = _floats(v, 3)
    k = np.zeros((*v.shape[:-1], 3, 3), v.dtype)
    k[..., 2, 1], k[..., 0, 2], k[..., 1, 0] = v[..., 0], v[..., 1], v[..., 2]
    return k - np.swapaxes(k, -1, -2)


def axis_angle_to_matrix(axis_angle: ArrayLike) -> Array:
    """Rodrigues: R = I + sin(t)/t K + (1 - cos t)/t^2 K^2 with K the cross matrix.

    With h = t/2 and b = sin(h)/h, the first factor is b cos h and the second b^2/2.
    """
    vector = _floats(axis_angle, 3)
    half = _angle(vector) / 2
    b = _sinc(half)
    k = cross_matrix(vector)
    return np.asarray((b * np.cos(half)) * k + (b * b / 2) * (k @ k) + _EYE[vector.dtype.char])


def right_jacobian(axis_angle: ArrayLike) -> Array:
    """[..., 3, 3] J with exp(v + d) = exp(v) exp(J d) to first order in d.

    J = I - (1 - cos t)/t^2 K + (t - sin t)/t^3 K^2. It carries derivatives by a turn in the joint's
    own frame over to derivatives by the axis-angle vector; it is singular at whole turns.
    """
    vector = _floats(axis_angle, 3)
    t = _angle(vector)
    k = cross_matrix(vector)
    b = 0.5 * _sinc(t / 2) ** 2
    return np.asarray(_EYE[vector.dtype.char] - b * k + _third(t) * (k @ k))


def _angle(vector: Array) -> Array:
    """[..., 1, 1]. Where its square underflows only K is left of R - I, whatever it is."""
    return np.asarray(np.sqrt(np.sum(vector * vector, axis=-1)))[..., None, None]


def _sinc(t: Array) -> Array:
    """sin(t)/t."""
    safe = np.maximum(t, np.finfo(t.dtype).tiny)
    return np.asarray(np.sin(safe) / safe)


def _third(t: Array) -> Array:
    """(t - sin t)/t^3."""
    large = np.where(t < _SERIES_BELOW, 1, t)
    s = t * t
    series = (1 - s / 20 * (1 - s / 42 * (1 - s / 72 * (1 - s / 110)))) / 6
    exact = (large - np.sin(large)) / large**3
    return np.where(t < _SERIES_BELOW, series, exact).astype(t.dtype, copy=False)


def axis_angle_to_quaternion(axis_angle: ArrayLike) -> Array:
    """Angles beyond half a turn come out as the shorter way round."""
    vector = _floats(axis_angle, 3)
    half = _angle(vector)[..., 0] / 2
    imaginary = vector * (0.5 * _sinc(half))
    return _positive(np.concatenate([np.cos(half), imaginary], axis=-1))


def quaternion_to_axis_angle(quaternion: ArrayLike) -> Array:
    """The angle is in [0, pi]. Raises InputError for a quaternion of length zero."""
    q = _positive(_unit(_floats(quaternion, 4), "a quaternion"))
    w, imaginary = q[..., :1], q[..., 1:]
    sine = np.linalg.norm(imaginary, axis=-1, keepdims=True)
    tiny = sine < np.finfo(q.dtype).tiny * 4
    angle = 2 * np.arctan2(sine, w)
    return np.asarray(imaginary * np.where(tiny, 2, angle / np.where(tiny, 1, sine)))


def quaternion_to_matrix(quaternion: ArrayLike) -> Array:
    """Raises InputError for a quaternion of length zero."""
    q = _unit(_floats(quaternion, 4), "a quaternion")
    w, imaginary = q[..., 0, None, None], q[..., 1:]
    k = cross_matrix(imaginary)
    return np.asarray(_EYE[q.dtype.char] + 2 * (w * k + k @ k))


def matrix_to_quaternion(matrix: ArrayLike) -> Array:
    """A row of 4 q q^T is the quaternion times a component; that of the largest is taken."""
    m = _matrices(matrix)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    wx, wy, wz = (m[..., i, j] - m[..., j, i] for i, j in ((2, 1), (0, 2), (1, 0)))
    xy, xz, yz = (m[..., i, j] + m[..., j, i] for i, j in ((0, 1), (0, 2), (1, 2)))
    rows = [
        [1 + xx + yy + zz, wx, wy, wz],
        [wx, 1 + xx - yy - zz, xy, xz],
        [wy, xy, 1 - xx + yy - zz, yz],
        [wz, xz, yz, 1 - xx - yy + zz],
    ]
    outer = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    largest = np.argmax(np.diagonal(outer, axis1=-2, axis2=-1), axis=-1)
    row = np.take_along_axis(outer, largest[..., None, None], axis=-2)[..., 0, :]
    return _positive(_unit(row, "a rotation matrix"))


def matrix_to_axis_angle(matrix: ArrayLike) -> Array:
    """The angle is in [0, pi]."""
    return quaternion_to_axis_angle(matrix_to_quaternion(matrix))


def matrix_to_6d(matrix: ArrayLike) -> Array:
    """The first two columns, one after the other."""
    m = _matrices(matrix)
    return np.concatenate([m[..., 0], m[..., 1]], axis=-1)


def matrix_from_6d(vector: ArrayLike) -> Array:
    """Gram-Schmidt of the two columns, which need not be orthogonal or of unit length.

    Raises InputError where they are zero or parallel.
    """
    v = _floats(vector, 6)
    first = _unit(v[..., :3], "the first column of a 6D rotation")
    second = v[..., 3:]
    second = second - first * np.sum(first * second, axis=-1, keepdims=True)
    second = _unit(second, "the second column of a 6D rotation, less its part along the first,")
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def _floats(value: ArrayLike, extent: int) -> Array:
    array = np.asarray(value)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.shape[-1:] != (extent,):
        raise InputError(f"rotations of shape {array.shape}: the last axis must have {extent}")
    return array


def _matrices(value: ArrayLike) -> Array:
    array = _floats(value, 3)
    if array.ndim < 2 or array.shape[-2] != 3:
        raise InputError(f"rotations of shape {array.shape}: must be [..., 3, 3]")
    return array


def _positive(quaternion: Array) -> Array:
    return np.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def _unit(vector: Array, what: str) -> Array:
    scale = np.max(np.abs(vector), axis=-1, keepdims=True)
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise InputError(f"{what} is zero or not finite, so it has no direction")
    scaled = vector / scale
    return np.asarray(scaled / np.linalg.norm(scaled, axis=-1, keepdims=True))
