# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.people SCENES a.bpm b.bpm`: people that networks of bitpose.train find in
made-up pictures that they have not learnt from.

SCENES is a folder of `python -m bitpose.train.make_scenes --split test`; the files are those of
`python -m bitpose.train.publish`. Figures have 95 % intervals by bootstrap over scenes. Beside them
is what they are for others: the surface as a perfect network of this resolution has it, and a body
that is the mean of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
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
    models: Annotated[list[Path], typer.Argument(help=".bpm files.")],
    count: Annotated[int, typer.Option(help="Scenes at most.", min=1)] = 1024,
    refine: Annotated[
        Literal["warm", "full", "none"], typer.Option(help="As bitpose estimate has it.")
    ] = "warm",
) -> None:
    """Judge networks."""
    files = [SceneFile(path) for path in sorted(scenes.glob("*.scenes"))]
    kept = [(file, index) for file in files for index in range(len(file))][:count]
    columns: dict[str, list[str]] = {}

    def judge(name: str, finds: Callable[[Scene, list[Truth]], list[Found]]) -> None:
        rows = []
        for file, index in track(kept, name, console=console, transient=True):
            scene = file[index]
            true = truths(scene)
            rows.append(judged(finds(scene, true), true))
        columns[name] = [_cell(figure, rows) for figure in FIGURES]

    for path in models:
        estimator = bitpose.Estimator(path, refine=refine)
        judge(path.stem, partial(_found, estimator))
    judge("perfect maps", oracle)
    joints = mean_joints(file[index] for file, index in kept)
    judge("mean body", lambda scene, true: average(true, joints))
    report = Report(f"{len(kept)} scenes, refine={refine}", "", *columns)
    for row, name in enumerate(FIGURES):
        report.add_row(name, *(cells[row] for cells in columns.values()))
    console.print(report)


def _found(estimator: bitpose.Estimator, scene: Scene, true: list[Truth]) -> list[Found]:
    return [Found.of(person) for person in estimator(scene.picture)]


def _cell(name: str, rows: Sequence[Judged]) -> str:
    value = FIGURES[name](rows)
    if not np.isfinite(value):
        return "-"
    low, high = interval(name, rows)
    digits = 1 if "," in name else 3  # With a unit.
    return f"{value:.{digits}f} ({low:.{digits}f} .. {high:.{digits}f})"


if __name__ == "__main__":
    typer.run(main)
