# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.networks`: whole networks beside other engines.

One process, one thread, all engines in turn on the same inputs; docs/benchmarks.md says how to read
the table.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

import bitpose
from bench.networks import peers, zoo
from bitpose.cli.console import Report, console
from bitpose.cli.feeds import random_feed
from bitpose.cli.machine import describe
from bitpose.cli.timing import Spread, interleaved
from bitpose.comparison import sqnr

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "bitpose-bench"
SHARED = Path(os.environ.get("BITPOSE_SHARED", "../shared")) / "models"


@dataclass(frozen=True)
class Network:
    name: str
    precision: str
    path: Path


def networks(names: str, directory: Path) -> Iterator[Network]:
    """Those of the zoo and of ../shared/models whose name contains one of `names`."""
    wanted = [name for name in names.split(",") if name]

    def chosen(name: str) -> bool:
        return not wanted or any(part in name for part in wanted)

    for name in filter(chosen, zoo.NETWORKS):
        for precision, path in zoo.written(name, directory).items():
            yield Network(name, precision, path)
    for path in sorted(SHARED.glob("*.onnx")):
        if chosen(path.stem):
            yield Network(path.stem, "int8" if _is_quantized(path) else "float", path)


def _is_quantized(path: Path) -> bool:
    import onnx

    model = onnx.load(path, load_external_data=False)
    kinds = {node.op_type for node in model.graph.node}
    return bool(kinds & {"QuantizeLinear", "QLinearConv", "BipolarQuant", "Quant"})


def agreement(ours: list[Any], theirs: list[Any]) -> float:
    """Decibels of the first output's signal over what another engine computes otherwise."""
    reference = np.asarray(ours[0], np.float64)
    other = np.asarray(theirs[0], np.float64)
    return sqnr(reference, other) if reference.shape == other.shape else float("nan")


def measure(network: Network, engines: list[str], seconds: float, fewest: int) -> dict[str, Any]:
    """The times of every engine that takes the network, and why others do not."""
    session = bitpose.InferenceSession(network.path, threads=1)
    feed = random_feed(session.get_inputs())
    calls: dict[str, peers.Call] = {"bitpose": lambda: list(session.run(None, feed))}
    refused = {}
    for engine in engines:
        try:
            call = peers.PEERS[engine](network.path, feed)
            call()
        except Exception as error:  # Whatever another engine raises.
            refused[engine] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        else:
            calls[engine] = call
    ours = calls["bitpose"]()
    agreements = {name: agreement(ours, calls[name]()) for name in calls if name != "bitpose"}
    once = sum(min(t) for t in interleaved(list(calls.values()), 2, 1))
    runs = max(fewest, min(400, int(seconds / once)))
    times = interleaved(list(calls.values()), runs, 2)
    return {
        "network": network.name,
        "precision": network.precision,
        "runs": runs,
        "milliseconds": {
            name: dict(zip(("median", "p10", "p90"), Spread.of(t).milliseconds, strict=True))
            for name, t in zip(calls, times, strict=True)
        },
        "agreement_db": agreements,
        "refused": refused,
    }


def print_table(rows: list[dict[str, Any]], engines: list[str]) -> None:
    report = Report(
        "milliseconds, one thread; what bitpose takes of each peer's time",
        "network", "", "bitpose", "p10", "p90",
        *(cell for engine in engines for cell in (engine, "ratio", "dB")), "of float", text=2,
    )  # fmt: skip
    floats = {
        row["network"]: row["milliseconds"]["bitpose"]["median"]
        for row in rows
        if row["precision"] == "float"
    }
    for row in rows:
        times = row["milliseconds"]
        ours = times["bitpose"]
        cells = [f"{ours[key]:.2f}" for key in ("median", "p10", "p90")]
        for engine in engines:
            if engine in times:
                ratio = ours["median"] / times[engine]["median"]
                decibels = row["agreement_db"][engine]
                cells += [f"{times[engine]['median']:.2f}", f"{ratio:.2f}", f"{decibels:.0f}"]
            else:
                cells += ["-", "", ""]
        own = floats.get(row["network"])
        int8 = row["precision"] == "int8"
        cells.append(f"{ours['median'] / own:.2f}" if own and int8 else "")
        report.add_row(row["network"], row["precision"], *cells)
    console.print(report)
    for row in rows:
        for engine, reason in row["refused"].items():
            console.print(f"{engine} does not run {row['network']}: {reason}", markup=False)


def main(
    names: Annotated[str, typer.Option("--filter", help="Parts of names, with commas.")] = "",
    engines: Annotated[str, typer.Option("--peers", help="With commas; default: all here.")] = "",
    seconds: Annotated[float, typer.Option(help="For each network.", min=0)] = 6.0,
    fewest: Annotated[int, typer.Option("--runs", help="Never fewer than these.", min=1)] = 15,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write figures here.")] = None,
    cache: Annotated[Path, typer.Option(help="Where made networks are kept.")] = CACHE,
) -> None:
    """Time networks on bitpose and its peers in turn."""
    chosen = [name for name in engines.split(",") if name] or peers.installed()
    machine = describe(1, None)
    console.print(machine)
    console.print(", ".join(f"{name} {version(name)}" for name in ("bitpose", *chosen)))
    rows = []
    for network in networks(names, cache):
        try:
            rows.append(measure(network, chosen, seconds, fewest))
        except bitpose.errors.BitposeError as error:
            first = str(error).splitlines()[0]
            console.print(f"bitpose does not run {network.name}: {first}", markup=False)
    if not rows:
        console.print("no network has such a name")
        raise typer.Exit(1)
    print_table(rows, chosen)
    if json_file is not None:
        figures = {"machine": machine, "load": os.getloadavg()[0], "networks": rows}
        json_file.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


typer.run(main)
