# SPDX-License-Identifier: Apache-2.0
"""Where points of the world lie in a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose.errors import InputError
from bitpose.render import PerspectiveCamera, WeakPerspectiveCamera, look_at


def test_perspective() -> None:
    camera = PerspectiveCamera(width=100, height=80, fx=50, fy=60, cx=40, cy=30)
    pixel, depth = camera.project([[0, 0, 2], [1, -1, 2], [3, 0, -1]])
    np.testing.assert_allclose(pixel[:2], [[40, 30], [65, 0]])
    assert np.isnan(pixel[2]).all()
    np.testing.assert_array_equal(depth, [2, 2, -1])


def test_weak_perspective() -> None:
    camera = WeakPerspectiveCamera(width=100, height=80, scale=10)
    pixel, depth = camera.project([[0, 0, 2], [1, -1, -7]])
    np.testing.assert_allclose(pixel, [[50, 40], [60, 30]])
    np.testing.assert_array_equal(depth, [2, -7])


def test_the_principal_point_is_the_middle() -> None:
    camera = PerspectiveCamera(width=100, height=80, fx=50, fy=60)
    assert (camera.cx, camera.cy) == (50, 40)


def test_points_have_three_coordinates() -> None:
    camera = PerspectiveCamera(width=100, height=80, fx=50, fy=60)
    with pytest.raises(InputError, match="shape"):
        camera.project([[0, 1]])


NUMBER = st.floats(-5, 5)
POINT = st.tuples(NUMBER, NUMBER, NUMBER)


@given(eye=POINT, target=POINT)
def test_look_at(eye: tuple[float, ...], target: tuple[float, ...]) -> None:
    forward = np.subtract(target, eye)
    if np.hypot(forward[0], forward[2]) < 1e-3:
        return
    transform = look_at(eye, target, [0, 1, 0])
    np.testing.assert_allclose(transform[:3, :3] @ transform[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(transform[:3, :3]) > 0
    camera = PerspectiveCamera(
        width=64, height=64, fx=50, fy=50, T_camera_world=transform, near=1e-9
    )
    pixel, depth = camera.project(np.asarray(target) + np.array([[0, 0, 0], [0, 1e-3, 0]]))
    np.testing.assert_allclose(pixel[0], [32, 32], atol=1e-6)
    np.testing.assert_allclose(depth[0], np.linalg.norm(forward), atol=1e-9)
    # Up in the world is up in the picture.
    assert pixel[1, 1] < pixel[0, 1]


@given(centre=POINT, degrees=st.floats(-360, 360), other=st.floats(-360, 360))
def test_walking_around(centre: tuple[float, ...], degrees: float, other: float) -> None:
    start = look_at([1, 2, 6], [0, 0, 0], [0, 1, 0])
    camera = PerspectiveCamera(width=64, height=64, fx=50, fy=50, T_camera_world=start)
    walked = camera.around(centre, degrees)
    for here, there in zip(camera.project(centre), walked.project(centre), strict=True):
        np.testing.assert_allclose(here, there, atol=1e-9)
    twice = walked.around(centre, other).T_camera_world
    np.testing.assert_allclose(
        twice, camera.around(centre, degrees + other).T_camera_world, atol=1e-9
    )


def test_walking_to_the_right() -> None:
    start = look_at([0, 0, 3], [0, 0, 0], [0, 1, 0])
    camera = PerspectiveCamera(width=64, height=64, fx=50, fy=50, T_camera_world=start)
    np.testing.assert_allclose(
        camera.around([0, 0, 0], 90).T_camera_world,
        look_at([3, 0, 0], [0, 0, 0], [0, 1, 0]),
        atol=1e-12,
    )
