# SPDX-License-Identifier: Apache-2.0
"""Photos into inputs and outputs into keypoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitpose.pose.decode import (
    Pixels,
    decode_heatmaps,
    decode_movenet,
    find_convention,
)
from bitpose.pose.photo import Box, Placement, crop, letterbox, load_photo
from bitpose.pose.skeleton import COCO_17, PEM_14, Skeleton


def test_letterbox_centres_and_keeps_proportions() -> None:
    photo = Image.new("RGB", (200, 100), (255, 0, 0))
    picture, placement = letterbox(photo, 50, 50)
    assert picture.shape == (50, 50, 3)
    assert picture.dtype == np.uint8
    assert placement == Placement(0.25, 0, 12)
    assert (picture[:12] == 0).all()
    assert (picture[12:37] == (255, 0, 0)).all()
    assert (picture[37:] == 0).all()


@pytest.mark.parametrize("size", [(64, 48), (31, 97), (500, 610)])
def test_points_come_back_to_where_they_were(size: tuple[int, int]) -> None:
    photo = Image.new("RGB", size)
    x, y = size[0] // 3, size[1] // 2
    photo.paste((255, 255, 255), (x - 2, y - 2, x + 2, y + 2))
    picture, placement = letterbox(photo, 192, 192)
    rows, columns = np.nonzero(picture[..., 0] > 100)
    centre = np.array([columns.mean() + 0.5, rows.mean() + 0.5], np.float32)
    np.testing.assert_allclose(placement.to_photo(centre), [x, y], atol=1.5 / placement.scale)


def test_parts_of_a_photo_keep_its_coordinates() -> None:
    photo = Image.new("RGB", (100, 80))
    photo.paste((255, 255, 255), (88, 8, 92, 12))
    box = Box(80, 0, 10, 20).square(2.0)
    assert box == Box(65, -10, 40, 40)
    part, left, top = crop(photo, box)
    assert (part.size, left, top) == ((40, 40), 65, -10)
    picture, placement = letterbox(part, 20, 20)
    rows, columns = np.nonzero(picture[..., 0] > 100)
    centre = np.array([columns.mean() + 0.5, rows.mean() + 0.5], np.float32)
    np.testing.assert_allclose(placement.shifted(left, top).to_photo(centre), [90, 10], atol=1)


def test_photos_are_turned_by_exif(tmp_path: Path) -> None:
    photo = Image.new("RGB", (4, 2))
    exif = photo.getexif()
    exif[0x0112] = 6  # Rotate by 90 degrees.
    photo.save(tmp_path / "photo.jpg", exif=exif)
    assert load_photo(tmp_path / "photo.jpg").size == (2, 4)


def test_pixels() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    plain = Pixels().apply(picture, np.dtype(np.uint8))
    np.testing.assert_array_equal(plain, picture[None])
    scaled = Pixels(bgr=True, offset=1, divisor=2).apply(picture, np.dtype(np.float32))
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled[0, 0, 1], [2.0, 1.5, 1.0])


def test_movenet() -> None:
    output = np.zeros((1, 1, 17, 3), np.float32)
    output[0, 0, 5] = (0.25, 0.5, 0.9)
    keypoints = decode_movenet(output, 192, 96)
    np.testing.assert_array_equal(keypoints.xy[5], [48, 48])
    assert keypoints.score[5] == np.float32(0.9)
    assert keypoints.skeleton is COCO_17
    assert keypoints.box(0.5) == (48, 48, 48, 48)
    assert keypoints.box(0.95) is None


def test_heatmaps_move_a_quarter_towards_the_larger_neighbour() -> None:
    output = np.zeros((1, 8, 8, 14), np.float32)
    output[0, 3, 4, 0] = 1
    output[0, 3, 5, 0] = 0.5  # Right of the peak.
    output[0, 2, 4, 0] = 0.2  # Above it.
    output[0, 7, 0, 1] = 2  # A corner: no step.
    output[0, 6, 0, 1] = 1
    keypoints = decode_heatmaps(output, 16, 32)
    np.testing.assert_array_equal(keypoints.xy[0], [4.25 * 4, 2.75 * 2])
    np.testing.assert_array_equal(keypoints.xy[1], [0, 14])
    np.testing.assert_array_equal(keypoints.score[:3], [1, 2, 0])
    assert keypoints.skeleton is PEM_14


def test_conventions_by_shape() -> None:
    names = {(1, 1, 17, 3): "MoveNet", (1, 96, 96, 14): "PoseEstimationForMobile"}
    for shape, name in names.items():
        convention = find_convention([shape])
        assert convention is not None
        assert convention.name == name
    assert find_convention([(1, 1001)]) is None
    assert find_convention([(1, 1, 17, 3), (1, 1, 17, 3)]) is None


@pytest.mark.parametrize("skeleton", [COCO_17, PEM_14])
def test_skeletons_have_two_sides(skeleton: Skeleton) -> None:
    names = skeleton.keypoints
    assert len(names) == int(skeleton.name[-2:])
    for limb in skeleton.limbs:
        mirrored = {
            name.replace("left", "L").replace("right", "left").replace("L", "right")
            for name in (names[limb.start], names[limb.end])
        }
        assert any({names[o.start], names[o.end]} == mirrored for o in skeleton.limbs)
