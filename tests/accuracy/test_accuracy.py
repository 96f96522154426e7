# SPDX-License-Identifier: Apache-2.0
"""Float networks of ../shared in int8 do what they did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from bench.accuracy.judge import Trial, judge_onnxruntime, judge_ours
from bench.accuracy.networks import NETWORKS, Network
from bench.accuracy.photos import View
from bench.accuracy.tasks import Detections, Mask, PersonKeypoints, Signal
from bitpose.pose.boxes import Boxes, overlap, suppressed
from bitpose.pose.decode import Keypoints
from bitpose.pose.skeleton import MPII_16

#: The smallest network of each task, which takes seconds.
FAST = ("bodypix_mnv1_050_s16", "ultraface_rfb320", "tinycnn_cifar10_fp32")
#: Where the criterion is missed: the largest error that is known.
SHORT = {
    "fastestdet": 0.06,
    "nanodet_m_320": 0.03,
    "mp_hand_landmark": -4.0,
}
MOST_IN_FLOAT = 0.1


def trial(network: Network) -> Trial:
    if not network.path.exists():
        pytest.skip(f"{network.path} is not there")
    return Trial(network)


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(n, id=n.name, marks=() if n.name in FAST else pytest.mark.slow)
        for n in NETWORKS
    ],
)
def test_a_network_does_its_job_in_int8(network: Network) -> None:
    judged = trial(network)
    result = judge_ours(judged)
    assert result.float_share <= MOST_IN_FLOAT
    for verdict in result.verdicts[: len(network.tasks)]:
        assert verdict.passed or verdict.error <= SHORT.get(network.name, -np.inf), verdict.text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["EfficientPoseRT", "yolox_nano", "kazuhito_person_yolox"])
def test_heads_of_mixed_ranges_are_much_better_than_elsewhere(name: str) -> None:
    """onnxruntime gives one scale to what differs by orders of magnitude."""
    (network,) = (n for n in NETWORKS if n.name == name)
    judged = trial(network)
    ours, theirs = judge_ours(judged).verdicts[0], judge_onnxruntime(judged).verdicts[0]
    assert ours.error < theirs.error / 2


def boxes(*corners: tuple[float, float, float, float], score: float = 0.9) -> Boxes:
    count = len(corners)
    return Boxes(np.array(corners), np.full(count, score), np.zeros(count, np.int64))


def view() -> View:
    return View("grey", Image.new("RGB", (100, 100)), person=50.0)


def test_overlap() -> None:
    others = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]], np.float64)
    np.testing.assert_allclose(overlap(others[0], others), [1, 1 / 3, 0])


def test_the_best_of_boxes_that_overlap_is_kept() -> None:
    found = Boxes(
        np.array([[0, 0, 10, 10], [1, 0, 11, 10], [1, 0, 11, 10], [50, 50, 60, 60]], np.float64),
        np.array([0.6, 0.8, 0.7, 0.5]),
        np.array([0, 0, 1, 0]),
    )
    kept = suppressed(found, 0.5)
    np.testing.assert_array_equal(kept.scores, [0.8, 0.7, 0.5])


def test_a_box_that_is_lost_or_moved_counts() -> None:
    task = Detections(lambda outputs, height, width: outputs[0], 0.5)  # type: ignore[arg-type, return-value]
    exact = boxes((0, 0, 50, 50), (60, 60, 80, 80))
    for got, kept in (
        (exact, 2),
        (boxes((0, 0, 50, 50), (70, 70, 90, 90)), 1),
        (boxes((0, 0, 50, 50)), 1),
        (boxes((0, 0, 50, 50), (60, 60, 80, 80), score=0.4), 0),
    ):
        rows = task.compare([exact], [got], view(), (100, 100))  # type: ignore[list-item]
        assert task.verdict(rows).text.startswith(f"{kept} of 2")
        assert task.verdict(rows).passed == (kept == 2)


def test_keypoints_are_measured_by_the_person() -> None:
    def decode(outputs: Sequence[np.ndarray], height: int, width: int) -> Keypoints:
        return Keypoints(MPII_16, outputs[0], np.linspace(0, 1, 16).astype(np.float32))

    task = PersonKeypoints(decode, 0.4)
    exact = np.zeros((16, 2), np.float32)
    rows = task.compare([exact], [exact + np.array([1, 0], np.float32)], view(), (100, 100))
    np.testing.assert_allclose(rows, 1 / 50)
    assert len(rows) == 8
    assert task.verdict(rows).passed
    assert not task.verdict(rows * 2).passed


def test_masks_and_signals() -> None:
    mask = Mask(lambda outputs: outputs[0] > 0)
    a = np.repeat([1.0, -1.0], 50)
    b = np.repeat([1.0, -1.0], [40, 60])
    rows = mask.compare([a], [b], view(), (1, 1))
    np.testing.assert_allclose(1 - mask.verdict(rows).error, (40 / 50 + 50 / 60) / 2)
    assert mask.verdict(mask.compare([a], [a], view(), (1, 1))).passed
    signal = Signal()
    rows = signal.compare([a], [a * 1.1], view(), (1, 1))
    np.testing.assert_allclose(signal.verdict(rows).error, -20.0)
