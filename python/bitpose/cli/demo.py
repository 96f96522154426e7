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

from bitpose.cli.bench import interleaved
from bitpose.cli.console import Isa, Report, Threads, console, digest, size
from bitpose.cli.inspect import profiled
from bitpose.cli.machine import describe

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

    from bitpose.session import InferenceSession


_CALIBRATION = 8


@dataclass(frozen=True, eq=False)
class Variant:
    """The demo network in one precision."""

    name: str
    onnx_bytes: bytes
    model_bytes: bytes
    session: InferenceSession


def demo(
    save: Annotated[
        Path | None, typer.Option(help="Directory for the .onnx and .bpm files.")
    ] = None,
    runs: Annotated[int, typer.Option(help="Timed runs.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Of the weights.", min=0)] = 0,
    threads: Threads = 1,
    isa: Isa = None,
) -> None:
    """Build a pose network, quantize it, run both, and compare time, memory and results.

    The weights are random numbers from a seed, not trained: the heatmaps mean nothing. Times,
    memory and the equality of bits are those of a real network of this shape.
    """
    from bitpose.pose.demo_network import synthetic_pictures

    console.print(describe(threads, isa))
    console.print("MobileNetV2-type pose network, [bold]untrained[/] weights from a seed")
    start = time.perf_counter()
    networks = demo_networks(seed)
    console.print(
        f"built, and calibrated on {_CALIBRATION} synthetic pictures, "
        f"in {time.perf_counter() - start:.1f} s"
    )
    variants = [_variant(name, network, threads, isa) for name, network in networks.items()]
    if save is not None:
        _save(variants, save)
    _print_groups(variants, runs)
    picture = synthetic_pictures(1, seed=99)
    heatmaps = [v.session.run(None, {"picture": picture})[0] for v in variants]
    _print_totals(variants, heatmaps, picture, runs)
    console.print(
        f"SQNR of the 8-bit heatmaps against float: {sqnr(heatmaps[0], heatmaps[1]):.1f} dB"
    )


def demo_networks(seed: int = 0) -> dict[str, onnx.ModelProto]:
    """The demo network by precision."""
    from bitpose.pose.demo_network import build_network, synthetic_pictures
    from bitpose.quantize.calibrate import calibrate
    from bitpose.quantize.qdq import quantize

    network = build_network(seed)
    feeds = [{"picture": picture[None]} for picture in synthetic_pictures(_CALIBRATION)]
    return {"float32": network, "int8": quantize(network, calibrate(network, feeds))}


def _variant(name: str, network: onnx.ModelProto, threads: int, isa: str | None) -> Variant:
    import bitpose

    onnx_bytes = network.SerializeToString()
    model_bytes = bitpose.compile(onnx_bytes).to_bytes()
    session = bitpose.InferenceSession(model_bytes, threads=threads, isa=isa)
    return Variant(name, onnx_bytes, model_bytes, session)


def _save(variants: Sequence[Variant], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for variant in variants:
        for suffix, data in (("onnx", variant.onnx_bytes), ("bpm", variant.model_bytes)):
            (directory / f"demo_{variant.name}.{suffix}").write_bytes(data)


def group(operator: str) -> str:
    """The part of the network that an operator belongs to: "stage3.block1.add" -> "stage3"."""
    return operator.partition(".")[0]


def _print_groups(variants: Sequence[Variant], runs: int) -> None:
    report = Report("milliseconds per part", "part", "MMAC", *(v.name for v in variants))
    times: dict[str, list[float]] = {}
    macs: dict[str, int] = {}
    for index, variant in enumerate(variants):
        rows, microseconds = profiled(variant.session, runs)
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
    report.add_row("ONNX file", *(size(len(v.onnx_bytes)) for v in variants))
    report.add_row("bpm file", *(size(len(v.model_bytes)) for v in variants))
    report.add_row("arena", *(size(v.session.arena_bytes) for v in variants))
    report.add_row("arena, lower bound", *(size(v.session.arena_lower_bound) for v in variants))
    report.add_row("packed weights", *(size(v.session.packed_bytes) for v in variants))
    files = [digest([np.frombuffer(v.model_bytes, np.uint8)]) for v in variants]
    report.add_row("sha256 of the bpm", *files)
    report.add_row("sha256 of the heatmaps", *(digest([h]) for h in heatmaps))
    console.print(report)


def sqnr(exact: NDArray[np.float32], got: NDArray[np.float32]) -> float:
    """Signal to quantization noise in decibels: 10 log10(sum exact^2 / sum (exact - got)^2)."""
    import numpy as np

    signal = np.square(exact, dtype=np.float64).sum()
    noise = np.square(exact.astype(np.float64) - got).sum()
    return float(10 * np.log10(signal / noise)) if noise > 0 else float("inf")
