# SPDX-License-Identifier: Apache-2.0
"""Drawings over photos."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.pose.skeleton import SMPL_24
from bitpose.render import Drawable, PerspectiveCamera, look_at, rasterize, render
from bitpose.render.overlay import (
    PART_COLOURS,
    draw_iuv,
    draw_meshes,
    draw_parts,
    keypoints_of,
    side_view,
)
from bitpose.render.shapes import mannequin

CAMERA = PerspectiveCamera(
    width=80,
    height=96,
    fx=120,
    fy=120,
    T_camera_world=look_at([0.6, 0.2, 3.2], [0, 0, 0], [0, 1, 0]),
)
DRAWABLE = Drawable(*mannequin(around=12, rings=9))
MAPS = rasterize([DRAWABLE], CAMERA)
PHOTO = np.random.default_rng(0).integers(0, 256, (96, 80, 3), np.uint8)


def pixels_of(picture: NDArray[np.uint8], where: NDArray[np.bool_]) -> set[tuple[int, ...]]:
    return {tuple(pixel) for pixel in picture[where].tolist()}


def test_part_colours_are_distinct() -> None:
    assert PART_COLOURS.shape == (25, 3)
    assert len(np.unique(PART_COLOURS, axis=0)) == 25


def test_parts_have_their_colours() -> None:
    drawn = draw_parts(PHOTO, MAPS.part, opacity=1.0)
    for part in np.unique(MAPS.part[MAPS.mask]):
        assert pixels_of(drawn, MAPS.part == part) == {tuple(PART_COLOURS[part].tolist())}


def test_drawings_leave_the_rest_of_the_photo() -> None:
    before = PHOTO.copy()
    for drawn in (draw_parts(PHOTO, MAPS.part), draw_iuv(PHOTO, MAPS.iuv)):
        np.testing.assert_array_equal(drawn[~MAPS.mask], PHOTO[~MAPS.mask])
        assert (drawn[MAPS.mask] != PHOTO[MAPS.mask]).any()
    for draw in (
        draw_parts(PHOTO, MAPS.part, 0.0),
        draw_iuv(PHOTO, MAPS.iuv, 0.0),
        draw_meshes(PHOTO, [DRAWABLE], CAMERA, opacity=0.0),
        draw_meshes(PHOTO, [], CAMERA),
    ):
        np.testing.assert_array_equal(draw, PHOTO)
    np.testing.assert_array_equal(PHOTO, before)


def test_lines_of_an_iuv_map_follow_u_and_v() -> None:
    """A chart seen from its front, u to the right and v down: a lattice of eight by eight."""
    iuv = np.ones((64, 64, 3), np.uint8)
    iuv[..., 2], iuv[..., 1] = np.indices((64, 64)) * 4
    white = np.zeros((64, 64, 3), np.uint8)
    dark = draw_iuv(white, iuv, 1.0)[..., 1] < 0.5 * PART_COLOURS[1, 1]
    crossing = np.arange(64) % 8 == 7
    crossing[63] = False
    np.testing.assert_array_equal(dark, crossing[None] | crossing[:, None])


def test_seams_are_no_lines_of_an_iuv_map() -> None:
    iuv = np.full((32, 32, 3), 100, np.uint8)
    iuv[:, :16, 0], iuv[:, 16:, 0] = 1, 2
    iuv[:, 16:, 1] = 132
    drawn = draw_iuv(np.zeros((32, 32, 3), np.uint8), iuv, 1.0)
    assert len(pixels_of(drawn, iuv[..., 0] == 1)) == 1
    assert len(pixels_of(drawn, iuv[..., 0] == 2)) == 1


def test_meshes_are_drawn_as_rendered() -> None:
    drawn = draw_meshes(PHOTO, [DRAWABLE], CAMERA)
    np.testing.assert_array_equal(drawn, render([DRAWABLE], CAMERA, background=PHOTO).rgb)


def test_side_view_by_no_degrees_is_the_front() -> None:
    front = render([DRAWABLE], CAMERA, background=(255, 255, 255)).rgb
    np.testing.assert_array_equal(side_view([DRAWABLE], CAMERA, degrees=0), front)
    assert (side_view([DRAWABLE], CAMERA) != front).any()
    assert (side_view([], CAMERA) == 255).all()


def test_keypoints() -> None:
    joints = np.random.default_rng(1).normal(0, 0.3, (24, 3))
    joints[5] = [2, 1, 30]  # Behind the camera.
    found = keypoints_of(joints, SMPL_24, CAMERA, score=0.75)
    assert found.score[5] == 0
    others = np.arange(24) != 5
    assert (found.score[others] == 0.75).all()
    np.testing.assert_allclose(found.xy[others], CAMERA.project(joints)[0][others], rtol=1e-5)


def test_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="the photo is"):
        draw_parts(PHOTO[:-1], MAPS.part)
    with pytest.raises(InputError, match="part 99 has no colour"):
        draw_parts(PHOTO, np.full((96, 80), 99, np.uint8))
    with pytest.raises(InputError, match="IUV map has shape"):
        draw_iuv(PHOTO, MAPS.part)
    with pytest.raises(InputError, match="opacity is 2"):
        draw_iuv(PHOTO, MAPS.iuv, 2.0)
    with pytest.raises(InputError, match="the photo is"):
        draw_meshes(PHOTO[:, 1:], [DRAWABLE], CAMERA)
    with pytest.raises(InputError, match="SMPL-24 has keypoints"):
        keypoints_of(np.zeros((17, 3)), SMPL_24, CAMERA)
    with pytest.raises(InputError, match="score has shape"):
        keypoints_of(np.zeros((24, 3)), SMPL_24, CAMERA, score=[1.0, 0.5])
