# SPDX-License-Identifier: Apache-2.0
"""Levenberg-Marquardt on several guesses at once, each with its own damping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.fit.parameters import Guesses

Array = NDArray[Any]

_FIRST_DAMPING = 1e-2
_LARGEST_DAMPING = 1e6


@dataclass(frozen=True, eq=False)
class Quadratic:
    """An energy near N guesses: E + g . step + step^T H step / 2, with H a Gauss-Newton one."""

    energy: Array
    """[N]; infinite where a guess is impossible."""
    gradient: Array
    """[N, P]."""
    hessian: Array
    """[N, P, P]."""

    def __add__(self, other: Quadratic) -> Quadratic:
        return Quadratic(
            self.energy + other.energy,
            self.gradient + other.gradient,
            self.hessian + other.hessian,
        )

    def times(self, factor: float) -> Quadratic:
        """All of it by a factor."""
        return Quadratic(factor * self.energy, factor * self.gradient, factor * self.hessian)

    def of(self, rows: NDArray[np.intp]) -> Quadratic:
        """At some of the guesses, by indices."""
        return Quadratic(self.energy[rows], self.gradient[rows], self.hessian[rows])

    def where(self, chosen: NDArray[np.bool_], other: Quadratic) -> Quadratic:
        """The `chosen` [N] of this, the rest of `other`."""
        return Quadratic(
            np.where(chosen, self.energy, other.energy),
            np.where(chosen[:, None], self.gradient, other.gradient),
            np.where(chosen[:, None, None], self.hessian, other.hessian),
        )


Energy = Callable[[Guesses], Quadratic]
#: An energy [N], its gradient [N, D], and its second derivative [N, D], which is diagonal.
Diagonal = tuple[Array, Array, Array]


def minimize(
    energy: Energy,
    guesses: Guesses,
    free: NDArray[np.intp],
    rounds: int,
    tolerance: float = 1e-3,
) -> tuple[Guesses, Quadratic]:
    """Guesses of lower energy, moved in the parameters `free` only, and the energy there.

    It ends after `rounds`, or when a round lowers no guess's energy by more than `tolerance`.
    """
    at = energy(guesses)
    damping = np.full(len(guesses), _FIRST_DAMPING)
    for _ in range(rounds):
        steps = np.zeros_like(at.gradient)
        steps[:, free] = _damped_steps(at, free, damping)
        moved = guesses.moved(steps)
        there = energy(moved)
        lower = there.energy < at.energy
        gain = np.subtract(at.energy, there.energy, out=np.zeros(len(guesses)), where=lower)
        guesses, at = moved.where(lower, guesses), there.where(lower, at)
        damping = np.where(lower, damping / 5, np.minimum(damping * 8, _LARGEST_DAMPING))
        settled = np.where(lower, gain < tolerance, damping > 1e3)
        if settled.all():
            break
    return guesses, at


def _damped_steps(at: Quadratic, free: NDArray[np.intp], damping: Array) -> Array:
    hessian = at.hessian[:, free[:, None], free]
    diagonal = np.diagonal(hessian, axis1=1, axis2=2)
    extra = damping[:, None] * diagonal + 1e-9 * diagonal.max(axis=1, keepdims=True)
    index = np.arange(len(free))
    hessian[:, index, index] += extra
    return -np.linalg.solve(hessian, at.gradient[:, free, None])[..., 0]
