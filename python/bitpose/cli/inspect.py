# SPDX-License-Identifier: Apache-2.0
"""`bitpose inspect`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bitpose.cli.bench import profiled, rate
from bitpose.cli.console import Isa, ModelPath, NetworkName, Report, Threads, console, size
from bitpose.cli.feeds import random_feed
from bitpose.cli.machine import describe
from bitpose.cli.memory_picture import draw_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    network: NetworkName = None,
    threads: Threads = 1,
    isa: Isa = None,
) -> None:
    """Show what a file holds, and a network's operators with their kernels and times, and memory.

    Of a .bpm file: its networks with their inputs and outputs, licences and other metadata, assets.
    """
    import bitpose
    from bitpose.session import is_compiled

    session = bitpose.InferenceSession(model, network=network, threads=threads, isa=isa)
    console.print(describe(threads, isa))
    if is_compiled(model):
        _print_contents(model)
    else:
        _print_signature(str(model), session)
    rows, microseconds = profiled(session, random_feed(session.get_inputs()), runs)
    of = "" if network is None else f" of {network}"
    if summary:
        _print_kinds(f"kinds of operators{of}", rows, microseconds)
    else:
        _print_operators(f"operators{of}", rows, microseconds)
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


def _print_contents(model: Path) -> None:
    """Networks, metadata and assets of a .bpm file."""
    import bitpose

    file = bitpose.ModelFile(model)
    for name in file.networks:
        session = bitpose.InferenceSession(model, network=name)
        macs, weights = session.macs / 1e6, size(file.network(name).constant_bytes)
        _print_signature(f"network {name}: {macs:.1f} MMAC, {weights} of weights", session)
    licences = {key: text for key, text in file.metadata.items() if _is_licence(key)}
    others = {key: text for key, text in file.metadata.items() if key not in licences}
    _print_texts("licences", licences)
    _print_texts("metadata", others)
    if file.assets:
        report = Report("assets", "name", "size")
        for name, count in file.assets.items():
            report.add_row(name, size(count))
        console.print(report)


def _is_licence(key: str) -> bool:
    """ "licence" is of the file, "detector/licence" of a network or an asset."""
    return key.rpartition("/")[2] == "licence"


def _print_texts(title: str, texts: Mapping[str, str]) -> None:
    """The first line of each."""
    report = Report(title, "key", "text", text=2, wrapped=1)
    for key, text in texts.items():
        line, _, rest = text.partition("\n")
        report.add_row(key, line + " ..." if rest else line)
    if texts:
        console.print(report)


def _print_signature(title: str, session: InferenceSession) -> None:
    report = Report(title, "", "name", "type", text=3)
    for kind, nodes in (("input", session.get_inputs()), ("output", session.get_outputs())):
        for node in nodes:
            report.add_row(kind, node.name, str(node))
    console.print(report)


def print_memory(session: InferenceSession, file_bytes: int) -> None:
    report = Report("memory", "", "size")
    report.add_row("file", size(file_bytes))
    report.add_row("packed weights", size(session.packed_bytes))
    report.add_row("arena", size(session.arena_bytes))
    report.add_row("arena, lower bound", size(session.arena_lower_bound))
    report.add_row("scratch", size(session.scratch_bytes))
    console.print(report)


def _print_operators(
    title: str, rows: Sequence[OperatorProfile], microseconds: Sequence[float]
) -> None:
    report = Report(title, "name", "operator", "kernel", "MMAC", "us", "GMAC/s", text=3)
    for row, time in zip(rows, microseconds, strict=True):
        macs = f"{row.macs / 1e6:.2f}" if row.macs else ""
        report.add_row(row.name, row.type, row.kernel, macs, f"{time:.1f}", rate(row.macs, time))
    console.print(report)


def _print_kinds(
    title: str, rows: Sequence[OperatorProfile], microseconds: Sequence[float]
) -> None:
    count = Counter(row.type for row in rows)
    time: Counter[str] = Counter()
    macs: Counter[str] = Counter()
    for row, t in zip(rows, microseconds, strict=True):
        time[row.type] += t  # type: ignore[assignment]
        macs[row.type] += row.macs
    report = Report(title, "operator", "count", "MMAC", "us")
    for kind, t in time.most_common():
        report.add_row(kind, str(count[kind]), f"{macs[kind] / 1e6:.2f}", f"{t:.1f}")
    console.print(report)
