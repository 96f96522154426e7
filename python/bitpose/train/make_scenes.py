# SPDX-License-Identifier: Apache-2.0
"""`python -m bitpose.train.make_scenes FOLDER`: makes scenes to train with, file by file.

Files that are there stay, so that a run that was interrupted goes on.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from bitpose.train.people import Studio
from bitpose.train.scenes import SCENES, made, write_scenes


def main(
    folder: Annotated[Path, typer.Argument(help="Of the files: made, or filled up.")],
    shared: Annotated[Path | None, typer.Option(help="Folder of mocap, people and scenes.")] = None,
    base_mesh: Annotated[Path | None, typer.Option(help="Of python -m bitpose.body.make.")] = None,
    split: str = "train",
    size: Annotated[int, typer.Option(help="Pixels of a side.", min=64, max=1024)] = 256,
    files: Annotated[int, typer.Option(help=f"How many, of {SCENES} scenes.", min=1)] = 200,
    first: Annotated[int, typer.Option(help="The number of the first.", min=0)] = 0,
    seed: Annotated[
        int | None, typer.Option(help="Make one file with the scene of this seed alone.")
    ] = None,
) -> None:
    """Make scenes; file n has those of the seeds from n * 256 on."""
    folder.mkdir(parents=True, exist_ok=True)
    studio = Studio.load(shared, base_mesh, split)
    if seed is not None:
        write_scenes(folder / f"seed{seed}.scenes", list(made(studio, [seed], size)))
        return
    for number in range(first, first + files):
        path = folder / f"{number:05}.scenes"
        if path.exists():
            continue
        start = time.monotonic()
        seeds = range(number * SCENES, (number + 1) * SCENES)
        write_scenes(path, list(made(studio, seeds, size)))
        typer.echo(f"{path}: {SCENES / (time.monotonic() - start):.0f} scenes a second")


if __name__ == "__main__":
    typer.run(main)
