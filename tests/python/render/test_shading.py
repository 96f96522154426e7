# SPDX-License-Identifier: Apache-2.0
"""Colours: light, textures, smooth edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.render import (
    Drawable,
    Light,
    PerspectiveCamera,
    Rendering,
    Surface,
    Texture,
    WeakPerspectiveCamera,
    colour,
    look_at,
    render,
)
from bitpose.render.shapes import ball, joined, mannequin

FLAT = Light.of(1.0)


def card(width: float, height: float, depth: float = 1.0) -> tuple[Surface, NDArray[np.float64]]:
    """A rectangle with its upper left corner at the origin, seen from its front."""
    corners = np.array([[0, 0], [0, height], [width, height], [width, 0]], np.float64)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    uv = np.array([[0, 1], [0, 0], [1, 0], [1, 1]], np.float32)[faces]
    return Surface(4, faces, texture_uv=uv), np.column_stack([corners, np.full(4, depth)])


def pixels(width: int, height: int, scale: float = 1.0) -> WeakPerspectiveCamera:
    return WeakPerspectiveCamera(width=width, height=height, scale=scale, cx=0, cy=0)


def noise(seed: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_bytes_survive_linear_light() -> None:
    codes = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(colour.encode(colour.decode(codes)), codes)


@given(height=st.integers(1, 20), width=st.integers(1, 20), seed=st.integers(0, 99))
def test_texture_at_its_size_is_itself(height: int, width: int, seed: int) -> None:
    picture = noise(seed, height, width, 3)
    drawable = Drawable(*card(width, height), Texture(picture))
    drawn = render([drawable], pixels(width, height), light=FLAT)
    np.testing.assert_array_equal(drawn.rgb, picture)


def test_texture_is_interpolated_between_texels() -> None:
    picture = np.zeros((1, 2, 3), np.uint8)
    picture[0, 1] = 255
    drawn = render([Drawable(*card(8, 4), Texture(picture))], pixels(8, 4), light=FLAT)
    expected = np.clip((np.arange(8) + 0.5) / 4 - 0.5, 0, 1)
    np.testing.assert_allclose(colour.decode(drawn.rgb)[2, :, 0], expected, atol=0.005)


@pytest.mark.parametrize("shrink", [2, 4, 8, 16])
def test_small_textures_are_averages(shrink: int) -> None:
    """A fine checkerboard far away is grey, in linear light."""
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255
    texture = Texture(np.repeat(board[..., None], 3, -1).astype(np.uint8))
    extent = 64 // shrink
    drawn = render([Drawable(*card(extent, extent), texture)], pixels(extent, extent), light=FLAT)
    np.testing.assert_allclose(colour.decode(drawn.rgb), 0.5, atol=0.01)


def test_transparent_texels_are_not_drawn() -> None:
    picture = noise(0, 12, 10, 4)
    picture[..., 3] = np.where(noise(1, 12, 10) < 128, 0, 255)
    front, back = Drawable(*card(10, 12), Texture(picture)), Drawable(*card(10, 12, depth=2.0))
    maps = render([front, back], pixels(10, 12), light=FLAT).maps
    np.testing.assert_array_equal(maps.item, np.where(picture[..., 3] >= 128, 0, 1))


def test_colours_of_vertices_are_interpolated_in_linear_light() -> None:
    surface, vertices = card(16, 4)
    colours = np.array([[0, 0, 0], [0, 0, 0], [255, 255, 255], [255, 255, 255]])
    drawn = render([Drawable(surface, vertices, colours=colours)], pixels(16, 4), light=FLAT)
    expected = (np.arange(16) + 0.5) / 16
    np.testing.assert_allclose(colour.decode(drawn.rgb)[1, :, 1], expected, atol=0.006)


def lit(normals: NDArray[np.float64], light: Light) -> NDArray[np.float64]:
    """The definition of Light, for a white surface."""
    x, y, z = normals.T
    harmonics = [
        np.full_like(x, 0.28209479),
        0.48860251 * y,
        0.48860251 * z,
        0.48860251 * x,
        1.09254843 * x * y,
        1.09254843 * y * z,
        0.31539157 * (3 * z * z - 1),
        1.09254843 * x * z,
        0.54627422 * (x * x - y * y),
    ]
    total = np.stack(harmonics, -1) / 0.28209479 @ light.harmonics
    cosines = np.maximum(normals @ light.directions_world.T, 0)
    return np.asarray(np.clip(total + cosines @ light.strengths, 0, 1))


@pytest.mark.parametrize("seed", range(4))
def test_light_on_a_sphere(seed: int) -> None:
    rng = np.random.default_rng(seed)
    light = Light(
        rng.normal(0.1, 0.1, (9, 3)).astype(np.float32),
        rng.normal(0, 1, (2, 3)).astype(np.float32),
        rng.uniform(0, 0.4, (2, 3)).astype(np.float32),
    )
    surface, vertices = joined([ball([0, 0, 0], 1.0, around=160)])
    camera = WeakPerspectiveCamera(width=64, height=64, scale=30)
    white = Drawable(surface, vertices, colours=(255, 255, 255))
    drawn = render([white], camera, light=light)
    offset = (np.indices((64, 64))[::-1] + 0.5 - 32) / 30
    inside = (offset**2).sum(axis=0) < 0.9
    x, y = offset[:, inside]
    normals = np.stack([x, y, -np.sqrt(1 - x * x - y * y)], -1)
    light_drawn = colour.decode(drawn.rgb)[inside]
    np.testing.assert_allclose(light_drawn, lit(normals, light), atol=0.01)


def test_light_turns_with_the_world() -> None:
    """Turning bodies, light and camera together changes nothing."""
    surface, vertices = mannequin(around=10, rings=9)
    camera = PerspectiveCamera(
        width=64,
        height=64,
        fx=90,
        fy=90,
        T_camera_world=look_at([0.6, 0.2, 3.2], [0, 0, 0], [0, 1, 0]),
    )
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    directions = rng.normal(size=(2, 3))
    turned = PerspectiveCamera(
        width=64,
        height=64,
        fx=90,
        fy=90,
        T_camera_world=camera.T_camera_world
        @ np.block([[turn.T, np.zeros((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]]),
    )
    before = render(
        [Drawable(surface, vertices)], camera, light=Light.of(0.1, directions, [0.5, 0.4])
    )
    after = render(
        [Drawable(surface, vertices @ turn.T)],
        turned,
        light=Light.of(0.1, directions @ turn.T, [0.5, 0.4]),
    )
    differs = (before.maps.triangle != after.maps.triangle).mean()
    assert differs < 0.002
    same = before.maps.triangle == after.maps.triangle
    assert np.abs(before.rgb.astype(int) - after.rgb)[same].mean() < 0.2


def test_the_back_is_lit_from_behind() -> None:
    surface, vertices = card(8, 8)
    towards_camera, away = [0, 0, -1], [0, 0, 1]
    turned = Surface(4, surface.faces[:, ::-1])
    for faces in (surface, turned):
        for direction, expected in [(towards_camera, 255), (away, 0)]:
            light = Light.of(0.0, [direction], [1.0])
            white = Drawable(faces, vertices, colours=(255, 255, 255))
            drawn = render([white], pixels(8, 8), light=light)
            assert (drawn.rgb == expected).all()


def _people(size: int, smooth: bool, background: NDArray[np.uint8]) -> Rendering:
    surface, vertices = mannequin(around=20, rings=15)
    camera = PerspectiveCamera(
        width=size,
        height=size,
        fx=1.4 * size,
        fy=1.4 * size,
        T_camera_world=look_at([0.6, 0.2, 3.2], [0, 0, 0], [0, 1, 0]),
    )
    obstacle = joined([ball([0.1, 0.2, 0.5], 0.15)])
    drawables = [Drawable(surface, vertices), Drawable(*obstacle, colours=(220, 60, 20))]
    return render(drawables, camera, background=background, smooth_edges=smooth)


def test_smooth_edges_are_nearer_to_the_average_of_many_samples() -> None:
    size, fine = 64, 16
    background = np.full((size, size, 3), (20, 60, 160), np.uint8)
    large = np.kron(background, np.ones((fine, fine, 1), np.uint8))
    light = colour.decode(_people(size * fine, False, large).rgb)
    truth = light.reshape(size, fine, size, fine, 3).mean(axis=(1, 3))
    hard, smooth = (_people(size, smooth, background) for smooth in (False, True))
    np.testing.assert_array_equal(hard.maps.triangle, smooth.maps.triangle)
    error = [np.abs(colour.decode(x.rgb) - truth).max(axis=-1) for x in (hard, smooth)]
    changed = (hard.rgb != smooth.rgb).any(axis=-1)
    assert 0.02 < changed.mean() < 0.2
    assert error[1][changed].mean() < 0.35 * error[0][changed].mean()
    # Eight samples know a share to about an eighth; contours in one pixel may still hide.
    assert np.quantile(error[1][changed], 0.95) < 0.12


def test_what_nothing_covers_stays_the_background() -> None:
    background = noise(3, 64, 64, 3)
    drawn = _people(64, True, background)
    near = drawn.maps.mask.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            near |= np.roll(drawn.maps.mask, step, axis)
    np.testing.assert_array_equal(drawn.rgb[~near], background[~near])
    assert (drawn.rgb[drawn.maps.mask] != background[drawn.maps.mask]).any(axis=-1).mean() > 0.95
    np.testing.assert_array_equal(background, noise(3, 64, 64, 3))
