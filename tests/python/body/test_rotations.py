# SPDX-License-Identifier: Apache-2.0
"""Rotations there and back, near none, near half a turn and beyond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.body import rotations
from bitpose.errors import InputError

Array = NDArray[Any]

ANGLES = st.one_of(
    st.floats(0, 7),
    st.builds(lambda exponent, about: about + 10.0**exponent, st.floats(-160, -1), st.just(0.0)),
    st.builds(
        lambda exponent, sign: np.pi + sign * 10.0**exponent,
        st.floats(-17, -1),
        st.sampled_from([-1, 0, 1]),
    ),
)
COMPONENTS = st.one_of(st.floats(-1, 1), st.sampled_from([0.0, 1.0, -1.0, 1e-9]))


@st.composite
def axis_angles(draw: st.DrawFn) -> Array:
    axis = np.array([draw(COMPONENTS) for _ in range(3)])
    length = np.linalg.norm(axis)
    axis = axis / length if length > 1e-12 else np.array([0.0, 0.6, 0.8])
    return np.asarray(axis * draw(ANGLES))


def taylor(axis_angle: Array) -> Array:
    """exp of the cross matrix, by squaring a short series."""
    k = rotations.cross_matrix(axis_angle) / 2.0**10
    term, total = np.eye(3), np.eye(3)
    for n in range(1, 12):
        term = term @ k / n
        total = total + term
    for _ in range(10):
        total = total @ total
    return total


@given(axis_angles())
def test_matrix_is_the_exponential(axis_angle: Array) -> None:
    np.testing.assert_allclose(
        rotations.axis_angle_to_matrix(axis_angle), taylor(axis_angle), atol=1e-12
    )


@given(axis_angles())
def test_every_way_gives_the_same_matrix(axis_angle: Array) -> None:
    matrix = rotations.axis_angle_to_matrix(axis_angle)
    quaternion = rotations.axis_angle_to_quaternion(axis_angle)
    ways = [
        rotations.quaternion_to_matrix(quaternion),
        rotations.quaternion_to_matrix(rotations.matrix_to_quaternion(matrix)),
        rotations.matrix_from_6d(rotations.matrix_to_6d(matrix)),
        rotations.axis_angle_to_matrix(rotations.matrix_to_axis_angle(matrix)),
        rotations.axis_angle_to_matrix(rotations.quaternion_to_axis_angle(quaternion)),
    ]
    for way in ways:
        np.testing.assert_allclose(way, matrix, atol=4e-15)


@given(axis_angles())
def test_axis_angle_there_and_back(axis_angle: Array) -> None:
    """Also where the angle is tiny, relative to it; half a turn has two axes."""
    angle = float(np.linalg.norm(axis_angle))
    back = rotations.quaternion_to_axis_angle(rotations.axis_angle_to_quaternion(axis_angle))
    assert np.linalg.norm(back) <= np.pi * (1 + 1e-15)
    if angle < np.pi:
        np.testing.assert_allclose(back, axis_angle, rtol=1e-13, atol=1e-14 * angle + 1e-300)
    if 1e-6 < angle < np.pi - 1e-6:
        matrix = rotations.axis_angle_to_matrix(axis_angle)
        np.testing.assert_allclose(rotations.matrix_to_axis_angle(matrix), axis_angle, atol=1e-13)


@given(axis_angles(), axis_angles())
def test_right_jacobian(axis_angle: Array, direction: Array) -> None:
    d = direction / max(1.0, float(np.linalg.norm(direction)))
    step = 1e-4
    ends = [rotations.axis_angle_to_matrix(axis_angle + s * step * d) for s in (1, -1)]
    numeric = (ends[0] - ends[1]) / (2 * step)
    turn = rotations.cross_matrix(rotations.right_jacobian(axis_angle) @ d)
    matrix = rotations.axis_angle_to_matrix(axis_angle)
    np.testing.assert_allclose(matrix @ turn, numeric, atol=2e-8)


@given(axis_angles(), st.lists(st.floats(-0.3, 0.3), min_size=6, max_size=6))
def test_6d_need_not_be_orthonormal(axis_angle: Array, noise: list[float]) -> None:
    v = 3 * rotations.matrix_to_6d(rotations.axis_angle_to_matrix(axis_angle)) + np.array(noise)
    matrix = rotations.matrix_from_6d(v)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-14)
    assert np.linalg.det(matrix) == pytest.approx(1)
    assert np.dot(matrix[:, 0], v[:3]) == pytest.approx(np.linalg.norm(v[:3]))
    assert abs(np.dot(matrix[:, 2], v[3:])) < 1e-14 * np.linalg.norm(v)


def test_batches_and_precision() -> None:
    vectors = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    matrices = rotations.axis_angle_to_matrix(vectors)
    assert matrices.shape == (2, 5, 3, 3)
    for function, shape in [
        (rotations.matrix_to_axis_angle, (2, 5, 3)),
        (rotations.matrix_to_quaternion, (2, 5, 4)),
        (rotations.matrix_to_6d, (2, 5, 6)),
    ]:
        result = function(matrices)
        assert result.shape == shape
        assert result.dtype == np.float32
    single = rotations.axis_angle_to_matrix(vectors[1, 3])
    np.testing.assert_array_equal(single, matrices[1, 3])


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (rotations.matrix_from_6d, np.zeros(6)),
        (rotations.matrix_from_6d, np.array([1.0, 2, 3, 0, 0, 0])),
        (rotations.quaternion_to_matrix, np.zeros(4)),
        (rotations.quaternion_to_axis_angle, np.array([np.nan, 0, 0, 0])),
        (rotations.axis_angle_to_matrix, np.zeros(4)),
        (rotations.matrix_to_quaternion, np.zeros((2, 3))),
    ],
)
def test_what_is_no_rotation(function: Callable[[Array], Array], value: Array) -> None:
    with pytest.raises(InputError):
        function(value)
