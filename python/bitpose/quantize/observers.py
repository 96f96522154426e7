# SPDX-License-Identifier: Apache-2.0
"""Ranges of activations from what was seen of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
#: What is computed of the values before they matter; None for the values themselves.
Function = Callable[[Float], Float] | None

#: Steps of an 8-bit range.
_STEPS = 255
#: Shares of the range that was seen that are tried for an end.
_SHRINKS = np.arange(1, 65) / 64.0
_PERCENTILE = 0.9999


@dataclass(frozen=True)
class Range:
    """The least and the greatest value that codes stand for."""

    low: float
    high: float

    def with_zero(self) -> Range:
        """The range with 0 in it: padding and ReLU need a code for it."""
        return Range(min(self.low, 0.0), max(self.high, 0.0))


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of values in bins of equal width over [low, high]."""

    low: float
    high: float
    counts: NDArray[np.int64]

    @property
    def centres(self) -> Float:
        """The middle of each bin."""
        width = (self.high - self.low) / len(self.counts)
        return np.asarray(self.low + width * (np.arange(len(self.counts)) + 0.5), np.float64)


Observer = Callable[[Histogram, Function], Range]


def min_max(seen: Histogram, function: Function = None) -> Range:
    """All that was seen."""
    return Range(seen.low, seen.high)


def percentile(seen: Histogram, function: Function = None) -> Range:
    """Without the 0.01 % of values farthest out at each end."""
    total = np.cumsum(seen.counts)
    width = (seen.high - seen.low) / len(seen.counts)
    least = int(np.searchsorted(total, total[-1] * (1 - _PERCENTILE), side="right"))
    most = int(np.searchsorted(total, total[-1] * _PERCENTILE))
    return Range(seen.low + width * least, seen.low + width * (most + 1))


def mse(seen: Histogram, function: Function = None) -> Range:
    """The range with the least mean squared error.

    With a function it is the error of the function's values: a sigmoid forgives clipped tails.
    """
    return _least_error(seen, function, clipped=1.0)


def tails(seen: Histogram, function: Function = None) -> Range:
    """As `mse`, but the squared error of values outside the range counts four times.

    They are few, and errors of one sign: peaks, which detectors decide by, become lower.
    """
    return _least_error(seen, function, clipped=4.0)


def _least_error(seen: Histogram, function: Function, clipped: float) -> Range:
    error = _Error(seen, function, clipped)
    return _search(seen, error.of)


def _search(seen: Histogram, loss: Callable[[Range], float]) -> Range:
    """The best of 64 lower ends, and then of 64 upper ends, between 0 and what was seen."""
    full = Range(seen.low, seen.high).with_zero()
    lows = [Range(full.low * s, full.high) for s in _SHRINKS] if full.low < 0 else [full]
    best = _least(lows, loss)
    highs = [Range(best.low, full.high * s) for s in _SHRINKS] if full.high > 0 else [best]
    return _least(highs, loss)


def _least(candidates: list[Range], loss: Callable[[Range], float]) -> Range:
    losses = [loss(candidate) for candidate in candidates]
    # The widest of equal ones: what calibration has not seen may lie outside.
    return candidates[len(losses) - 1 - int(np.argmin(losses[::-1]))]


def noise(seen: Histogram, values: Range, function: Function = None) -> float:
    """The mean squared error of 8 bits over a range, summed bin by bin in order."""
    return _Error(seen, function).of(values)


class _Error:
    """`noise` for many ranges, where values outside a range have a weight of their own."""

    def __init__(self, seen: Histogram, function: Function, clipped: float = 1.0) -> None:
        some = seen.counts > 0
        self._x, self._counts = seen.centres[some], seen.counts[some]
        self._function, self._clipped = function, clipped
        self._wanted = self._x if function is None else function(self._x)
        self._total = max(1, int(seen.counts.sum()))
        # Within a bin values are spread evenly, so that a fine step does not look exact.
        width = (seen.high - seen.low) / len(seen.counts)
        self._inside = width**2 / 12 if function is None else 0.0

    def of(self, values: Range) -> float:
        codes, reals = _rounded(self._x, values)
        got = reals if self._function is None else self._function(reals)
        error = got[codes] - self._wanted
        outside = (self._x < reals[0]) | (self._x > reals[-1])
        weights = self._counts * np.where(outside, self._clipped, 1.0)
        sums = np.cumsum(weights * (error * error + self._inside))
        return float(sums[-1]) / self._total if sums.size else 0.0


def quantized(x: Float, values: Range) -> Float:
    """x rounded to the nearest of 256 codes over a range with 0 in it."""
    codes, reals = _rounded(x, values)
    return reals[codes]


def _rounded(x: Float, values: Range) -> tuple[NDArray[np.int64], Float]:
    """The code of each x, from 0 on, and what each code stands for."""
    values = values.with_zero()
    scale = (values.high - values.low) / _STEPS or 1.0
    zero = np.rint(-values.low / scale)
    codes = np.clip(np.rint(x / scale) + zero, 0, _STEPS).astype(np.int64)
    return codes, np.asarray((np.arange(_STEPS + 1) - zero) * scale)


def entropy(seen: Histogram, function: Function = None) -> Range:
    """The range whose 256 codes lose the least information: the Kullback-Leibler divergence from
    the distribution that was seen to the quantized one (Migacz, 8-bit inference with TensorRT,
    2017).
    """
    return _search(seen, lambda values: _divergence(seen, values))


def _divergence(seen: Histogram, values: Range) -> float:
    from bitpose.ir import elementary

    x = np.clip(seen.centres, values.low, values.high)
    scale = (values.high - values.low) / _STEPS or 1.0
    code = np.rint((x - values.low) / scale).astype(np.int64)
    inside = (seen.centres >= values.low) & (seen.centres <= values.high)
    p = np.bincount(_bins(seen, x), seen.counts, len(seen.counts))
    kept = np.where(inside, seen.counts, 0)
    mass = np.bincount(code, kept, _STEPS + 1)
    members = np.bincount(code, (kept > 0).astype(np.float64), _STEPS + 1)
    q = np.where(kept > 0, (mass / np.maximum(members, 1))[code], 0.0)
    both = (p > 0) & (q > 0)
    missing = float(np.cumsum(np.where((p > 0) & (q == 0), p, 0.0))[-1])
    p_share, q_share = p[both] / p.sum(), q[both] / max(q.sum(), 1.0)
    terms = p_share * (elementary.log(p_share) - elementary.log(q_share))
    if not terms.size:
        return np.inf
    return float(np.cumsum(terms)[-1]) + missing / max(float(p.sum()), 1.0)


def _bins(seen: Histogram, x: Float) -> NDArray[np.int64]:
    width = (seen.high - seen.low) / len(seen.counts) or 1.0
    return np.clip((x - seen.low) / width, 0, len(seen.counts) - 1).astype(np.int64)


OBSERVERS: Mapping[str, Observer] = {
    "minmax": min_max,
    "percentile": percentile,
    "mse": mse,
    "tails": tails,
    "entropy": entropy,
}
