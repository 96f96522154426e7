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

    @property
    def reach(self) -> NDArray[np.float64]:
        """The largest magnitude of each channel."""
        return np.maximum(-self.low, self.high)


class Calibration:
    """Runs a float graph on feeds and keeps statistics of some of its tensors."""

    def __init__(
        self,
        graph: Graph,
        names: Sequence[str],
        feeds: Sequence[Feed],
        progress: Progress = lambda share: None,
    ) -> None:
        """Raises InputError for no feeds, or a feed that does not fit the network."""
        if not feeds:
            raise InputError("calibration needs at least one input of the network")
        self._runner = Runner(graph, names)
        self._feeds = feeds
        self._progress = progress
        self._done = 0
        ranges = self._ranges()
        self._statistics = self._count(ranges)

    def __getitem__(self, name: str) -> Statistics:
        return self._statistics[name]

    @property
    def means(self) -> dict[str, NDArray[np.float64]]:
        """The mean of each channel of each tensor."""
        return {name: seen.mean for name, seen in self._statistics.items()}

    def _runs(self) -> Iterator[dict[str, Array]]:
        """The tensors for each feed; all feeds are run twice."""
        for feed in self._feeds:
            yield self._runner.run(feed)
            self._done += 1
            self._progress(self._done / (2 * len(self._feeds)))

    def _ranges(self) -> dict[str, tuple[Array, Array]]:
        ranges: dict[str, tuple[Array, Array]] = {}
        for values in self._runs():
            for name, value in values.items():
                rows = _by_channel(value)
                low, high = rows.min(axis=1), rows.max(axis=1)
                seen = ranges.get(name, (low, high))
                ranges[name] = np.minimum(seen[0], low), np.maximum(seen[1], high)
        return ranges

    def _count(self, ranges: Mapping[str, tuple[Array, Array]]) -> dict[str, Statistics]:
        counts = {name: np.zeros(_BINS, np.int64) for name in ranges}
        sums = {name: np.zeros(len(low), np.int64) for name, (low, _) in ranges.items()}
        sizes = dict.fromkeys(ranges, 0)
        units = {name: _unit(low, high) for name, (low, high) in ranges.items()}
        for values in self._runs():
            for name, value in values.items():
                rows = _sample(_by_channel(value)).astype(np.float64)
                low = float(ranges[name][0].min())
                width = (float(ranges[name][1].max()) - low) / _BINS or 1.0
                bins = np.clip((rows - low) / width, 0, _BINS - 1).astype(np.int64)
                counts[name] += np.bincount(bins.ravel(), minlength=_BINS)
                sums[name] += np.rint(rows / units[name]).astype(np.int64).sum(axis=1)
                sizes[name] += rows.shape[1]
        return {
            name: Statistics(
                Histogram(float(low.min()), float(high.max()), counts[name]),
                low.astype(np.float64),
                high.astype(np.float64),
                sums[name] * units[name] / sizes[name],
            )
            for name, (low, high) in ranges.items()
        }


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
