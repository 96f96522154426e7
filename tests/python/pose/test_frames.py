# SPDX-License-Identifier: Apache-2.0
"""Frames of folders, animations and lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bitpose.errors import InputError
from bitpose.pose.frames import Frames, is_animation, pictures_in
from bitpose.pose.photo import Photo, load_photo

COLOURS = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (90, 90, 90)]


def animation(path: Path, durations: list[int] | int, **options: Any) -> Path:
    pictures = [Image.new("RGB", (8, 6), colour) for colour in COLOURS]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, **options)
    return path


@pytest.mark.parametrize(("suffix", "options"), [
    (".gif", {}), (".webp", {"lossless": True}), (".png", {})
])  # fmt: skip
def test_animations(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    path = animation(tmp_path / f"wave{suffix}", [40, 40, 120, 40], **options)
    assert is_animation(path)
    frames = Frames.of(path)
    assert frames.names == ("00001", "00002", "00003", "00004")
    assert frames.frames_per_second == pytest.approx(25)
    for _ in range(2):
        shown = list(frames)
        np.testing.assert_allclose([frame.seconds for frame in shown], [0, 0.04, 0.08, 0.2])
        assert [frame.photo.getpixel((3, 3)) for frame in shown] == COLOURS
        assert [frame.name for frame in shown] == list(frames.names)
    faster = Frames.of(path, 50)
    assert faster.frames_per_second == pytest.approx(50)
    np.testing.assert_allclose([frame.seconds for frame in faster], [0, 0.02, 0.04, 0.06])


def test_animations_without_durations(tmp_path: Path) -> None:
    path = animation(tmp_path / "wave.gif", 0)
    assert Frames.of(path).frames_per_second == pytest.approx(10)


def test_folders_are_sorted_by_what_numbers_count(tmp_path: Path) -> None:
    names = ["a10.png", "a9.png", "a1.png", "b0.jpg", "a.png"]
    for name in names:
        Image.new("RGB", (2, 2)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    assert [path.name for path in pictures_in(tmp_path)] == [
        "a.png", "a1.png", "a9.png", "a10.png", "b0.jpg"
    ]  # fmt: skip
    frames = Frames.of(tmp_path)
    assert frames.names == ("a", "a1", "a9", "a10", "b0")
    assert frames.frames_per_second == 30
    np.testing.assert_allclose([frame.seconds for frame in frames], np.arange(5) / 30)


def test_pictures_of_every_kind(tmp_path: Path) -> None:
    Image.new("RGB", (4, 2), COLOURS[0]).save(tmp_path / "one.png")
    kinds: list[Photo] = [
        tmp_path / "one.png",
        Image.new("L", (4, 2), 7),
        np.full((2, 4), 9, np.uint8),
    ]
    frames = Frames.of(kinds, 10)
    assert [frame.photo.getpixel((0, 0)) for frame in frames] == [COLOURS[0], (7,) * 3, (9,) * 3]
    assert frames.names == ("one", "00002", "00003")
    assert Frames.of(iter(kinds)).names is None


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no pictures in"):
        Frames.of(tmp_path / "empty")
    with pytest.raises(InputError, match="frames_per_second is -1"):
        Frames.of([], -1)
    video = tmp_path / "dance.mp4"
    video.write_bytes(b"\0\0\0 ftypisom")
    assert not is_animation(video)
    for read in (Frames.of, load_photo):
        with pytest.raises(InputError, match=r"ffmpeg -i dance\.mp4 frames/%05d\.png"):
            read(video)
    path = animation(tmp_path / "wave.gif", 40)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"wave\.gif"):
        list(Frames.of(path))
    with pytest.raises(FileNotFoundError):
        Frames.of(tmp_path / "nothing.gif")
