# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.render`: pictures of one person per second, on one core."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from bitpose.cli.console import console
from bitpose.cli.machine import describe
from bitpose.cli.timing import Spread, interleaved
from bitpose.render import Drawable, PerspectiveCamera, look_at, rasterize, render
from bitpose.render.shapes import mannequin

_TOP, _SOLES = 0.88, -0.94
_SHARE = 0.8  # Of the picture's height that the person fills.


def main(
    side: Annotated[int, typer.Option(help="Height and width of the picture in pixels.")] = 256,
    runs: Annotated[int, typer.Option(help="Timed runs of each.", min=1)] = 300,
    json_path: Annotated[Path | None, typer.Option("--json", help="Also write figures.")] = None,
) -> None:
    """One person fills 80 % of the height. Projection, copies and checks are part of the time."""
    focal = _SHARE * side * 3.2 / (_TOP - _SOLES)
    camera = PerspectiveCamera(
        width=side,
        height=side,
        fx=focal,
        fy=focal,
        T_camera_world=look_at([0.6, 0.2, 3.2], [0, (_TOP + _SOLES) / 2, 0], [0, 1, 0]),
    )
    surface, vertices = mannequin()

    def fresh() -> Drawable:
        return Drawable(surface, vertices)

    calls = {
        "depth, part, U, V, mask, vertex, triangle, barycentrics": lambda: rasterize(
            [fresh()], camera
        ),
        "the same and RGB, lit": lambda: render([fresh()], camera, smooth_edges=False),
        "the same and RGB, lit, smooth edges": lambda: render([fresh()], camera),
    }
    mask = rasterize([fresh()], camera).mask
    rows = np.flatnonzero(mask.any(axis=1))
    console.print(describe(1, None))
    console.print(
        f"{len(surface.faces)} triangles, {side} x {side}, the person on "
        f"{rows[-1] - rows[0] + 1} rows and {mask.sum()} pixels"
    )
    table = Table("maps", "ms", "p10", "p90", "pictures/s")
    figures = {}
    for name, seconds in zip(
        calls, interleaved(list(calls.values()), runs, min(runs, 10)), strict=True
    ):
        spread = Spread.of(seconds)
        figures[name] = spread.milliseconds
        table.add_row(
            name, *(f"{ms:.2f}" for ms in spread.milliseconds), f"{1 / spread.median:.0f}"
        )
    console.print(table)
    if json_path is not None:
        json_path.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    typer.run(main)
