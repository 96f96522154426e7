# SPDX-License-Identifier: Apache-2.0
"""What tells how near a quantized network is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bitpose.quantize.calibration import Runner
from bitpose.quantize.points import find_points
from bitpose.quantize.yardsticks import Yardsticks, yardsticks

from ..passes.build import Draft
from .test_points import CONV, X, draft

SHIFT = 5.0


def shifted(by: float) -> Draft:
    """y = x + by."""
    d = Draft()
    d.input("x", X)
    d.constant("c", np.array(by), np.float32)
    d.node("Add", "x c", "y", X)
    return d


def samples(count: int) -> list[dict[str, np.ndarray]]:
    random = np.random.default_rng(0)
    return [{"x": random.normal(0, 1, X).astype(np.float32)} for _ in range(count)]


def test_what_all_feeds_have_in_common_is_no_signal() -> None:
    near = Yardsticks.of(shifted(0.0).graph("y"), ["y"], samples(8))
    far = Yardsticks.of(shifted(100.0).graph("y"), ["y"], samples(8))
    np.testing.assert_allclose(far.signals, near.signals, rtol=1e-5)
    x = np.stack([feed["x"] for feed in samples(8)]).astype(np.float64)
    np.testing.assert_allclose(near.signals, np.square(x - x.mean(0)).sum(), rtol=1e-6)


def test_few_feeds_have_nothing_in_common() -> None:
    few = Yardsticks.of(shifted(0.0).graph("y"), ["y"], samples(2))
    x = np.stack([feed["x"] for feed in samples(2)]).astype(np.float64)
    np.testing.assert_allclose(few.signals, np.square(x).sum(), rtol=1e-6)


def test_fidelity_is_signal_to_noise_in_decibels() -> None:
    exact = Yardsticks.of(shifted(0.0).graph("y"), ["y"], samples(8))
    noise = 0.01 * sum(feed["x"].size for feed in samples(8))
    expected = 10 * math.log10(exact.signals[0] / noise)
    assert exact.fidelity(shifted(0.1).graph("y")) == pytest.approx(expected, abs=1e-4)


def test_thinned_feeds_have_their_share_of_the_signal() -> None:
    exact = Yardsticks.of(shifted(0.0).graph("y"), ["y"], samples(9))
    thin = exact.thinned(4)
    assert len(thin.feeds) == len(thin.exact) == 3
    np.testing.assert_allclose(thin.signals, exact.signals / 3)
    graph = shifted(0.1).graph("y")
    assert thin.noise(Runner(graph, ["y"]), {})[0] < exact.noise(Runner(graph, ["y"]), {})[0]
    assert exact.thinned(100).feeds == exact.feeds


def test_heads_are_measured_behind_their_functions_before_they_are_joined() -> None:
    d = draft()
    d.constant("two", np.array(2.0), np.float32)
    d.node("Conv", "x w", "a", X, **CONV)
    d.node("Conv", "x w", "b", X, **CONV)
    for name, start in (("scores", 0), ("rest", 2)):
        d.node("Slice", "a", name, (1, 2, 6, 6), axis=1, start=start, length=2, step=1)
    d.node("Sigmoid", "scores", "s", (1, 2, 6, 6))
    d.node("Mul", "b two", "doubled", X)
    d.node("Concat", "s rest", "y", X, axis=1)
    d.node("Add", "y doubled", "z", X)
    graph = d.graph("z")
    assert yardsticks(graph, find_points(graph)) == ["s", "rest", "doubled"]


def test_networks_without_heads_are_measured_at_their_outputs() -> None:
    graph = shifted(1.0).graph("y")
    assert yardsticks(graph, find_points(graph)) == ["y"]
