# SPDX-License-Identifier: Apache-2.0
"""`bitpose inspect`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bitpose.cli.bench import profiled, rate
from bitpose.cli.console import Isa, ModelPath, Report, Threads, console, size
from bitpose.cli.feeds import random_feed
from bitpose.cli.machine import describe
from bitpose.cli.memory_picture import draw_memory

if TYPE_CHECKING:
    from bitpose._core import OperatorProfile
    from bitpose.session import InferenceSession


def inspect(
    model: ModelPath,
    runs: Annotated[int, typer.Option(help="Profiled runs; times are medians.", min=1)] = 5,
    summary: Annotated[
        bool, typer.Option("--summary", help="Kinds of operators, not every one.")
    ] = False,
    memory: Annotated[
        Path | None, typer.Option(help="Write a picture of the memory plan, SVG.")
    ] = None,
    threads: Threads = 1,
    isa: Isa = None,
) -> None:
    """Show a network's inputs and outputs, operators with their kernels and times, and memory."""
    import bitpose

    session = bitpose.InferenceSession(model, threads=threads, isa=isa)
    console.print(describe(threads, isa))
    signature = Report(str(model), "", "name", "type", text=3)
    for kind, nodes in (("input", session.get_inputs()), ("output", session.get_outputs())):
        for node in nodes:
            signature.add_row(kind, node.name, str(node))
    console.print(signature)
    rows, microseconds = profiled(session, random_feed(session.get_inputs()), runs)
    if summary:
        _print_kinds(rows, microseconds)
    else:
        _print_operators(rows, microseconds)
    macs = sum(row.macs for row in rows)
    total = sum(microseconds)
    console.print(
        f"{len(rows)} operators, {macs / 1e6:.1f} MMAC, {total / 1e3:.2f} ms, "
        f"{macs / max(total, 1e-9) / 1e3:.1f} GMAC/s"
    )
    print_memory(session, model.stat().st_size)
    if memory is not None:
        picture = draw_memory(session.memory_plan(), session.arena_bytes, f"Memory of {model.name}")
        memory.write_text(picture, "utf-8")
        console.print(f"wrote {memory}")


def print_memory(session: InferenceSession, file_bytes: int) -> None:
    report = Report("memory", "", "size")
    report.add_row("file", size(file_bytes))
    report.add_row("packed weights", size(session.packed_bytes))
    report.add_row("arena", size(session.arena_bytes))
    report.add_row("arena, lower bound", size(session.arena_lower_bound))
    report.add_row("scratch", size(session.scratch_bytes))
    console.print(report)


def _print_operators(rows: Sequence[OperatorProfile], microseconds: Sequence[float]) -> None:
    report = Report("operators", "name", "operator", "kernel", "MMAC", "us", "GMAC/s", text=3)
    for row, time in zip(rows, microseconds, strict=True):
        macs = f"{row.macs / 1e6:.2f}" if row.macs else ""
        report.add_row(row.name, row.type, row.kernel, macs, f"{time:.1f}", rate(row.macs, time))
    console.print(report)


def _print_kinds(rows: Sequence[OperatorProfile], microseconds: Sequence[float]) -> None:
    count = Counter(row.type for row in rows)
    time: Counter[str] = Counter()
    macs: Counter[str] = Counter()
    for row, t in zip(rows, microseconds, strict=True):
        time[row.type] += t  # type: ignore[assignment]
        macs[row.type] += row.macs
    report = Report("kinds of operators", "operator", "count", "MMAC", "us")
    for kind, t in time.most_common():
        report.add_row(kind, str(count[kind]), f"{macs[kind] / 1e6:.2f}", f"{t:.1f}")
    console.print(report)
