# SPDX-License-Identifier: Apache-2.0
"""What fits of held-out poses must reach; `bench.fit` prints the same of 200 people."""

from __future__ import annotations

import numpy as np
import pytest

from bench.fit import crossed, motions
from bench.fit.__main__ import measure, runs
from bench.fit.penetration import ClosedParts
from bitpose.body.fit import Fitter
from bitpose.body.fit.make import cases, clips
from tests.python.shared import mocap

SEED = 7


@pytest.mark.slow
def test_held_out_people() -> None:
    people = cases.make(clips.load(mocap()), held_out=True, count=60, seed=SEED)
    figures = {name: measure(name, run, people, SEED) for name, run in runs().items()}
    assert np.median(figures["one view, 100 IUV points"].errors) < 24  # 20 of 200 people.
    assert np.median(figures["the same, 10 % of them wrong"].errors) < 25
    assert figures["joints in space"].errors.mean() < 0.5
    assert figures["two views, no noise"].errors.mean() < 1
    one = figures["one view"]
    assert np.median(one.errors) < 45  # 40 of 200 people.
    assert one.errors.mean() < 55
    assert np.median(one.errors) < 0.7 * np.median(figures["one view, without prior"].errors)
    assert 0.8 < one.within < 0.97


@pytest.mark.slow
def test_crossed_limbs() -> None:
    fitter = Fitter()
    parts = ClosedParts.of_body(fitter.model)
    inside = np.zeros(2)
    for number, case in enumerate(crossed.people(clips.load(mocap()), 10, SEED)):
        view = case.view(2, np.random.default_rng((SEED, number)))
        for solid in (0, 1):
            vertices = fitter.fit([view], solid=bool(solid)).posed().vertices()
            inside[solid] += np.count_nonzero(parts.inside(vertices))
    assert inside[1] < 0.2 * inside[0]


@pytest.mark.slow
def test_motions() -> None:
    fitter = Fitter()
    errors = []
    for motion in motions.motions(clips.load(mocap()), fitter, 0, 2, SEED):
        alone, together = (motions.measure(fitter, motion, each) for each in (False, True))
        errors.append((alone.error, together.error))
        assert together.acceleration < 0.5 * alone.acceleration
        assert together.seconds < alone.seconds
    before, after = np.mean(errors, axis=0)
    assert after < 0.97 * before
