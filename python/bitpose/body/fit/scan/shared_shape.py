# SPDX-License-Identifier: Apache-2.0
"""Levenberg-Marquardt on the poses of several frames and the one shape that they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.solve import Quadratic

Array = NDArray[Any]

_FIRST_DAMPING, _LARGEST_DAMPING = 1e-2, 1e4


def minimize(
    energy: Callable[[Guesses], Quadratic],
    guesses: Guesses,
    free: NDArray[np.intp],
    rounds: int,
    tolerance: float = 0.05,
) -> tuple[Guesses, Quadratic]:
    """Guesses [F] of a lower sum of energies, moved in the parameters `free` of a step only, of
    which those of the shape move all frames alike; and the energy there.

    It ends after `rounds`, or when a round lowers the sum by less than `tolerance` a frame.
    """
    at = energy(guesses)
    damping = _FIRST_DAMPING
    for _ in range(rounds):
        moved = guesses.moved(_damped_steps(at, guesses, free, damping))
        there = energy(moved)
        gain = float(at.energy.sum() - there.energy.sum())
        if gain > 0:
            guesses, at, damping = moved, there, damping / 5
            if gain < tolerance * len(guesses):
                break
        else:
            damping *= 8
            if damping > _LARGEST_DAMPING:
                break
    return guesses, at


def _damped_steps(at: Quadratic, guesses: Guesses, free: NDArray[np.intp], damping: float) -> Array:
    """[F, P]. Poses are eliminated frame by frame, which leaves the betas (Schur complement)."""
    hessian = at.hessian.copy()
    diagonal = np.diagonal(hessian, axis1=1, axis2=2)
    index = np.arange(hessian.shape[1])
    extra = damping * diagonal + 1e-9 * diagonal.max(axis=1, keepdims=True)
    hessian[:, index, index] += extra
    of_shape = np.isin(free, index[guesses.layout.shape])
    pose, shape = free[~of_shape], free[of_shape]
    mixed = hessian[:, pose[:, None], shape]
    right = np.concatenate([mixed, at.gradient[:, pose, None]], axis=2)
    solved = np.linalg.solve(hessian[:, pose[:, None], pose], right)
    reduced = right[..., :-1].swapaxes(1, 2) @ solved  # [F, B, B + 1]
    steps = np.zeros_like(at.gradient)
    left = hessian[:, shape[:, None], shape].sum(axis=0) - reduced[..., :-1].sum(axis=0)
    pull = at.gradient[:, shape].sum(axis=0) - reduced[..., -1].sum(axis=0)
    by_shape = -np.linalg.solve(left, pull)
    steps[:, shape] = by_shape
    steps[:, pose] = -(solved[..., -1] + solved[..., :-1] @ by_shape)
    return steps
