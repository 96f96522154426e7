# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.people SCENES --network crop.bpm --detector boxes.bpm`: people that networks of
bitpose.train find in made-up pictures that they have not learnt from.

SCENES is a folder of `python -m bitpose.train.make_scenes --split test`. Figures have 95 %
intervals by bootstrap over scenes. Below them is what they are for others: the surface as a
perfect network of this resolution has it, and a body that is the mean of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import track

import bitpose
from bench.people.controls import average, mean_joints, oracle
from bitpose.cli.console import Report, console
from bitpose.train.judge import FIGURES, Found, Judged, interval, judged
from bitpose.train.scenes import Scene, SceneFile
from bitpose.train.truth import Truth, truths


def main(
    scenes: Annotated[Path, typer.Argument(help="Folder of files of scenes.")],
    network: Annotated[Path, typer.Option(help=".onnx or .bpm.")],
    detector: Annotated[Path | None, typer.Option(help=".onnx or .bpm.")] = None,
    count: Annotated[int, typer.Option(help="Scenes at most.", min=1)] = 1024,
    refine: Annotated[
        Literal["warm", "full", "none"], typer.Option(help="As bitpose estimate has it.")
    ] = "warm",
) -> None:
    """Judge networks."""
    files = [SceneFile(path) for path in sorted(scenes.glob("*.scenes"))]
    kept = [(file, index) for file in files for index in range(len(file))][:count]
    report = Report(f"{len(kept)} scenes", "", *FIGURES)

    def add(name: str, finds: Callable[[Scene, list[Truth]], list[Found]]) -> None:
        rows = []
        for file, index in track(kept, name, console=console, transient=True):
            scene = file[index]
            true = truths(scene)
            rows.append(judged(finds(scene, true), true))
        report.add_row(name, *_cells(rows))

    estimator = bitpose.Estimator(network, detector, refine=refine)
    add(network.stem, lambda scene, true: [Found.of(x) for x in estimator(scene.picture)])
    add("perfect maps", oracle)
    joints = mean_joints(file[index] for file, index in kept)
    add("mean body", lambda scene, true: average(true, joints))
    console.print(report)


def _cells(rows: Sequence[Judged]) -> list[str]:
    cells = []
    for name, figure in FIGURES.items():
        value, (low, high) = figure(rows), interval(name, rows)
        digits = 1 if value > 1.5 else 3
        cells.append(f"{value:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})")
    return cells


if __name__ == "__main__":
    typer.run(main)
