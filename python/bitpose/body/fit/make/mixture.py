# SPDX-License-Identifier: Apache-2.0
"""A mixture of normal distributions, fitted by expectation and maximization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_ROUNDS = 15
#: The smallest standard deviation of an angle, in radians: a prior that is surer of a hand than
#: markers can be would bend other joints for it.
_FLOOR = 0.04
#: How much the covariance of all data counts for in each component's, as a share of all frames.
_SHRINKAGE = 0.05


@dataclass(frozen=True, eq=False)
class Mixture:
    """K normal distributions in D dimensions."""

    weights: Array
    """[K], which add up to 1."""
    means: Array
    """[K, D]."""
    covariances: Array
    """[K, D, D]."""

    def log_densities(self, x: Array) -> Array:
        """[N, K]: of each component with its weight, at `x` [N, D]."""
        rows = []
        for weight, mean, covariance in zip(
            self.weights, self.means, self.covariances, strict=True
        ):
            factor = np.linalg.cholesky(covariance)
            z = np.linalg.solve(factor, (x - mean).T)
            log_det = np.log(np.diagonal(factor)).sum()
            rows.append(np.log(weight) - 0.5 * np.sum(z * z, axis=0) - log_det)
        return np.stack(rows, axis=1)


def fit(x: Array, weights: Array, components: int, seed: int) -> Mixture:
    """Of samples `x` [N, D] with weights [N] that add up to 1."""
    whole = _component(x, weights, np.zeros((x.shape[1], x.shape[1])))[2]
    nearest = _first_assignment(x, weights, components, seed)
    shares = np.eye(components)[nearest]
    mixture = _maximize(x, weights, shares, whole)
    for _ in range(_ROUNDS):
        log = mixture.log_densities(x)
        shares = np.exp(log - log.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        mixture = _maximize(x, weights, shares, whole)
    return mixture


def _maximize(x: Array, weights: Array, shares: Array, whole: Array) -> Mixture:
    parts = [_component(x, weights * share, whole) for share in shares.T]
    total = np.array([part[0] for part in parts])
    means, covariances = (np.stack([part[i] for part in parts]) for i in (1, 2))
    return Mixture(total / total.sum(), means, covariances)


def _component(x: Array, weights: Array, whole: Array) -> tuple[float, Array, Array]:
    """Total weight, mean and covariance; the latter drawn to `whole` and held above the floor."""
    total = float(weights.sum())
    mean = weights @ x / total
    centred = x - mean
    covariance = (centred * weights[:, None]).T @ centred + _SHRINKAGE * whole
    covariance = covariance / (total + _SHRINKAGE * bool(whole.any()))
    return total, mean, covariance + _FLOOR**2 * np.eye(x.shape[1])


def _first_assignment(x: Array, weights: Array, components: int, seed: int) -> NDArray[np.intp]:
    """[N]: the nearest of centres that are drawn far from each other, then moved by k-means."""
    rng = np.random.default_rng(seed)
    centres = x[rng.choice(len(x), 1, p=weights)]
    for _ in range(components - 1):
        far = weights * np.min(_distances(x, centres), axis=1)
        centres = np.concatenate([centres, x[rng.choice(len(x), 1, p=far / far.sum())]])
    for _ in range(_ROUNDS):
        nearest = np.argmin(_distances(x, centres), axis=1)
        centres = np.stack(
            [np.average(x[nearest == k], 0, weights[nearest == k]) for k in range(components)]
        )
    return np.asarray(nearest)


def _distances(x: Array, centres: Array) -> Array:
    """[N, K] squared."""
    squares = np.sum(x * x, 1)[:, None] - 2 * x @ centres.T + np.sum(centres * centres, 1)
    return np.asarray(np.maximum(squares, 0))
