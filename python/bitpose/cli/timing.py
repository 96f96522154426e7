# SPDX-License-Identifier: Apache-2.0
"""Times that can be compared: calls take turns, and a figure stands beside its spread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Median, 10th and 90th percentile of seconds."""

    median: float
    p10: float
    p90: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        import numpy as np

        return cls(*(float(v) for v in np.percentile(seconds, [50, 10, 90])))

    @property
    def milliseconds(self) -> tuple[float, float, float]:
        return 1e3 * self.median, 1e3 * self.p10, 1e3 * self.p90


def interleaved(calls: Sequence[Callable[[], object]], runs: int, warmup: int) -> list[list[float]]:
    """Seconds of each call, run in turn so that all see the same machine."""
    for _ in range(warmup):
        for call in calls:
            call()
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(runs):
        for call, seconds in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
    return times
