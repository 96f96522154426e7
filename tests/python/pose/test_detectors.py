# SPDX-License-Identifier: Apache-2.0
"""Outputs of detectors into boxes, each written as its network would for one box."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.pose.boxes import Boxes, overlap, suppressed
from bitpose.pose.detectors import DETECTORS, Detector, find_detector

Outputs = list[NDArray[np.float32]]

HEIGHT, WIDTH = 64, 96
#: left, top, right, bottom.
BOX = (20.0, 12.0, 60.0, 44.0)
CLASS, SCORE = 3, 0.81


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


def yolox() -> Outputs:
    output = np.zeros((1, 8 * 12 + 4 * 6 + 2 * 3, 5 + 4), np.float32)
    cell = 8 * 12 + 1 * 6 + 2  # Of stride 16: the second row, the third column.
    output[0, cell] = (
        40 / 16 - 2,
        28 / 16 - 1,
        np.log(40 / 16),
        np.log(32 / 16),
        0.9,
        0,
        0,
        0,
        0.9,
    )
    return [output]


def nanodet() -> Outputs:
    counts = (8 * 12, 4 * 6, 2 * 3)
    scores = [np.zeros((1, n, 80), np.float32) for n in counts]
    sides = [np.zeros((1, n, 32), np.float32) for n in counts]
    # The cell of stride 16 in the second row and third column has its centre at (40, 24).
    scores[1][0, 8, CLASS] = SCORE
    for side, distance in enumerate((20, 12, 20, 20)):
        strides = distance / 16
        share = np.full(8, 1e-9)
        low = int(strides)
        share[low : low + 2] = (1 - (strides - low), strides - low)
        sides[1][0, 8, 8 * side : 8 * side + 8] = np.log(np.maximum(share, 1e-9))
    return [*scores, *sides]


def fastestdet() -> Outputs:
    output = np.zeros((1, 85, 4, 6), np.float32)
    # Objectness and class combine as SCORE ** 0.6 * SCORE ** 0.4.
    output[0, 0, 1, 2] = output[0, 5 + CLASS, 1, 2] = SCORE
    output[0, 1, 1, 2], output[0, 2, 1, 2] = np.arctanh((40 / 16 - 2, 28 / 16 - 1))
    output[0, 3, 1, 2], output[0, 4, 1, 2] = logit(40 / WIDTH), logit(32 / HEIGHT)
    return [output]


def ssd() -> Outputs:
    corners, classes, scores = np.zeros((1, 10, 4)), np.zeros((1, 10)), np.zeros((1, 10))
    corners[0, 0] = (BOX[1] / HEIGHT, BOX[0] / WIDTH, BOX[3] / HEIGHT, BOX[2] / WIDTH)
    classes[0, 0], scores[0, 0] = CLASS, SCORE
    return [x.astype(np.float32) for x in (corners, classes, scores, np.array([1]))]


def ultraface() -> Outputs:
    scores, corners = np.zeros((1, 7, 2), np.float32), np.zeros((1, 7, 4), np.float32)
    scores[0, 2, 1] = SCORE
    corners[0, 2] = np.array(BOX) / (WIDTH, HEIGHT, WIDTH, HEIGHT)
    return [scores, corners]


def own() -> Outputs:
    middle = np.full((1, 8, 12, 1), logit(0.01), np.float32)
    sides = np.zeros((1, 8, 12, 4), np.float32)
    # The cell in the fourth row and sixth column has its centre at (44, 28); its neighbour is
    # likely as well, but less so.
    middle[0, 3, 4:6, 0] = logit(SCORE - 0.1), logit(SCORE)
    sides[0, 3, 4:6] = np.array((24, 16, 16, 16)) / WIDTH
    return [middle, sides]


WRITERS: dict[str, Callable[[], Outputs]] = {
    "YOLOX": yolox,
    "NanoDet": nanodet,
    "FastestDet": fastestdet,
    "SSD": ssd,
    "bitpose": own,
    "UltraFace": ultraface,
}


MANY_CLASSES = ("YOLOX", "NanoDet", "FastestDet", "SSD")


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_a_box_comes_back(detector: Detector) -> None:
    outputs = WRITERS[detector.name]()
    assert find_detector([x.shape for x in outputs], HEIGHT, WIDTH) is detector
    boxes = detector.decode(outputs, HEIGHT, WIDTH).above(0.5)
    np.testing.assert_allclose(boxes.corners, [BOX], atol=1e-3)
    np.testing.assert_allclose(boxes.scores, [SCORE], atol=1e-6)
    assert boxes.classes.tolist() == [CLASS if detector.name in MANY_CLASSES else 0]


def test_other_networks_are_no_detectors() -> None:
    for shapes in ([(1, 1001)], [(1, 1, 17, 3)], [(1, 126, 5)], [(1, 7, 2), (1, 8, 4)]):
        assert find_detector(shapes, HEIGHT, WIDTH) is None


def test_the_best_of_overlapping_boxes_stays() -> None:
    corners = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10], [1, 0, 11, 10]], float)
    boxes = Boxes(corners, np.array([0.6, 0.8, 0.5, 0.7]), np.array([0, 0, 0, 1]))
    kept = suppressed(boxes, 0.5)
    assert kept.scores.tolist() == [0.8, 0.7, 0.5]
    assert overlap(corners[0], corners).tolist() == [1, 90 / 110, 0, 90 / 110]
