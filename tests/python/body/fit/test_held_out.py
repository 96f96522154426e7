# SPDX-License-Identifier: Apache-2.0
"""What fits of held-out poses must reach; `bench.fit` prints the same of 200 people."""

from __future__ import annotations

import numpy as np
import pytest

from bench.fit.__main__ import measure, runs
from bitpose.body.fit.make import cases, clips
from tests.python.shared import mocap

SEED = 7


@pytest.mark.slow
def test_held_out_people() -> None:
    people = cases.make(clips.load(mocap()), held_out=True, count=60, seed=SEED)
    figures = {name: measure(name, run, people, SEED) for name, run in runs().items()}
    assert figures["joints in space"].errors.mean() < 0.5
    assert figures["two views, no noise"].errors.mean() < 1
    one = figures["one view"]
    assert np.median(one.errors) < 45  # 40 of 200 people.
    assert one.errors.mean() < 55
    assert np.median(one.errors) < 0.7 * np.median(figures["one view, without prior"].errors)
    assert 0.8 < one.within < 0.97
