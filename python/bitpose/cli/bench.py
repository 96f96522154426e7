# SPDX-License-Identifier: Apache-2.0
"""`bitpose bench`: times of networks, of their operators and of single kernels."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bitpose.cli.bench_kernels import bench_kernels
from bitpose.cli.console import Isa, NetworkName, Report, Threads, console, networks_of
from bitpose.cli.feeds import Feed, random_feed
from bitpose.cli.machine import describe
from bitpose.cli.timing import Spread, interleaved
from bitpose.errors import InputError

if TYPE_CHECKING:
    from bitpose._core import OperatorProfile
    from bitpose.session import InferenceSession


def bench(
    models: Annotated[
        list[Path] | None,
        typer.Argument(help=".onnx or .bpm files; several run in turn.", exists=True),
    ] = None,
    runs: Annotated[int, typer.Option(help="Timed runs of each.", min=1)] = 50,
    warmup: Annotated[int, typer.Option(help="Runs before.", min=0)] = 5,
    layers: Annotated[
        int, typer.Option(help="How many operators to list, the slowest first.", min=0)
    ] = 12,
    onnxruntime: Annotated[
        bool, typer.Option("--onnxruntime", help="Run onnxruntime in turn with bitpose.")
    ] = False,
    kernels: Annotated[
        bool, typer.Option("--kernels", help="Time the kernels of this CPU, not networks.")
    ] = False,
    kernel_filter: Annotated[
        str, typer.Option("--filter", help="With --kernels: those whose name contains this.")
    ] = "",
    samples: Annotated[int, typer.Option(help="With --kernels: of each kernel.", min=1)] = 15,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures to this file as well.")
    ] = None,
    network: NetworkName = None,
    threads: Threads = 1,
    isa: Isa = None,
) -> None:
    """Time networks, their operators, or every kernel.

    All calls of a network take turns, so that ratios hold on a busy machine too; the spread
    between the 10th and the 90th percentile says how busy it was.
    """
    if kernels == bool(models):
        raise InputError("bench takes either networks or --kernels")
    if kernels and network is not None:
        raise InputError("--network picks one from a file: it goes with networks")
    if kernel_filter and not kernels:
        raise InputError("--filter picks kernels: it goes with --kernels")
    console.print(describe(1 if kernels else threads, isa))
    figures: dict[str, Any] = {"machine": describe(threads, isa), "threads": threads}
    if kernels:
        figures["kernels"] = bench_kernels(kernel_filter, samples, isa)
    else:
        contestants = [
            contestant
            for path, name in zip(models or [], networks_of(models or [], network), strict=True)
            for contestant in _contestants(path, name, onnxruntime, threads, isa)
        ]
        figures["models"] = _bench_models(contestants, runs, warmup, layers)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        console.print(f"wrote {json_file}")


@dataclass(frozen=True)
class _Contestant:
    name: str
    engine: str
    run: Callable[[], object]
    session: InferenceSession | None
    feed: Feed


def _contestants(
    path: Path, network: str | None, beside_onnxruntime: bool, threads: int, isa: str | None
) -> list[_Contestant]:
    import bitpose

    session = bitpose.InferenceSession(path, network=network, threads=threads, isa=isa)
    name = path.name if network is None else f"{path.name}: {network}"
    feed = random_feed(session.get_inputs())
    found = [_Contestant(name, "bitpose", partial(session.run, None, feed), session, feed)]
    if beside_onnxruntime and path.suffix == ".onnx":
        found.append(
            _Contestant(name, "onnxruntime", _onnxruntime(path, feed, threads), None, feed)
        )
    return found


def _onnxruntime(path: Path, feed: Feed, threads: int) -> Callable[[], object]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return partial(session.run, None, feed)


def _bench_models(
    contestants: Sequence[_Contestant], runs: int, warmup: int, layers: int
) -> list[dict[str, Any]]:
    times = interleaved([c.run for c in contestants], runs, warmup)
    spreads = [Spread.of(seconds) for seconds in times]
    report = Report(
        f"milliseconds per run, {runs} runs",
        "model", "engine", "median", "p10", "p90", "of the first", text=2,
    )  # fmt: skip
    figures: list[dict[str, Any]] = []
    for contestant, spread in zip(contestants, spreads, strict=True):
        ratio = spread.median / spreads[0].median
        cells = (f"{ms:.3f}" for ms in spread.milliseconds)
        report.add_row(contestant.name, contestant.engine, *cells, f"{ratio:.2f}x")
        keys = ("median_ms", "p10_ms", "p90_ms")
        figures.append(
            {"model": contestant.name, "engine": contestant.engine}
            | dict(zip(keys, spread.milliseconds, strict=True))
        )
    console.print(report)
    for contestant, row in zip(contestants, figures, strict=True):
        if contestant.session is not None:
            row["layers"] = _bench_layers(contestant, contestant.session, runs, layers)
    return figures


def profiled(
    session: InferenceSession, feed: Feed, runs: int
) -> tuple[list[OperatorProfile], list[float]]:
    """The operators of a network and the median microseconds of each."""
    import numpy as np

    session.run(None, feed)
    profiles = [session.profile(feed) for _ in range(runs)]
    times = np.median([[row.microseconds for row in profile] for profile in profiles], axis=0)
    return profiles[0], [float(t) for t in times]


def rate(macs: int, microseconds: float) -> str:
    """GMAC/s, or nothing for an operator without products."""
    return f"{macs / max(microseconds, 1e-3) / 1e3:.1f}" if macs else ""


def _bench_layers(
    contestant: _Contestant, session: InferenceSession, runs: int, layers: int
) -> list[dict[str, Any]]:
    rows, microseconds = profiled(session, contestant.feed, runs)
    total = sum(microseconds)
    slowest = sorted(zip(rows, microseconds, strict=True), key=lambda pair: -pair[1])
    if layers:
        shown = min(layers, len(rows))
        report = Report(
            f"{contestant.name}: {shown} of {len(rows)} operators, the slowest first",
            "name", "operator", "kernel", "ms", "share", "GMAC/s", text=3,
        )  # fmt: skip
        for row, time in slowest[:shown]:
            report.add_row(
                row.name, row.type, row.kernel, f"{time / 1e3:.3f}",
                f"{100 * time / max(total, 1e-9):.1f}%", rate(row.macs, time),
            )  # fmt: skip
        rest = sum(time for _, time in slowest[shown:])
        if rest:
            share = f"{100 * rest / total:.1f}%"
            report.add_row("all others", "", "", f"{rest / 1e3:.3f}", share, "")
        macs = sum(row.macs for row in rows)
        report.add_row("sum", "", "", f"{total / 1e3:.3f}", "", rate(macs, total))
        console.print(report)
    return [
        {"name": row.name, "operator": row.type, "kernel": row.kernel, "ms": time / 1e3,
         "macs": row.macs, "bytes": row.bytes}
        for row, time in zip(rows, microseconds, strict=True)
    ]  # fmt: skip
