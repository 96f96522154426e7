# SPDX-License-Identifier: Apache-2.0
"""Several drawables, invariances, and input that nobody should give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose.errors import InputError
from bitpose.render import (
    Camera,
    Drawable,
    Light,
    PerspectiveCamera,
    Surface,
    Texture,
    WeakPerspectiveCamera,
    look_at,
    rasterize,
    render,
)
from bitpose.render.shapes import ball, joined, mannequin

FRONT = look_at([0.6, 0.2, 3.2], [0, 0, 0], [0, 1, 0])
CAMERA = PerspectiveCamera(width=64, height=64, fx=90, fy=90, T_camera_world=FRONT)
PERSON = mannequin(around=10, rings=9)
MAPS = ("item", "triangle", "vertex", "barycentrics", "depth", "part", "u", "v")
FACE = np.array([[0, 1, 2]], np.int32)


def test_the_nearest_of_several_is_seen() -> None:
    surface, vertices = PERSON
    behind = vertices + np.array([0.1, 0, -0.6])
    obstacle = joined([ball([0.05, 0.2, 0.6], 0.2)])
    drawables = [Drawable(surface, vertices), Drawable(surface, behind), Drawable(*obstacle)]
    together = rasterize(drawables, CAMERA)
    alone = [rasterize([drawable], CAMERA) for drawable in drawables]
    depths = np.stack([maps.depth for maps in alone])
    expected = np.where(np.isfinite(depths).any(axis=0), depths.argmin(axis=0), -1)
    np.testing.assert_array_equal(together.item, expected)
    assert {0, 1, 2, -1} == set(np.unique(together.item).tolist())
    for i, maps in enumerate(alone):
        seen = together.item == i
        for name in MAPS[1:]:
            np.testing.assert_array_equal(getattr(together, name)[seen], getattr(maps, name)[seen])


def test_of_equally_near_ones_the_first_is_seen() -> None:
    maps = rasterize([Drawable(*PERSON), Drawable(*PERSON)], CAMERA)
    assert set(np.unique(maps.item).tolist()) == {-1, 0}


def test_background_values() -> None:
    maps = rasterize([Drawable(*PERSON)], CAMERA)
    nothing = ~maps.mask
    assert nothing.any()
    assert (maps.triangle[nothing] == -1).all()
    assert (maps.vertex[nothing] == -1).all()
    assert np.isinf(maps.depth[nothing]).all()
    for name in ("part", "u", "v"):
        assert not getattr(maps, name)[nothing].any()
    assert not maps.barycentrics[nothing].any()
    assert not maps.iuv[nothing].any()
    np.testing.assert_array_equal(maps.iuv[..., 0], maps.part)
    np.testing.assert_array_equal(maps.iuv[..., 1], np.rint(maps.u * 255))


def test_without_charts_there_are_no_parts() -> None:
    surface, vertices = PERSON
    maps = rasterize([Drawable(Surface(surface.vertex_count, surface.faces), vertices)], CAMERA)
    assert maps.mask.any()
    assert not maps.part.any()


@given(dx=st.integers(-20, 20), dy=st.integers(-20, 20))
def test_moving_the_principal_point_moves_the_picture(dx: int, dy: int) -> None:
    moved = PerspectiveCamera(
        width=64, height=64, fx=90, fy=90, cx=32 + dx, cy=32 + dy, T_camera_world=FRONT
    )
    here, there = (rasterize([Drawable(*PERSON)], camera) for camera in (CAMERA, moved))
    source = here.triangle[max(0, -dy) : 64 - max(0, dy), max(0, -dx) : 64 - max(0, dx)]
    target = there.triangle[max(0, dy) : 64 + min(0, dy), max(0, dx) : 64 + min(0, dx)]
    # x / z * f + c may round to the other neighbour on the grid than x / z * f + (c + 1).
    assert (source != target).sum() <= 2


@given(seed=st.integers(0, 2**32))
def test_the_order_of_faces_and_vertices_does_not_matter(seed: int) -> None:
    surface, vertices = PERSON
    rng = np.random.default_rng(seed)
    new_place, order = rng.permutation(len(vertices)), rng.permutation(len(surface.faces))
    shuffled = np.empty_like(vertices)
    shuffled[new_place] = vertices
    faces = new_place[surface.faces[order]].astype(np.int32)
    before = rasterize([Drawable(surface, vertices)], CAMERA)
    after = rasterize([Drawable(Surface(len(vertices), faces), shuffled)], CAMERA)
    np.testing.assert_array_equal(before.depth, after.depth)
    same = before.mask & (order[after.triangle] == before.triangle)
    assert same.sum() >= before.mask.sum() - 2
    np.testing.assert_array_equal(new_place[before.vertex[same]], after.vertex[same])


def test_scaling_the_world_scales_depth_alone() -> None:
    surface, vertices = PERSON
    far = look_at([6, 2, 32], [0, 0, 0], [0, 1, 0])
    camera = PerspectiveCamera(width=64, height=64, fx=90, fy=90, T_camera_world=far)
    small, large = (
        rasterize([Drawable(surface, vertices * scale)], view)
        for scale, view in [(1, CAMERA), (10, camera)]
    )
    same = small.triangle == large.triangle
    assert same.mean() > 0.998
    np.testing.assert_allclose(large.depth[same], 10 * small.depth[same], rtol=1e-5)


def test_all_of_nothing() -> None:
    empty = Drawable(Surface(0, np.zeros((0, 3), np.int32)), np.zeros((0, 3)))
    no_faces = Drawable(Surface(5, np.zeros((0, 3), np.int32)), np.zeros((5, 3)))
    for drawables in ([], [empty], [no_faces], [empty, no_faces]):
        drawn = render(drawables, CAMERA, background=(1, 2, 3))
        assert not drawn.maps.mask.any()
        assert (drawn.rgb == (1, 2, 3)).all()


@pytest.mark.parametrize(
    "corners",
    [
        pytest.param([[0, 0, -5], [1, 0, -5], [0, 1, -5]], id="behind"),
        pytest.param([[0, 0, 0.01], [1, 0, 0], [0, 1, 0]], id="nearer than near"),
        pytest.param([[0, 0, 5], [1, 1, 5], [2, 2, 5]], id="a line"),
        pytest.param([[0, 0, 5], [0, 0, 5], [0, 0, 5]], id="a point"),
        pytest.param([[0, 0, 0], [0, 0, 0], [0, 0, 0]], id="in the eye"),
        pytest.param([[0, 0, -1], [0, 0, 1], [0, 0, 5]], id="a line through the eye"),
        pytest.param([[900, 0, 5], [901, 0, 5], [900, 1, 5]], id="outside"),
    ],
)
def test_triangles_that_nobody_sees(corners: list[list[float]]) -> None:
    camera = PerspectiveCamera(width=40, height=30, fx=30, fy=30, near=0.1)
    drawn = render([Drawable(Surface(3, FACE), np.array(corners, np.float64))], camera)
    assert not drawn.maps.mask.any()
    assert not drawn.rgb.any()


def test_huge_triangles_cover_everything() -> None:
    for scale in (1e2, 1e5, 1e9):
        vertices = np.array([[-1.0, -1, 1e-3], [1, -1, 1e-3], [0, 1, 1e-3]]) * scale
        maps = rasterize(
            [Drawable(Surface(3, FACE), vertices)],
            PerspectiveCamera(width=40, height=30, fx=30, fy=30),
        )
        assert maps.mask.all()
        np.testing.assert_allclose(maps.depth, scale * 1e-3, rtol=1e-4)


COORDINATE = st.floats(-1e9, 1e9) | st.floats(-3, 3) | st.sampled_from([0.0, 1e-300, 1e9, -1e9])


@given(
    corners=st.lists(st.tuples(COORDINATE, COORDINATE, COORDINATE), min_size=6, max_size=6),
    focal=st.floats(1e-9, 1e9) | st.floats(1, 1e3),
    weak=st.booleans(),
)
def test_any_finite_input_gives_a_picture(
    corners: list[tuple[float, float, float]], focal: float, weak: bool
) -> None:
    camera: Camera = PerspectiveCamera(width=9, height=7, fx=focal, fy=focal)
    if weak:
        camera = WeakPerspectiveCamera(width=9, height=7, scale=focal)
    surface = Surface(6, np.array([[0, 1, 2], [3, 4, 5], [0, 0, 3]]).astype(np.int32))
    maps = render([Drawable(surface, np.array(corners))], camera).maps
    assert np.isfinite(maps.barycentrics).all()
    assert (maps.barycentrics[maps.mask] >= 0).all()
    np.testing.assert_allclose(maps.barycentrics[maps.mask].sum(axis=-1), 1, atol=1e-5)
    assert not np.isnan(maps.depth).any()


def test_numbers_that_overflow_in_shading() -> None:
    largest = np.finfo(np.float32).max
    camera = WeakPerspectiveCamera(width=8, height=8, scale=1)
    uv = np.full((1, 3, 2), largest, np.float32) * np.array([1, -1, 1], np.float32)[:, None]
    vertices = np.array([[-9.0, -9, 1], [-9, 20, 1], [20, -9, 1]])
    light = Light.of(largest, [[0, 0, -1], [0, 1, -1]], [largest, largest])
    for alpha in (0, 255):
        picture = np.zeros((2, 2, 4), np.uint8)
        picture[0, 0, 3] = alpha
        drawable = Drawable(Surface(3, FACE, texture_uv=uv), vertices, Texture(picture))
        drawn = render([drawable], camera, light=light, background=(9, 9, 9))
        assert (drawn.rgb <= 9).all()


VERTICES = np.zeros((3, 3))
FLOATS: Any = np.zeros(3)
UV = np.zeros((1, 3, 2), np.float32)
BYTES = np.zeros((4, 4, 3), np.uint8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Surface(3, np.array([[0, 1, 3]])), r"face 0 names vertices \[0, 1, 3\]"),
        (lambda: Surface(3, np.array([[0, 1, -1]])), "names vertices"),
        (lambda: Surface(3, np.array([[0, 1, 2**40]])), "must lie in"),
        (lambda: Surface(3, np.array([[0, 1, 1.5]])), "must be integers"),
        (lambda: Surface(3, np.array([[0, 1]])), "shape"),
        (lambda: Surface(3, FACE, parts=np.ones(1, np.uint8)), "both parts and uv"),
        (lambda: Surface(3, FACE, np.ones(2, np.uint8), UV), "parts has shape"),
        (lambda: Surface(3, FACE, np.array([300]), UV), "must lie in 0 .. 255"),
        (lambda: Surface(3, FACE, texture_uv=np.repeat(UV, 2, 0)), "texture_uv has shape"),
        (lambda: Surface(3, FACE, texture_uv=UV * np.nan), "must be finite"),
        (lambda: Drawable(Surface(3, FACE), np.zeros((2, 3))), "vertices_world has shape"),
        (lambda: Drawable(Surface(3, FACE), VERTICES * np.nan), "must be finite"),
        (lambda: Drawable(Surface(3, FACE), VERTICES - np.inf), "must be finite"),
        (lambda: Drawable(Surface(3, FACE), VERTICES + 1e10), "within 1e"),
        (lambda: Drawable(Surface(3, FACE), np.array([["a"] * 3] * 3)), "must be numbers"),
        (lambda: Drawable(Surface(3, FACE), VERTICES, colours=(0, 0, 256)), "colours must lie"),
        (lambda: Drawable(Surface(3, FACE), VERTICES, colours=BYTES), "colours has shape"),
        (lambda: Drawable(Surface(3, FACE), VERTICES, Texture(BYTES)), "needs a surface with"),
        (lambda: Texture(BYTES[..., :2]), "uint8"),
        (lambda: Texture(BYTES.astype(np.float32)), "uint8"),
        (lambda: Texture(BYTES[:0]), "texture of 4 x 0 pixels"),
        (lambda: Texture(np.zeros((1, 1 << 15, 3), np.uint8)), "texture of 32768 x 1 pixels"),
        (lambda: PerspectiveCamera(width=0, height=4, fx=1, fy=1), "width is 0"),
        (lambda: PerspectiveCamera(width=4, height=1 << 20, fx=1, fy=1), "height is"),
        (lambda: PerspectiveCamera(width=1 << 14, height=1 << 14, fx=1, fy=1), "pixels; at most"),
        (lambda: PerspectiveCamera(width=4, height=4, fx=0, fy=1), "fx is 0"),
        (lambda: PerspectiveCamera(width=4, height=4, fx=1, fy=np.inf), "fy is inf"),
        (lambda: PerspectiveCamera(width=4, height=4, fx=1, fy=1, cx=1e30), "cx is"),
        (lambda: PerspectiveCamera(width=4, height=4, fx=1, fy=1, near=-1), "near is"),
        (lambda: WeakPerspectiveCamera(width=4, height=4, scale=-1), "scale is -1"),
        (
            lambda: WeakPerspectiveCamera(width=4, height=4, scale=1, T_camera_world=np.eye(3)),
            "shape",
        ),
        (
            lambda: WeakPerspectiveCamera(
                width=4, height=4, scale=1, T_camera_world=np.eye(4) * np.nan
            ),
            "finite",
        ),
        (
            lambda: WeakPerspectiveCamera(
                width=4, height=4, scale=1, T_camera_world=np.ones((4, 4))
            ),
            "last row",
        ),
        (lambda: look_at([0, 0, 0], [0, 0, 0], [0, 1, 0]), "direction of view"),
        (lambda: look_at([0, 0, 0], [0, 2, 0], [0, 1, 0]), "direction of view"),
        (lambda: look_at([0, 0], [0, 2, 0], [0, 1, 0]), "eye_world is"),
        (lambda: CAMERA.around([0, np.nan, 0], 90), "centre_world is"),
        (lambda: Light.of(0.1, [[0, 0, 0]], [1.0]), "must not be zero"),
        (lambda: Light.of(0.1, [[0, 0, 1]], [1.0, 2.0]), "strengths has shape"),
        (lambda: Light.of(0.1, [0, 0, 1], [1.0]), "directions_world has shape"),
        (lambda: Light.of([0.1, 0.2]), "ambient has shape"),
        (lambda: Light.of(np.nan), "must be finite"),
        (lambda: Light(np.zeros((4, 3), np.float32)), "harmonics has shape"),
        (lambda: render([], CAMERA, background=BYTES), "background has shape"),
        (lambda: render([], CAMERA, background=(0, 0, 300)), "background must be bytes"),
        (lambda: render([], CAMERA, background=FLOATS), "background must be bytes"),
    ],
)
def test_what_does_not_fit_is_an_error(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_arrays_are_copied_and_read_only() -> None:
    faces, vertices = FACE.copy(), np.ones((3, 3))
    drawable = Drawable(Surface(3, faces), vertices)
    faces[:] = 1 << 30
    vertices[:] = np.nan
    assert drawable.surface.faces.max() == 2
    assert (drawable.vertices_world == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        drawable.surface.faces[0, 0] = 7


def test_faces_are_checked_again_when_they_are_drawn() -> None:
    surface = Surface(3, FACE)
    surface.faces.flags.writeable = True
    surface.faces[0, 0] = 1 << 30
    with pytest.raises(InputError, match="face 0 names a vertex that does not exist"):
        rasterize([Drawable(surface, np.ones((3, 3)))], CAMERA)
