# SPDX-License-Identifier: Apache-2.0
"""`bitpose bench`: times of whole runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bitpose.cli.console import Isa, Report, Threads, console
from bitpose.cli.machine import describe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitpose.session import NodeArg

Feed = dict[str, "NDArray[Any]"]


def bench(
    models: Annotated[
        list[Path], typer.Argument(help=".onnx or .bpm files.", exists=True, dir_okay=False)
    ],
    runs: Annotated[int, typer.Option(help="Timed runs.", min=1)] = 50,
    warmup: Annotated[int, typer.Option(help="Runs before.", min=0)] = 5,
    onnxruntime: Annotated[
        bool, typer.Option("--onnxruntime", help="Run onnxruntime in turn with bitpose.")
    ] = False,
    threads: Threads = 1,
    isa: Isa = None,
) -> None:
    """Time networks: median, 10th and 90th percentile of a run in milliseconds."""
    import bitpose

    console.print(describe(threads, isa))
    report = Report(
        f"milliseconds per run, {runs} runs",
        "model", "engine", "median", "p10", "p90", "bitpose is", text=2,
    )  # fmt: skip
    for path in models:
        session = bitpose.InferenceSession(path, threads=threads, isa=isa)
        feed = random_feed(session.get_inputs())
        engines: dict[str, Callable[[], object]] = {"bitpose": partial(session.run, None, feed)}
        if onnxruntime and path.suffix == ".onnx":
            engines["onnxruntime"] = _onnxruntime(path, feed, threads)
        times = interleaved(list(engines.values()), runs, warmup)
        ours = _percentiles(times[0])[0]
        for engine, seconds in zip(engines, times, strict=True):
            figures = _percentiles(seconds)
            ratio = "" if engine == "bitpose" else f"{figures[0] / ours:.2f}x as fast"
            report.add_row(path.name, engine, *(f"{1e3 * v:.2f}" for v in figures), ratio)
    console.print(report)


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


def random_feed(inputs: Sequence[NodeArg], seed: int = 0) -> Feed:
    """Inputs of the right shapes: uniform codes, floats in [0, 1)."""
    import numpy as np

    random = np.random.Generator(np.random.PCG64(seed))
    feed: Feed = {}
    for x in inputs:
        if x.dtype.kind == "f":
            feed[x.name] = random.random(x.extents, np.float32)
        elif x.dtype.kind == "b":
            feed[x.name] = random.random(x.extents) < 0.5
        else:
            limits = np.iinfo(x.dtype)
            feed[x.name] = random.integers(
                limits.min, limits.max, x.extents, x.dtype, endpoint=True
            )
    return feed


def _percentiles(seconds: Sequence[float]) -> list[float]:
    import numpy as np

    return [float(v) for v in np.percentile(seconds, [50, 10, 90])]


def _onnxruntime(path: Path, feed: Feed, threads: int) -> Callable[[], object]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return partial(session.run, None, feed)
