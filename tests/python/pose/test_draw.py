# SPDX-License-Identifier: Apache-2.0
"""What is drawn and what is left alone."""

from __future__ import annotations

import numpy as np
from PIL import Image

from bitpose.pose.decode import Keypoints
from bitpose.pose.draw import draw_keypoints
from bitpose.pose.skeleton import COCO_17

LEFT_HIP, LEFT_KNEE, LEFT_ANKLE = (COCO_17.keypoints.index(f"left_{n}") for n in
                                   ("hip", "knee", "ankle"))  # fmt: skip


def person(score: float) -> Keypoints:
    xy = np.zeros((17, 2), np.float32)
    xy[LEFT_HIP], xy[LEFT_KNEE], xy[LEFT_ANKLE] = (60, 40), (60, 100), (60, 160)
    scores = np.zeros(17, np.float32)
    scores[[LEFT_HIP, LEFT_KNEE]] = 0.9
    scores[LEFT_ANKLE] = score
    return Keypoints(COCO_17, xy, scores)


def changed(photo: Image.Image, score: float) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    drawn = draw_keypoints(photo, [person(score)], 0.5)
    assert drawn.size == photo.size
    return np.asarray((np.asarray(drawn) != np.asarray(photo)).any(-1))


def test_limbs_stand_between_seen_keypoints() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (200, 120, 3)).astype(np.uint8)
    photo = Image.fromarray(noise)
    both, one = changed(photo, 0.9), changed(photo, 0.1)
    assert both[70, 60]
    assert both[130, 60]
    assert one[70, 60]
    assert not one[130, 60]
    assert not both[:, :50].any()  # Pixels beside the limbs keep their bits.
    assert not both[:25].any()


def test_a_limb_has_its_colour() -> None:
    photo = Image.new("RGB", (120, 200), (255, 255, 255))
    drawn = np.asarray(draw_keypoints(photo, [person(0.9)], 0.5)).astype(int)
    limb = next(limb for limb in COCO_17.limbs if (limb.start, limb.end) == (LEFT_HIP, LEFT_KNEE))
    expected = 0.9 * np.array(limb.colour) + 0.1 * 255
    np.testing.assert_allclose(drawn[70, 60], expected, atol=2)


def test_nobody() -> None:
    photo = Image.new("RGB", (30, 20), (9, 8, 7))
    assert draw_keypoints(photo, [], 0.5).tobytes() == photo.tobytes()
