# SPDX-License-Identifier: Apache-2.0
"""The energy of a fit against finite differences, and the prior's own properties."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bitpose.body.charts import SurfacePoints
from bitpose.body.fit import DensePoints, Fitter, SpacePoints, View
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.prior import PosePrior
from bitpose.body.fit.problem import Problem
from bitpose.body.rotations import axis_angle_to_matrix

STEP = 1e-6


def random_problem(seed: int) -> tuple[Problem, Guesses]:
    """Two views of which one has no focal length but points of the surface, joints in space, and
    guesses off from all.
    """
    rng = np.random.default_rng(seed)
    pixels = rng.uniform(100, 400, (2, 17, 2))
    confidence = rng.uniform(0, 1, (2, 17)) * (rng.random((2, 17)) < 0.8)
    turned = axis_angle_to_matrix(rng.normal(0, 0.1, 3))
    surface = SurfacePoints(rng.integers(0, 9000, 9), rng.dirichlet(np.ones(3), 9))
    dense = DensePoints(surface, rng.uniform(100, 400, (9, 2)), rng.random(9), rng.uniform(1, 9, 9))
    views = [
        View(pixels[0], confidence[0], (256, 256), dense=dense),
        View(pixels[1], confidence[1], (250, 256), 700.0, 5.0, turned, (0.1, 0, 0.3)),
    ]
    space = SpacePoints(rng.normal((0, 0, 4), 0.5, (24, 3)), rng.uniform(0, 1, 24), 0.2)
    fitter = Fitter()
    problem = fitter.problem(views, space)
    guesses = fitter.first_guesses(problem)
    at = guesses.layout
    steps = rng.normal(0, 0.2, (len(guesses), at.size))
    steps[:, at.body] *= 4  # Some beyond their limits.
    return problem, guesses.moved(steps).of(np.arange(2))


@pytest.mark.parametrize("seed", [0, 1])
def test_gradient(seed: int) -> None:
    problem, guesses = random_problem(seed)
    gradient = problem.energy(guesses, 0.02).gradient
    for parameter in range(guesses.layout.size):
        steps = np.zeros_like(gradient)
        steps[:, parameter] = STEP
        ahead = problem.energy(guesses.moved(steps), 0.02).energy
        behind = problem.energy(guesses.moved(-steps), 0.02).energy
        numeric = (ahead - behind) / (2 * STEP)
        scale = 1 + np.abs(gradient).max()
        np.testing.assert_allclose(gradient[:, parameter], numeric, atol=1e-6 * scale)


def test_curvature_is_positive() -> None:
    problem, guesses = random_problem(2)
    hessian = problem.energy(guesses, 0).hessian
    np.testing.assert_allclose(hessian, np.swapaxes(hessian, 1, 2), rtol=1e-9, atol=1e-6)
    assert (np.linalg.eigvalsh(hessian) > -1e-6 * np.abs(hessian).max()).all()


def test_density_is_that_of_its_components() -> None:
    prior = PosePrior.load()
    density = prior.density(0.2)
    x = np.random.default_rng(5).normal(0, 0.3, (3, prior.means.shape[1]))
    covariances = prior.covariances.copy()
    up = np.arange(x.shape[1] - 3, x.shape[1])
    covariances[:, up, up] += 0.2**2
    total = np.full(len(x), -np.inf)
    for weight, mean, covariance in zip(prior.weights, prior.means, covariances, strict=True):
        away = x - mean
        exponent = -0.5 * np.sum(away * np.linalg.solve(covariance, away.T).T, axis=1)
        total = np.logaddexp(
            total,
            np.log(weight) + exponent - 0.5 * np.linalg.slogdet(covariance)[1],
        )
    np.testing.assert_allclose(density(x)[0], -total, rtol=1e-9)


def test_prior_holds_its_own_means_possible() -> None:
    prior = PosePrior.load()
    assert prior.weights.sum() == pytest.approx(1, abs=1e-12)
    assert (np.linalg.eigvalsh(prior.covariances) > 0).all()
    assert (prior.limits[0] < prior.limits[1]).all()
    energy, gradient, _ = prior.beyond_limits(prior.poses.reshape(len(prior.poses), -1))
    assert not energy.any()
    assert not gradient.any()
    outside = prior.limits[1] + 0.1
    assert prior.beyond_limits(outside[None])[0] > 0


def test_behind_the_camera_is_impossible() -> None:
    problem, guesses = random_problem(3)
    behind = replace(guesses, translation=guesses.translation - [0, 0, 100])
    assert np.isinf(problem.energy(behind, 0).energy).all()
