# SPDX-License-Identifier: Apache-2.0
"""`bitpose bench --kernels`: the engine's own benchmark, which `bitpose-bench` runs on boards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from bitpose.cli.console import Report, console
from bitpose.errors import InputError

#: Length of a sample, long beside the clock's resolution and short beside a time slice.
_SAMPLE_SECONDS = 1e-3


def bench_kernels(kernel_filter: str, samples: int, isa: str | None) -> list[dict[str, Any]]:
    """Times kernels, prints a table for each family and returns the figures."""
    from bitpose import _core

    times = _core.time_kernels(kernel_filter, samples, _SAMPLE_SECONDS, isa)
    if not times:
        raise InputError(f"no kernel that runs here has {kernel_filter!r} in its name")
    for family, rows in groupby(times, key=lambda time: time["family"]):
        console.print(_family(family, list(rows)))
    return times


def _family(name: str, times: Sequence[Mapping[str, Any]]) -> Report:
    multiplies = any(time["macs"] for time in times)
    report = Report(
        name, "kernel", "shape", "us", "p10", "p90", "GMAC/s" if multiplies else "GB/s",
        "of portable", text=2,
    )  # fmt: skip
    for shape, rows in groupby(times, key=lambda time: time["shape"]):
        same_shape = list(rows)
        fastest = min(same_shape, key=lambda time: time["median_seconds"])
        for time in same_shape:
            median = time["median_seconds"]
            work = time["macs"] if multiplies else time["bytes"]
            seconds = (median, time["p10_seconds"], time["p90_seconds"])
            report.add_row(
                time["kernel"], shape, *(f"{1e6 * s:.2f}" for s in seconds),
                f"{work / median / 1e9:.1f}", f"{time['portable_seconds'] / median:.1f}x",
                style="bold" if time is fastest else None,
            )  # fmt: skip
    return report
