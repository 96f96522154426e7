# SPDX-License-Identifier: Apache-2.0
"""Guesses of one body as frames of a motion, and how likely their accelerations are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.prior import FRAME_SECONDS, PosePrior
from bitpose.body.fit.solve import Quadratic
from bitpose.body.rotations import axis_angle_to_matrix, matrix_to_axis_angle, right_jacobian

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Smoothness:
    """Of T frames."""

    energy: float
    gradient: Array
    """[T, 3 J + 3]: by turns and translations."""


@dataclass(frozen=True, eq=False)
class MotionPrior:
    """Velocities that change from frame to frame by independent, normally distributed amounts."""

    precision: Array
    """[3 J + 3]: of the second differences of turns and translations."""

    @classmethod
    def of(cls, prior: PosePrior, frames_per_second: float) -> MotionPrior:
        """As wide as in motion capture. Velocities wander (Wiener), so second differences vary by
        the third power of the time between frames.
        """
        seconds = 1 / frames_per_second
        variance = prior.accelerations**2 * FRAME_SECONDS * seconds**3
        return cls(1 / variance)

    def energy(self, path: Guesses) -> Smoothness:
        """Of a motion, a guess for each frame; with fewer than three there is none."""
        at = path.layout
        gradient = np.zeros((len(path), len(self.precision)))
        if len(path) < 3:
            return Smoothness(0.0, gradient)
        flat = np.concatenate([path.body_pose.reshape(len(path), -1), path.translation], axis=1)
        R = path.R_world_root
        turns = matrix_to_axis_angle(np.swapaxes(R[:-1], 1, 2) @ R[1:])
        velocity = np.concatenate([turns, np.diff(flat, axis=0)], axis=1)
        pulls = self.precision * np.diff(velocity, axis=0)
        by_velocity = np.zeros_like(velocity)
        by_velocity[1:] += pulls
        by_velocity[:-1] -= pulls
        gradient[1:] += by_velocity
        gradient[:-1] -= by_velocity
        # A turn w at the end of a turn v adds J(v)^-1 w to it, at its start -J(v)^-T w.
        inverse = np.linalg.inv(right_jacobian(turns))
        pulled = by_velocity[:, at.root, None]
        gradient[:, at.root] = 0
        gradient[1:, at.root] += (np.swapaxes(inverse, 1, 2) @ pulled)[..., 0]
        gradient[:-1, at.root] -= (inverse @ pulled)[..., 0]
        return Smoothness(float(0.5 * np.sum(pulls * np.diff(velocity, axis=0))), gradient)

    @staticmethod
    def bands(count: int, held: int) -> tuple[Array, Array, Array]:
        """Diagonals [count - held] of D^T D, where D takes second differences of `count` frames,
        behind the first `held`; of turns of the root to first order.
        """
        second = np.diff(np.eye(count), n=2, axis=0)
        square = (second.T @ second)[held:, held:]
        c0, c1, c2 = (np.diagonal(square, k) for k in range(3))
        return c0, np.append(c1, 0), np.append(c2, [0, 0])[: len(c0)]


def joined(parts: Sequence[Guesses]) -> Guesses:
    """All guesses one after another."""
    names = Guesses.__dataclass_fields__
    return Guesses(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def stacked(parts: Sequence[Quadratic]) -> Quadratic:
    """All energies one after another."""
    return Quadratic(
        np.concatenate([part.energy for part in parts]),
        np.concatenate([part.gradient for part in parts]),
        np.concatenate([part.hessian for part in parts]),
    )


def interpolated(keys: Guesses, frames: NDArray[np.intp], count: int) -> Guesses:
    """[count] frames between `keys`, which are at `frames`, sorted; constant before and behind."""
    at = np.clip(np.arange(count), frames[0], frames[-1])
    before = np.clip(np.searchsorted(frames, at, side="right") - 1, 0, max(len(frames) - 2, 0))
    after = np.minimum(before + 1, len(frames) - 1)
    share = (at - frames[before]) / np.maximum(frames[after] - frames[before], 1)
    first, second = keys.of(before), keys.of(after)
    turns = matrix_to_axis_angle(np.swapaxes(first.R_world_root, 1, 2) @ second.R_world_root)

    def between(a: Array, b: Array) -> Array:
        part = share.reshape(-1, *(1,) * (a.ndim - 1))
        return np.asarray((1 - part) * a + part * b)

    return Guesses(
        first.R_world_root @ axis_angle_to_matrix(share[:, None] * turns),
        between(first.body_pose, second.body_pose),
        between(first.translation, second.translation),
        between(first.betas, second.betas),
        between(first.log_focal, second.log_focal),
    )
