# SPDX-License-Identifier: Apache-2.0
"""`bitpose demo`: a network without any file, in float and in 8 bits."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bitpose.cli.bench import profiled
from bitpose.cli.console import Isa, Report, Threads, console, digest, size
from bitpose.cli.feeds import random_feed
from bitpose.cli.machine import describe
from bitpose.cli.timing import interleaved

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bitpose.session import InferenceSession


_CALIBRATION = 8


@dataclass(frozen=True, eq=False)
class Variant:
    """The demo network in one precision."""

    name: str
    model: bytes
    session: InferenceSession


def demo(
    save: Annotated[Path | None, typer.Option(help="Directory for the .bpm files.")] = None,
    runs: Annotated[int, typer.Option(help="Timed runs.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Of the weights.", min=0)] = 0,
    threads: Threads = 1,
    isa: Isa = None,
) -> None:
    """Build a pose network, quantize it, run both, and compare time, memory and results.

    The weights are random numbers from a seed, not trained: the heatmaps mean nothing. Times,
    memory and the equality of bits are those of a real network of this shape.
    """
    import bitpose
    from bitpose.comparison import sqnr
    from bitpose.pose.demo_network import synthetic_pictures

    console.print(describe(threads, isa))
    console.print("MobileNetV2-type pose network, [bold]untrained[/] weights from a seed")
    start = time.perf_counter()
    models = demo_models(seed)
    console.print(
        f"built, and calibrated on {_CALIBRATION} synthetic pictures, "
        f"in {time.perf_counter() - start:.1f} s"
    )
    variants = [
        Variant(name, model, bitpose.InferenceSession(model, threads=threads, isa=isa))
        for name, model in models.items()
    ]
    if save is not None:
        _save(variants, save)
    _print_groups(variants, runs)
    picture = synthetic_pictures(1, seed=99)
    heatmaps = [v.session.run(None, {"picture": picture})[0] for v in variants]
    _print_totals(variants, heatmaps, picture, runs)
    console.print(
        f"SQNR of the 8-bit heatmaps against float: {sqnr(heatmaps[0], heatmaps[1]):.1f} dB"
    )


def demo_models(seed: int = 0) -> dict[str, bytes]:
    """The demo network by precision, compiled."""
    import bitpose
    from bitpose.pose.demo_network import build_network, synthetic_pictures

    network = build_network(seed)
    feeds = [{"picture": picture[None]} for picture in synthetic_pictures(_CALIBRATION)]
    quantized = bitpose.compile(network, precision="int8", calibration=feeds)
    return {"float32": bitpose.compile(network).to_bytes(), "int8": quantized.to_bytes()}


def _save(variants: Sequence[Variant], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for variant in variants:
        (directory / f"demo_{variant.name}.bpm").write_bytes(variant.model)


def group(operator: str) -> str:
    """The part of the network that an operator belongs to: "stage3.block1.add" -> "stage3"."""
    return operator.partition(".")[0].partition("@")[0]


def _print_groups(variants: Sequence[Variant], runs: int) -> None:
    report = Report("milliseconds per part", "part", "MMAC", *(v.name for v in variants))
    times: dict[str, list[float]] = {}
    macs: dict[str, int] = {}
    for index, variant in enumerate(variants):
        rows, microseconds = profiled(
            variant.session, random_feed(variant.session.get_inputs()), runs
        )
        for row, t in zip(rows, microseconds, strict=True):
            part = group(row.name)
            times.setdefault(part, [0.0] * len(variants))[index] += t / 1e3
            macs[part] = macs.get(part, 0) + (row.macs if index == 0 else 0)
    for part, columns in times.items():
        report.add_row(part, f"{macs[part] / 1e6:.1f}", *(f"{t:.2f}" for t in columns))
    console.print(report)


def _print_totals(
    variants: Sequence[Variant],
    heatmaps: Sequence[NDArray[np.float32]],
    picture: NDArray[np.uint8],
    runs: int,
) -> None:
    import numpy as np

    calls = [partial(v.session.run, None, {"picture": picture}) for v in variants]
    times = interleaved(calls, runs, 2)
    report = Report("whole network", "", *(v.name for v in variants))
    report.add_row("ms per picture, median", *(f"{1e3 * np.median(t):.2f}" for t in times))
    report.add_row("ms per picture, least", *(f"{1e3 * min(t):.2f}" for t in times))
    report.add_row("bpm file", *(size(len(v.model)) for v in variants))
    report.add_row("arena", *(size(v.session.arena_bytes) for v in variants))
    report.add_row("arena, lower bound", *(size(v.session.arena_lower_bound) for v in variants))
    report.add_row("packed weights", *(size(v.session.packed_bytes) for v in variants))
    files = [digest([np.frombuffer(v.model, np.uint8)]) for v in variants]
    report.add_row("sha256 of the bpm", *files)
    report.add_row("sha256 of the heatmaps", *(digest([h]) for h in heatmaps))
    console.print(report)
