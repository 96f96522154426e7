# SPDX-License-Identifier: Apache-2.0
"""Which pixels belong to which triangle: exactly, against integers of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.render import Drawable, Maps, Surface, WeakPerspectiveCamera, rasterize

from .reference import GRID, coverage

WIDTH, HEIGHT = 23, 17
CAMERA = WeakPerspectiveCamera(width=WIDTH, height=HEIGHT, scale=1, cx=0, cy=0)

# In 1/4096 of a pixel: anywhere, on centres and borders of pixels, and far outside.
INSIDE = st.integers(-4 * GRID, 28 * GRID)
ON_HALVES = st.integers(-8, 56).map(lambda halves: halves * GRID // 2)
FAR = st.integers(-(2**28), 2**28)
COORDINATE = INSIDE | ON_HALVES | FAR
CORNERS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=3)


def draw(points: NDArray[np.int64], faces: NDArray[np.int64], depths: NDArray[np.float64]) -> Maps:
    vertices = np.column_stack([points / GRID, depths])
    return rasterize([Drawable(Surface(len(points), faces.astype(np.int32)), vertices)], CAMERA)


@given(corners=CORNERS)
def test_one_triangle(corners: list[tuple[int, int]]) -> None:
    points = np.array(corners)
    drawn = draw(points, np.array([[0, 1, 2]]), np.ones(3))
    np.testing.assert_array_equal(drawn.mask, coverage(points, HEIGHT, WIDTH))


@given(
    corners=st.lists(st.tuples(COORDINATE, COORDINATE), min_size=3, max_size=9),
    seed=st.integers(0, 2**32),
)
def test_the_nearest_triangle_is_seen(corners: list[tuple[int, int]], seed: int) -> None:
    points = np.array(corners)
    rng = np.random.default_rng(seed)
    faces = rng.integers(0, len(points), (8, 3))
    depth_of_face = rng.integers(0, 4, len(faces)).astype(np.float64)
    soup = np.arange(3 * len(faces)).reshape(-1, 3)
    drawn = draw(points[faces].reshape(-1, 2), soup, np.repeat(depth_of_face, 3))
    expected = np.full((HEIGHT, WIDTH), -1)
    nearest = np.full((HEIGHT, WIDTH), np.inf)
    for i, face in enumerate(faces):
        seen = coverage(points[face], HEIGHT, WIDTH) & (depth_of_face[i] < nearest)
        expected[seen], nearest[seen] = i, depth_of_face[i]
    np.testing.assert_array_equal(drawn.triangle, expected)
    np.testing.assert_allclose(drawn.depth, nearest, atol=1e-6)


@given(
    seed=st.integers(0, 2**32),
    step=st.sampled_from([GRID // 2, GRID // 4, 3 * GRID // 2, 5 * GRID]),
    share=st.sampled_from([0, 8, 1000]),
)
def test_each_pixel_belongs_to_one_triangle_of_a_plane(seed: int, step: int, share: int) -> None:
    """No crack and no pixel twice, wherever corners and edges fall."""
    rng = np.random.default_rng(seed)
    jitter = step // share if share else 0
    columns, rows = WIDTH * GRID // step + 4, HEIGHT * GRID // step + 4
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1) * step - step
    points = (grid + rng.integers(-jitter, jitter + 1, grid.shape)).reshape(-1, 2)
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    faces = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + columns], -1),
            np.stack([corner + columns, corner + 1, corner + columns + 1], -1),
        ]
    )
    assert draw(points, faces, np.ones(len(points))).mask.all()
    # Drawn one behind the other, the count of those that cover a pixel shows in none but one.
    last = draw(points, faces[::-1], np.ones(len(points)))
    first = draw(points, faces, np.ones(len(points)))
    np.testing.assert_array_equal(first.triangle, len(faces) - 1 - last.triangle)


def test_back_faces_can_be_left_out() -> None:
    points = np.array([[0, 0], [0, 10 * GRID], [10 * GRID, 0]])
    surface = Surface(3, np.array([[0, 1, 2], [0, 2, 1]]))
    vertices = np.column_stack([points / GRID, np.ones(3)])
    # x to the right, y down: the first face runs counter-clockwise for the camera.
    for face, expected in [(0, True), (1, False)]:
        single = Surface(3, surface.faces[face : face + 1])
        maps = rasterize([Drawable(single, vertices, back_faces=False)], CAMERA)
        assert maps.mask.any() == expected


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
def test_narrow_pictures(shape: tuple[int, int]) -> None:
    camera = WeakPerspectiveCamera(width=shape[1], height=shape[0], scale=1, cx=0, cy=0)
    vertices = np.array([[-100.0, -100, 1], [300, -100, 1], [-100, 300, 1]])
    maps = rasterize([Drawable(Surface(3, np.array([[0, 1, 2]])), vertices)], camera)
    assert maps.mask.shape == shape
    assert maps.mask.all()
