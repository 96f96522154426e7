# SPDX-License-Identifier: Apache-2.0
"""What the activations of a float network look like, from runs in the engine.

The engine's results have the same bits on every machine and so have these statistics: values are
counted, and sums are of integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.ir.graph import Graph
from bitpose.quantize.observers import Histogram

Array = NDArray[Any]
Feed = Mapping[str, Array]
#: Is told the share of the work that is done.
Progress = Callable[[float], None]

_BINS = 2048
#: Values of a tensor that are counted, of each feed.
_SAMPLE = 2**16
#: Results do not depend on how many there are.
_MOST_THREADS = 4
#: Bits behind the point of the fixed-point numbers whose sum is the mean of a channel.
_FRACTION = 24


@dataclass(frozen=True, eq=False)
class Statistics:
    """Of one tensor over all feeds; channels are those of axis 1 (axis 0 for rank 1)."""

    histogram: Histogram
    low: NDArray[np.float64]
    """The least value of each channel."""
    high: NDArray[np.float64]
    mean: NDArray[np.float64]


class Calibration:
    """Runs a float graph on feeds and keeps statistics of some of its tensors.

    `even` are those that the same tensors have in a graph in which the channels of some are
    enlarged: those that `factors` gives for the largest magnitude of each channel of each tensor.
    """

    def __init__(
        self,
        graph: Graph,
        names: Sequence[str],
        feeds: Sequence[Feed],
        progress: Progress = lambda share: None,
        factors: Callable[[Mapping[str, Array]], Mapping[str, Array]] = lambda reach: {},
    ) -> None:
        """Raises InputError for no feeds, or a feed that does not fit the network."""
        if not feeds:
            raise InputError("calibration needs at least one input of the network")
        self._runner = Runner(graph, names)
        self._feeds = feeds
        self._progress = progress
        self._done = 0
        extremes = self._extremes()
        self.factors = factors({x: np.maximum(-low, high) for x, (low, high) in extremes.items()})
        tallies = {name: _Tally(*ends) for name, ends in extremes.items()}
        enlarged = {x: _Tally(*(end * f for end in extremes[x])) for x, f in self.factors.items()}
        self._count(tallies, enlarged)
        self.plain = {name: tally.statistics() for name, tally in tallies.items()}
        self.even = {**self.plain, **{name: t.statistics() for name, t in enlarged.items()}}

    def _runs(self) -> Iterator[dict[str, Array]]:
        """The tensors for each feed; all feeds are run twice."""
        for feed in self._feeds:
            yield self._runner.run(feed)
            self._done += 1
            self._progress(self._done / (2 * len(self._feeds)))

    def _extremes(self) -> dict[str, tuple[Array, Array]]:
        """The least and the greatest value of each channel."""
        extremes: dict[str, tuple[Array, Array]] = {}
        for values in self._runs():
            for name, value in values.items():
                rows = _by_channel(value)
                low, high = (x.astype(np.float64) for x in (rows.min(axis=1), rows.max(axis=1)))
                seen = extremes.get(name, (low, high))
                extremes[name] = np.minimum(seen[0], low), np.maximum(seen[1], high)
        return extremes

    def _count(self, tallies: Mapping[str, _Tally], enlarged: Mapping[str, _Tally]) -> None:
        for values in self._runs():
            for name, value in values.items():
                rows = _sample(_by_channel(value)).astype(np.float64)
                tallies[name].add(rows)
                if name in enlarged:
                    enlarged[name].add(rows * self.factors[name][:, None])


class _Tally:
    """Counts the values of a tensor whose extremes are known."""

    def __init__(self, low: Array, high: Array) -> None:
        """Those of each channel."""
        self._low, self._high = low, high
        self._first = float(low.min())
        self._width = (float(high.max()) - self._first) / _BINS or 1.0
        self._counts = np.zeros(_BINS, np.int64)
        self._unit = _unit(low, high)
        self._sums = np.zeros(len(low), np.int64)
        self._size = 0

    def add(self, rows: Array) -> None:
        """Values [C, n]."""
        bins = np.clip((rows - self._first) / self._width, 0, _BINS - 1).astype(np.int64)
        self._counts += np.bincount(bins.ravel(), minlength=_BINS)
        self._sums += np.rint(rows / self._unit).astype(np.int64).sum(axis=1)
        self._size += rows.shape[1]

    def statistics(self) -> Statistics:
        """Of all that was added."""
        return Statistics(
            Histogram(self._first, float(self._high.max()), self._counts),
            self._low,
            self._high,
            self._sums * self._unit / self._size,
        )


def _unit(low: Array, high: Array) -> float:
    """A power of two in which 2^24 is more than every value."""
    most = float(max(abs(low.min()), abs(high.max())))
    return float(np.ldexp(1.0, int(np.frexp(most or 1.0)[1]) - _FRACTION))


def _by_channel(value: Array) -> Array:
    """[C, values]: axis 1 first, axis 0 of vectors."""
    if value.ndim < 2:
        return value.reshape(-1, 1)
    return np.moveaxis(value, 1, 0).reshape(value.shape[1], -1)


def _sample(rows: Array) -> Array:
    """Every so many of the values of each channel, where there are many."""
    # An odd step meets every column of pictures whose width is a power of two.
    return rows[:, :: (rows.size // _SAMPLE) | 1]


class Runner:
    """A graph that gives some of its inner tensors besides its outputs."""

    def __init__(self, graph: Graph, names: Iterable[str]) -> None:
        import os

        from bitpose._core import Session
        from bitpose.compiler import assemble
        from bitpose.passes import run_passes

        self._given = [name for name in names if name in graph.inputs]
        asked = [name for name in names if name not in graph.inputs]
        self._names = list(dict.fromkeys([*asked, *graph.outputs]))
        self._inputs = graph.inputs
        final = run_passes(graph.rebuilt(graph.nodes, outputs=tuple(self._names)))
        self._session = Session(assemble(final), threads=min(_MOST_THREADS, os.cpu_count() or 1))

    def run(self, feed: Feed) -> dict[str, Array]:
        """The tensors by name."""
        results = self._session.run([np.ascontiguousarray(feed[name]) for name in self._inputs])
        found = dict(zip(self._names, results, strict=True))
        found.update((name, np.asarray(feed[name])) for name in self._given)
        return found
