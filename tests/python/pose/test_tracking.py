# SPDX-License-Identifier: Apache-2.0
"""Numbers that stay with people."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.pose.assignment import assigned
from bitpose.pose.decode import Keypoints
from bitpose.pose.reading import Reading, Sighting
from bitpose.pose.skeleton import COCO_17
from bitpose.pose.tracking import Tracker

Array = NDArray[Any]

SHAPE = np.random.default_rng(4).uniform((0, 0), (60, 150), (17, 2))


def sighting(x: float, y: float = 100.0, score: float = 0.9) -> Sighting:
    """A person 60 x 150 pixels large."""
    xy = (SHAPE + np.array([x, y])).astype(np.float32)
    box = np.array([x, y, x + 60, y + 150])
    keypoints = Keypoints(COCO_17, xy, np.full(17, score, np.float32))
    return Sighting(box, 0.9, Reading(keypoints, 0.3))


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_assignment_is_the_best_there_is(rows: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    worth = rng.integers(0, 6, (rows, columns)) / 5 + rng.choice([0, 1e-3]) * rng.random(
        (rows, columns)
    )
    pairs = assigned(worth, 0.3)
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == len(pairs)
    assert all(worth[pair] >= 0.3 for pair in pairs)
    kept = np.where(worth >= 0.3, worth, 0)
    tall = kept if rows <= columns else kept.T
    best = max(
        (
            sum(tall[r, c] for r, c in enumerate(order))
            for order in permutations(range(tall.shape[1]), tall.shape[0])
        ),
        default=0,
    )
    np.testing.assert_allclose(sum(worth[pair] for pair in pairs), best, atol=1e-12)


def test_people_keep_their_numbers_whatever_their_order() -> None:
    tracker = Tracker(patience=3)
    rng = np.random.default_rng(0)
    for frame in range(30):
        people = [sighting(50 + 4 * frame), sighting(300 - 3 * frame, 90), sighting(500)]
        order = rng.permutation(3)
        ids = tracker.step([people[i] for i in order])
        if frame == 0:
            names = dict(zip(order.tolist(), ids, strict=True))
        assert ids == [names[i] for i in order.tolist()]
    assert sorted(names.values()) == [1, 2, 3]


def test_people_who_cross_go_on_as_they_went() -> None:
    tracker = Tracker(patience=3)
    for frame in range(40):
        ids = tracker.step([sighting(50 + 9 * frame), sighting(400 - 9 * frame, 104)])
        assert ids == [1, 2]


def test_who_is_missed_comes_back() -> None:
    tracker = Tracker(patience=4)
    for frame in range(24):
        people = [sighting(50 + 3 * frame)]
        if not 10 <= frame < 14:
            people.append(sighting(400 - 4 * frame))
        assert tracker.step(people) == [1, 2][: len(people)]


def test_who_is_gone_for_long_is_somebody_else() -> None:
    tracker = Tracker(patience=4)
    assert tracker.step([sighting(0)]) == [1]
    for _ in range(5):
        assert tracker.step([]) == []
    assert tracker.step([sighting(0)]) == [2]


def test_strangers_are_not_taken_for_who_was_there() -> None:
    tracker = Tracker(patience=4)
    assert tracker.step([sighting(0)]) == [1]
    assert tracker.step([sighting(300)]) == [2]
    assert tracker.step([sighting(0), sighting(300)]) == [1, 2]


def test_boxes_do_without_keypoints() -> None:
    tracker = Tracker(patience=4)
    for frame in range(10):
        assert tracker.step([sighting(3 * frame, score=0.0)]) == [1]
