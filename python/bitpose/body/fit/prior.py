# SPDX-License-Identifier: Apache-2.0
"""How people hold themselves: a mixture of normal distributions of the body's pose, jointly with
the direction of up in the pelvis's frame, because who bends or lies holds himself otherwise.

`pose_prior.npz` is a stored zip of integers; `bitpose.body.fit.make` derives it from motion capture
(CMU Graphics Lab, free for use in research and commercial projects). K components; D = 72: the
axis-angle vectors of all joints but the root, and the unit vector that points up.

    weights    [K]                uint16: add up to 65535
    means      [K, D]             int16 times 1e-4
    factors    [K, D (D + 1)/2]   int16 times factor_steps [K, D]: a step for each column of the
                                  Cholesky factor (rows of its lower triangle) of the covariance
    limits     [2, D-3]           int16 times 1e-4 radians: what joints do at most
    spread     [1]                uint16 times 1e-3: what standard deviations are multiplied by
    accelerations [D + 3]         uint16 times 1e-2: standard deviations, rad / s^2 of turns of the
                                  root and of the angles, m / s^2 of the translation
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.solve import Diagonal

Array = NDArray[Any]

ANGLE_STEP = 1e-4
WHOLE = 65535
SPREAD_STEP = 1e-3
ACCELERATION_STEP = 1e-2
#: Seconds between the frames in which accelerations were measured.
FRAME_SECONDS = 0.1
#: Standard deviation, in radians, of how far a joint may go beyond its limits.
_BEYOND = 0.05


@dataclass(frozen=True, eq=False)
class PosePrior:
    """The density of poses, and the limits of joints."""

    weights: Array
    """[K]."""
    means: Array
    """[K, D]."""
    covariances: Array
    """[K, D, D]."""
    limits: Array
    """[2, D - 3]: lowest and highest."""
    accelerations: Array
    """[D + 3]: standard deviations of those of the root's turns, the angles and the translation,
    from frames FRAME_SECONDS apart."""
    spread: float = 1.0
    """By how much the standard deviations of fitted joints turned out too small."""

    @classmethod
    def load(cls) -> PosePrior:
        """The one that comes with the package."""
        return _load()

    @classmethod
    def from_file(cls, arrays: dict[str, Array]) -> PosePrior:
        """Of the arrays in the file."""
        size = arrays["means"].shape[1]
        factors = np.zeros((len(arrays["means"]), size, size))
        rows, columns = np.tril_indices(size)
        factors[:, rows, columns] = arrays["factors"] * arrays["factor_steps"][:, columns]
        return cls(
            arrays["weights"] / WHOLE,
            arrays["means"] * ANGLE_STEP,
            factors @ np.swapaxes(factors, 1, 2),
            arrays["limits"] * ANGLE_STEP,
            arrays["accelerations"] * ACCELERATION_STEP,
            float(arrays["spread"][0]) * SPREAD_STEP,
        )

    @property
    def poses(self) -> Array:
        """[K + 1, J - 1, 3]: the mean of everything, then those of the components."""
        means = np.concatenate([self.weights @ self.means[None], self.means])
        return np.asarray(means[:, :-3].reshape(len(means), -1, 3))

    def density(self, tilt: float | None) -> Density:
        """Of the pose and up, where up is known to a standard deviation of `tilt` radians; of the
        pose alone for None.
        """
        return _density(self, tilt)

    def up_given(self, pose: Array, expected: Array, tilt: float) -> tuple[Array, Array]:
        """Where up is in the pelvis's frame, [3], and its covariance [3, 3], of a body in `pose`
        [D - 3], if it was expected at `expected` [3] to a standard deviation of `tilt` radians.
        """
        size = len(pose)
        joint = self.covariances + np.pad(tilt**2 * np.eye(3), (size, 0))  # With what was expected.
        seen = np.concatenate([pose, expected]) - self.means
        cross = self.covariances[:, size:]  # [K, 3, D]
        gain = cross @ np.linalg.inv(joint)
        means = self.means[:, size:] + (gain @ seen[..., None])[..., 0]
        within = self.covariances[:, size:, size:] - gain @ np.swapaxes(cross, 1, 2)
        pulls = np.linalg.solve(joint, seen[..., None])[..., 0]
        log = np.log(self.weights) - 0.5 * np.linalg.slogdet(joint)[1]
        log -= 0.5 * np.sum(seen * pulls, axis=1)
        shares = np.exp(log - log.max())
        shares /= shares.sum()
        mean = shares @ means
        apart = means - mean
        moment = within + apart[:, :, None] * apart[:, None]
        return mean, np.asarray(np.tensordot(shares, moment, 1))

    def beyond_limits(self, pose: Array) -> Diagonal:
        """The energy of what `pose` [N, D] goes beyond the limits."""
        low, high = self.limits
        over = pose - np.clip(pose, low, high)
        weight = 1 / _BEYOND**2
        return (
            0.5 * weight * np.sum(over * over, axis=1),
            weight * over,
            weight * (over != 0),
        )


@dataclass(frozen=True, eq=False)
class Density:
    """A mixture of normal distributions, ready to be evaluated."""

    log_weights: Array
    """[K]: of the weights and of what makes each component's integral 1."""
    means: Array
    """[K, D]."""
    precisions: Array
    """[K, D, D]: inverse covariances."""

    def __call__(self, x: Array) -> tuple[Array, Array, Array]:
        """Minus the log density at `x` [N, D], but for a constant: [N], its gradient [N, D], and a
        positive definite bound of its curvature [N, D, D].

        The bound is that of expectation and maximization: a mean of the components' precisions by
        how much each is responsible.
        """
        away = x[:, None] - self.means  # [N, K, D]
        pulls = (self.precisions @ away[..., None])[..., 0]
        log = self.log_weights - 0.5 * np.sum(away * pulls, axis=-1)
        highest = log.max(axis=1, keepdims=True)
        shares = np.exp(log - highest)
        total = shares.sum(axis=1, keepdims=True)
        shares = shares / total
        curvature = shares @ self.precisions.reshape(len(self.means), -1)
        return (
            -(highest + np.log(total))[:, 0],
            np.sum(shares[..., None] * pulls, axis=1),
            curvature.reshape(-1, *self.precisions.shape[1:]),
        )


@lru_cache(maxsize=8)
def _density(prior: PosePrior, tilt: float | None) -> Density:
    size = prior.means.shape[1] - (3 if tilt is None else 0)
    covariances = prior.covariances[:, :size, :size].copy()
    if tilt is not None:
        up = np.arange(size - 3, size)
        covariances[:, up, up] += tilt**2
    log_det = np.linalg.slogdet(covariances)[1]
    return Density(
        np.log(prior.weights) - 0.5 * log_det,
        prior.means[:, :size],
        np.linalg.inv(covariances),
    )


@cache
def _load() -> PosePrior:
    with (
        files("bitpose.body.fit").joinpath("pose_prior.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        return PosePrior.from_file(dict(archive))
