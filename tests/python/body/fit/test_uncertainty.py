# SPDX-License-Identifier: Apache-2.0
"""Covariances of joints, against what they are made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitpose.body.fit import Fitter
from bitpose.body.fit.make.cases import people
from bitpose.body.fit.prior import PosePrior
from bitpose.body.fit.solve import Quadratic
from bitpose.body.fit.uncertainty import joint_covariance
from tests.python.body.fit.test_energy import random_problem


def test_two_sharp_minima_are_as_unsure_as_they_are_apart() -> None:
    problem, guesses = random_problem(4)
    size = guesses.layout.size
    sharp = Quadratic(np.zeros(2), np.zeros((2, size)), np.tile(1e12 * np.eye(size), (2, 1, 1)))
    covariance = joint_covariance(problem.joints, guesses, sharp, np.arange(size))
    points = problem.joints.positions(guesses.posed(problem.joints.skeleton))
    apart = (points[1] - points[1, 0]) - (points[0] - points[0, 0])
    np.testing.assert_allclose(covariance, 0.5 * apart[:, :, None] * apart[:, None], atol=1e-9)


def test_spread_of_the_prior_scales_deviations() -> None:
    prior = PosePrior.load()
    pose = np.concatenate([np.zeros((1, 3)), prior.poses[1]])
    view = people(pose[None], seed=3)[0].view(2, np.random.default_rng(0))
    plain, wide = (Fitter(prior=replace(prior, spread=s)).fit([view]) for s in (1.0, 2.0))
    np.testing.assert_allclose(wide.covariance, 4 * plain.covariance, rtol=1e-12)
