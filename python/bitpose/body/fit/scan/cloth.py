# SPDX-License-Identifier: Apache-2.0
"""How probable it is to see a point so far outside of the body.

A scanned point is off the skin by as much as the clothes are, plus noise of either sign: s = d + n.
With d in [0, D], its density falling as exp(-d / t), and n normal of deviation r, that of s is

    p(s)  =  c exp(-s / t) (Phi(z) - Phi(z - D / r)),    z = s / r - r / t,

with the normal distribution function Phi. Minus its logarithm is nearly flat where cloth may be,
and a parabola on either side of that: steep inwards, where only noise can have put a point. This is
the one-sided objective. The outer parabola is cut off by a few points that are anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: How many of the points are neither skin nor clothes, a metre of distance.
_STRAY = 1e-3
_LOG_ROOT = 0.5 * float(np.log(2 * np.pi))


class Distance(Protocol):
    """Minus the log density of signed distances [N] in metres, positive outside."""

    def __call__(self, s: Array) -> tuple[Array, Array, Array]:
        """The energy [N], its derivative, and a curvature for Newton steps that is not negative."""
        ...


@dataclass(frozen=True)
class Bare:
    """Of skin: noise alone; what is off by many more than `cutoff` deviations no longer counts."""

    noise: float
    cutoff: float = 30.0

    def __call__(self, s: Array) -> tuple[Array, Array, Array]:
        """Geman-McClure."""
        r = s / self.noise
        share = self.cutoff**2 / (self.cutoff**2 + r * r)
        weight = share**2 / self.noise**2
        return 0.5 * share * r * r, weight * s, weight


@dataclass(frozen=True)
class Clothed:
    """Of what may be covered."""

    noise: float
    thickest: float
    """D: metres."""
    falloff: float = 0.1
    """t: metres."""

    def __call__(self, s: Array) -> tuple[Array, Array, Array]:
        noise, fall = self.noise, self.falloff
        inner = s / noise - noise / fall
        outer = inner - self.thickest / noise
        log_between = _log_between(outer, inner)
        whole = np.log(fall) + np.log1p(-np.exp(-self.thickest / fall))
        log_density = 0.5 * (noise / fall) ** 2 - s / fall + log_between - whole
        at_inner, at_outer = (
            np.exp(-0.5 * z * z - _LOG_ROOT - log_between) for z in (inner, outer)
        )
        rise = at_inner - at_outer
        curvature = (inner * at_inner - outer * at_outer + rise**2) / noise**2
        total = np.logaddexp(log_density, np.log(_STRAY))
        share = np.exp(log_density - total)
        return -total, share * (1 / fall - rise / noise), share * np.maximum(curvature, 0)


def _log_between(low: Array, high: Array) -> Array:
    """log(Phi(high) - Phi(low)), of the side on which both are small."""
    from scipy.special import log_ndtr

    swapped = low > 0
    low, high = np.where(swapped, -high, low), np.where(swapped, -low, high)
    least, most = log_ndtr(low), log_ndtr(high)
    return np.asarray(most + np.log1p(-np.exp(np.minimum(least - most, -1e-12))))
