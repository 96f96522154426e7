# SPDX-License-Identifier: Apache-2.0
"""Ranges from histograms."""

from __future__ import annotations

import numpy as np
import pytest

from bitpose.quantize.observers import OBSERVERS, Histogram, Range, mse, noise, tails
from bitpose.quantize.observers import quantized as rounded


def histogram(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Histogram:
    counts, _ = np.histogram(values, 2048, (values.min(), values.max()))
    return Histogram(float(values.min()), float(values.max()), counts.astype(np.int64))


def bell_with_outlier(outlier: float) -> Histogram:
    values = np.random.default_rng(0).standard_normal(100_000)
    return histogram(np.append(values, outlier))


@pytest.mark.parametrize("name", OBSERVERS)
def test_ranges_lie_within_what_was_seen(name: str) -> None:
    seen = bell_with_outlier(30.0)
    chosen = OBSERVERS[name](seen, None)
    assert seen.low <= chosen.low < 0 < chosen.high <= seen.high


@pytest.mark.parametrize("name", ["percentile", "entropy"])
def test_one_outlier_does_not_take_the_codes(name: str) -> None:
    assert OBSERVERS[name](bell_with_outlier(100.0), None).high < 10


def test_mse_clips_an_outlier_by_as_much_as_pays() -> None:
    assert 6 < mse(bell_with_outlier(12.0)).high < 11


def test_mse_is_the_best_of_all() -> None:
    seen = bell_with_outlier(12.0)
    best = noise(seen, mse(seen))
    for name in ("minmax", "percentile", "entropy"):
        assert best <= noise(seen, OBSERVERS[name](seen, None)) * 1.001


def test_a_function_forgives_what_it_hides() -> None:
    """Far below zero a sigmoid is flat, so the codes go to where it is not."""
    values = np.random.default_rng(1).uniform(-40, 4, 50_000)
    seen = histogram(values)
    chosen = mse(seen, lambda x: 1 / (1 + np.exp(-x)))
    assert chosen.low > -15
    assert mse(seen).low < -35


def test_values_that_are_all_one() -> None:
    seen = Histogram(2.0, 2.0, np.array([0, 5, 0], np.int64))
    for observe in OBSERVERS.values():
        chosen = observe(seen, None).with_zero()
        assert chosen.low == 0
        assert chosen.high == pytest.approx(2, abs=0.1)


def test_zero_has_a_code() -> None:
    for low, high in [(0, 6), (-1, 1), (-3, -1), (2, 5), (0, 0)]:
        assert rounded(np.zeros(1), Range(low, high))[0] == 0


def test_tails_are_clipped_less() -> None:
    counts = np.zeros(2048, np.int64)
    counts[:200] = 10_000
    counts[200:] = np.linspace(40, 1, 1848).astype(np.int64)
    seen = Histogram(0.0, 20.48, counts)
    near, far = mse(seen), tails(seen)
    assert near.high < far.high < 20.48
    assert noise(seen, near) < noise(seen, far)
