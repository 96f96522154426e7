# SPDX-License-Identifier: Apache-2.0
"""The parts of the commands that compute something."""

from __future__ import annotations

import numpy as np
import pytest

from bitpose.cli.console import digest, size
from bitpose.cli.demo import group
from bitpose.cli.feeds import random_feed
from bitpose.cli.timing import Spread, interleaved
from bitpose.comparison import sqnr
from bitpose.session import NodeArg


def test_sizes_have_units() -> None:
    assert [size(n) for n in (0, 999, 1000, 1_234_567, 5e9)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "1.2 MB",
        "5.00 GB",
    ]


def test_digest_is_of_bytes() -> None:
    x = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert digest([x]) == digest([x.reshape(-1)])
    assert digest([x.T]) != digest([x])
    assert len(digest([])) == 16


def test_calls_take_turns() -> None:
    order: list[str] = []
    times = interleaved([lambda: order.append("a"), lambda: order.append("b")], 3, 1)
    assert "".join(order) == "abababab"
    assert [len(t) for t in times] == [3, 3]


def test_a_spread_leaves_out_what_was_disturbed() -> None:
    spread = Spread.of([0.002] * 8 + [0.001, 9.0])
    assert spread.median == 0.002
    assert spread.p10 == pytest.approx(0.0019)
    assert spread.p90 > spread.median
    assert spread.milliseconds[0] == 2.0


def test_random_feed_fits_the_inputs() -> None:
    codes = NodeArg("q", [1, 4000], "tensor(int8)", np.dtype(np.int8))
    reals = NodeArg("x", [2, 2], "tensor(float)", np.dtype(np.float32))
    feed = random_feed([codes, reals])
    assert feed["q"].dtype == np.int8
    assert (feed["q"].min(), feed["q"].max()) == (-128, 127)
    assert feed["x"].shape == (2, 2)
    np.testing.assert_array_equal(feed["q"], random_feed([codes, reals])["q"])


def test_groups() -> None:
    assert group("stage3.block1.add") == "stage3"
    assert group("heatmaps") == "heatmaps"


def test_sqnr() -> None:
    exact = np.array([10, 0], np.float32)
    assert sqnr(exact, exact + np.float32(1)) == pytest.approx(10 * np.log10(50))
    assert sqnr(exact, exact) == float("inf")
