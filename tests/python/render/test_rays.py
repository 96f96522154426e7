# SPDX-License-Identifier: Apache-2.0
"""Pictures against a ray for each pixel and triangle in float64: right away from edges."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.render import (
    Camera,
    Drawable,
    PerspectiveCamera,
    Surface,
    WeakPerspectiveCamera,
    look_at,
    rasterize,
)
from bitpose.render.shapes import mannequin

from .reference import cast

# Corners are rounded to 1/4096 of a pixel: edges move by at most 0.71 of half of that.
MARGIN = 1 / 4096

FRONT = look_at([0.5, 0.4, 3.0], [0, 0, 0], [0, 1, 0])
CAMERAS: dict[str, Camera] = {
    "perspective": PerspectiveCamera(width=80, height=96, fx=150, fy=140, T_camera_world=FRONT),
    "weak perspective": WeakPerspectiveCamera(width=80, height=96, scale=45, T_camera_world=FRONT),
    "too close": PerspectiveCamera(
        width=64,
        height=64,
        fx=40,
        fy=40,
        T_camera_world=look_at([0.1, 0.3, 0.2], [0.2, 0, 0], [0, 1, 0]),
    ),
    "inside": PerspectiveCamera(
        width=48,
        height=48,
        fx=20,
        fy=20,
        near=0.05,
        T_camera_world=look_at([0, 0.2, 0], [0.4, 0.4, 0.1], [0, 1, 0]),
    ),
}


@pytest.mark.parametrize("name", CAMERAS)
def test_person(name: str) -> None:
    surface, vertices = mannequin(around=8, rings=7)
    assert compare(surface, vertices, CAMERAS[name]) > 0.8


@pytest.mark.parametrize("seed", range(8))
def test_triangles_around_the_camera(seed: int) -> None:
    """Large ones, many with corners behind the camera or far outside of the picture."""
    rng = np.random.default_rng(seed)
    vertices = rng.normal(0, 2, (60, 3)) * 10.0 ** rng.integers(-1, 4, (60, 1))
    faces = rng.integers(0, 60, (40, 3), np.int32)
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(axis=1)]
    parts = rng.integers(1, 25, len(faces), np.uint8)
    surface = Surface(60, faces, parts, rng.random((len(faces), 3, 2), np.float32))
    camera = PerspectiveCamera(width=40, height=40, fx=30, fy=30, near=0.1)
    assert compare(surface, vertices, camera, margin=0.01) > 0.5


def compare(
    surface: Surface, vertices: NDArray[np.float64], camera: Camera, margin: float = MARGIN
) -> float:
    """Compares all maps; gives the share of pixels that could be compared."""
    maps = rasterize([Drawable(surface, vertices)], camera)
    rays = cast(vertices, surface.faces, camera)
    clear = (rays.margin > margin) & (rays.gap > 1e-9)
    np.testing.assert_array_equal(maps.triangle[clear], rays.triangle[clear])
    np.testing.assert_array_equal(maps.mask[clear], rays.triangle[clear] >= 0)
    hit = clear & (rays.triangle >= 0)
    faces, b = surface.faces[rays.triangle[hit]], rays.barycentrics[hit]
    assert surface.parts is not None
    assert surface.uv is not None
    uv = (b[..., None] * surface.uv[rays.triangle[hit]]).sum(axis=1)
    np.testing.assert_array_equal(maps.part[hit], surface.parts[rays.triangle[hit]])
    # Rounding moves a point by more on a triangle seen from the side than in the picture.
    moved = np.abs(maps.barycentrics[hit] - b).max(axis=1)
    assert np.quantile(moved, 0.99) < 0.01
    assert np.quantile(np.abs(maps.u[hit] - uv[:, 0]), 0.99) < 0.01
    assert np.quantile(np.abs(maps.v[hit] - uv[:, 1]), 0.99) < 0.01
    relative = np.abs(maps.depth[hit] / rays.depth[hit] - 1)
    assert np.quantile(relative, 0.99) < 1e-3
    sure = np.partition(b, 1, axis=1)[:, 2] - np.partition(b, 1, axis=1)[:, 1] > 2 * moved
    nearest = np.take_along_axis(faces, b.argmax(axis=1)[:, None], axis=1)[:, 0]
    np.testing.assert_array_equal(maps.vertex[hit][sure], nearest[sure])
    assert maps.barycentrics[maps.mask].min() >= 0
    np.testing.assert_allclose(maps.barycentrics[maps.mask].sum(axis=-1), 1, atol=1e-6)
    return float(clear.mean())
