# SPDX-License-Identifier: Apache-2.0
"""`bitpose selftest`: are the bits right on this machine?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bitpose.cli.console import Report, console, digest
from bitpose.cli.feeds import random_feed
from bitpose.cli.machine import describe, instruction_sets


def selftest(
    models: Annotated[
        list[Path] | None,
        typer.Argument(help="Networks to run with every instruction set.", exists=True),
    ] = None,
    problems: Annotated[int, typer.Option(help="Random problems per kernel.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Of the first problem.", min=0)] = 1,
) -> None:
    """Compare every kernel with the portable one, and whole networks across instruction sets.

    Without models the demo network runs, in float and in 8 bits. Hashes of its outputs, printed on
    two machines, must be equal too.
    """
    console.print(describe(1, None))
    failures = _check_kernels(problems, seed)
    for name, model in _networks(models or []):
        failures += _check_model(name, model)
    if failures:
        console.print(f"[bold red]{failures} failed[/]")
        raise typer.Exit(1)
    console.print("[bold green]all bits agree[/]")


def _check_kernels(problems: int, seed: int) -> int:
    """Prints what was found as family x instruction set; returns the number of failures."""
    from bitpose import _core

    counts: dict[str, Counter[str]] = {}
    failures = []
    for family, kernel, isa, runs_here in _core.kernels():
        counts.setdefault(family, Counter())[isa] += runs_here
        if runs_here:
            found = (_core.compare_kernel(family, kernel, seed + i) for i in range(problems))
            difference = next((text for text in found if text), "")
            if difference:
                failures.append(f"{kernel}: {difference}")
    isas = list(dict.fromkeys(isa for row in counts.values() for isa in row))
    report = Report(f"kernels checked, {problems} random problems each", "family", *isas)
    for family, row in counts.items():
        report.add_row(family, *(str(row[isa] or "-") for isa in isas))
    console.print(report)
    for text in failures:
        console.print("[bold red]failed[/]", end=" ")
        console.print(text, markup=False)
    return len(failures)


def _networks(models: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """Compiled networks by name."""
    import bitpose
    from bitpose.cli.demo import demo_models

    if models:
        for path in models:
            compiled = path.suffix == ".bpm"
            yield str(path), (bitpose.load if compiled else bitpose.compile)(path).to_bytes()
        return
    for precision, model in demo_models().items():
        yield f"demo network, {precision}", model


def _check_model(name: str, model: bytes) -> int:
    """Runs each network on random inputs by every instruction set; counts where hashes differ."""
    import bitpose

    networks = bitpose.ModelFile(model).networks
    titles = [name] if len(networks) == 1 else [f"{name}: {network}" for network in networks]
    return sum(
        _check_network(title, model, network)
        for title, network in zip(titles, networks, strict=True)
    )


def _check_network(title: str, model: bytes, network: str) -> int:
    """1 where hashes differ, else 0."""
    import bitpose

    report = Report(title, "instruction set", "threads", "sha256 of the outputs", text=3)
    digests = set()
    for isa in instruction_sets():
        for threads in (1, 3):
            session = bitpose.InferenceSession(model, network=network, threads=threads, isa=isa)
            outputs = session.run(None, random_feed(session.get_inputs()))
            digests.add(digest(outputs))
            report.add_row(isa, str(threads), digest(outputs))
    console.print(report)
    return int(len(digests) != 1)
