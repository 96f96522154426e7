# SPDX-License-Identifier: Apache-2.0
"""Photos into inputs and outputs into keypoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bitpose.errors import InputError
from bitpose.pose.decode import (
    CONVENTIONS,
    decode_bodypix,
    decode_coco_heatmaps,
    decode_efficientpose,
    decode_movenet,
    decode_pem,
    decode_simcc,
    find_convention,
)
from bitpose.pose.feed import Pixels
from bitpose.pose.photo import Box, Placement, as_photo, crop, focal_of, letterbox, load_photo
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


def test_photos_of_every_mode(tmp_path: Path) -> None:
    grey = Image.new("L", (3, 2), 128)
    wide = Image.fromarray(np.full((2, 3), 128 * 256, np.uint16))
    clear = Image.new("RGBA", (3, 2), (0, 0, 0, 0))
    for name, photo, value in (
        ("l.png", grey, 128),
        ("p.png", grey.convert("P"), 128),
        ("16.png", wide, 128),
        ("rgba.png", clear, 255),
        ("cmyk.tif", grey.convert("RGB").convert("CMYK"), 128),
        ("one.png", Image.new("1", (3, 2), 1), 255),
    ):
        photo.save(tmp_path / name)
        loaded = load_photo(tmp_path / name)
        assert (loaded.mode, loaded.size) == ("RGB", (3, 2))
        np.testing.assert_array_equal(np.asarray(loaded), value)
    animated = tmp_path / "two.gif"
    grey.save(animated, save_all=True, append_images=[Image.new("L", (3, 2), 0)])
    assert (np.asarray(load_photo(animated)) == 128).all()


def test_what_is_no_photo_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"photo\.png"):
        load_photo(path)
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=r"photo\.png"):
        load_photo(path)
    for wrong in (np.zeros((2, 2, 4), np.uint8), np.zeros((2, 2)), np.zeros((0, 2, 3), np.uint8)):
        with pytest.raises(InputError, match="picture"):
            as_photo(wrong)  # type: ignore[arg-type]


def test_focal_length_of_a_photo(tmp_path: Path) -> None:
    photo = Image.new("RGB", (400, 300))
    assert focal_of(photo) is None
    exif = photo.getexif()
    exif.get_ifd(0x8769)[0xA405] = 43  # Millimetres of 35 mm film: the diagonal has 43.27.
    photo.save(tmp_path / "photo.jpg", exif=exif)
    focal = focal_of(load_photo(tmp_path / "photo.jpg"))
    assert focal == pytest.approx(500, rel=0.01)


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
    keypoints = decode_movenet([output], 192, 96)
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
    keypoints = decode_pem([output], 16, 32)
    np.testing.assert_array_equal(keypoints.xy[0], [4.25 * 4, 2.75 * 2])
    np.testing.assert_array_equal(keypoints.xy[1], [0, 14])
    np.testing.assert_array_equal(keypoints.score[:3], [1, 2, 0])
    assert keypoints.skeleton is PEM_14


def test_coco_heatmaps_and_lines_point_at_middles() -> None:
    """A peak in the third of four columns and the second of two rows of an input 64 x 20."""
    heat = np.zeros((1, 17, 2, 4), np.float32)
    heat[0, :, 1, 2] = 0.75
    keypoints = decode_coco_heatmaps([heat], 20, 64)
    np.testing.assert_array_equal(keypoints.xy, np.tile([40.0, 15.0], (17, 1)))
    np.testing.assert_array_equal(keypoints.score, 0.75)
    x, y = np.zeros((1, 17, 128), np.float32), np.zeros((1, 17, 40), np.float32)
    x[0, :, 80], y[0, :, 30] = 0.5, 0.25
    keypoints = decode_simcc([x, y], 20, 64)
    np.testing.assert_array_equal(keypoints.xy, np.tile([40.25, 15.25], (17, 1)))
    np.testing.assert_array_equal(keypoints.score, 0.25)


def test_efficientpose_maps_are_as_large_as_the_input() -> None:
    heat = np.zeros((1, 8, 8, 16), np.float32)
    heat[0, 3, 5, 4] = 0.5
    keypoints = decode_efficientpose([heat], 8, 8)
    np.testing.assert_array_equal(keypoints.xy[4], [5.5, 3.5])
    assert keypoints.score[4] == np.float32(0.5)


def test_bodypix_adds_offsets() -> None:
    heat = np.full((1, 3, 3, 17), -4, np.float32)
    short, long = np.zeros((1, 3, 3, 34), np.float32), np.full((1, 3, 3, 34), 99, np.float32)
    heat[0, 1, 2, 6] = 0.0
    short[0, 1, 2, 6], short[0, 1, 2, 17 + 6] = 3, -2
    keypoints = decode_bodypix([heat, long, short], 33, 33)
    np.testing.assert_array_equal(keypoints.xy[6], [2 * 16 - 2, 1 * 16 + 3])
    assert keypoints.score[6] == np.float32(0.5)


SHAPES: dict[str, list[tuple[int, ...]]] = {
    "MoveNet": [(1, 1, 17, 3)],
    "PoseEstimationForMobile": [(1, 96, 96, 14)],
    "EfficientPose Lite": [(1, 192, 192, 16)],
    "EfficientPose": [(1, 28, 28, 28), (1, 28, 28, 16), (1, 28, 28, 16), (1, 192, 192, 16)],
    "BodyPix": [
        *((1, 13, 13, n) for n in (32, 32, 17, 34, 24, 48, 1, 34)),
    ],
    "COCO heatmaps": [(1, 17, 48, 48)],
    "bitpose": [(1, 32, 24, 17)],
    "SimCC": [(1, 17, 384), (1, 17, 384)],
}


def test_conventions_by_shape() -> None:
    assert set(SHAPES) == {convention.name for convention in CONVENTIONS}
    for name, shapes in SHAPES.items():
        convention = find_convention(shapes, 192, 192)
        assert convention is not None
        assert convention.name == name
        outputs = [np.zeros(shape, np.float32) for shape in shapes]
        found = convention.decode(outputs, 192, 192)
        assert found.skeleton is convention.skeleton
        assert found.xy.shape == (len(found.skeleton.keypoints), 2)
        assert found.xy.dtype == found.score.dtype == np.float32
    for other in ([(1, 1001)], [(1, 1, 17, 3), (1, 1, 17, 3)], [(1, 17, 384), (1, 17, 200)]):
        assert find_convention(other, 192, 192) is None


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
