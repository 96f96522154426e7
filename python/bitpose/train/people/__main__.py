# SPDX-License-Identifier: Apache-2.0
"""`python -m bitpose.train.people FILE`: a sheet of samples, and how fast they are made."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from bitpose.render.overlay import draw_iuv
from bitpose.train.people.backdrops import Backdrops
from bitpose.train.people.materials import Materials
from bitpose.train.people.studio import Studio

_COLUMNS, _ROWS = 8, 8


def main(
    file: Annotated[Path, typer.Argument(help="The sheet: a picture.")],
    shared: Annotated[Path | None, typer.Option(help="Folder of mocap, people and scenes.")] = None,
    base_mesh: Annotated[Path | None, typer.Option(help="Of python -m bitpose.body.make.")] = None,
    split: str = "train",
    size: Annotated[int, typer.Option(help="Pixels of a side.", min=16, max=1024)] = 128,
    seed: int = 0,
    labels: Annotated[bool, typer.Option(help="With parts, u and v over the people.")] = False,
    cc0: Annotated[bool, typer.Option(help="Scenes in the public domain alone.")] = False,
) -> None:
    """Draw 64 samples. Without the folders bodies, patterns and backgrounds are made up."""
    studio = Studio.load(shared, base_mesh, split)
    if cc0 and shared is not None:
        backdrops = Backdrops.of_folder(shared / "scenes", split, cc0=True)
        studio = replace(
            studio, backdrops=backdrops, materials=Materials(backdrops, split == "test")
        )
    seeds = range(seed, seed + _COLUMNS * _ROWS)
    samples = [studio.sample(s, size) for s in seeds]
    start = time.process_time()
    for s in seeds:
        studio.sample(s, size)
    rate = len(seeds) / (time.process_time() - start)
    pictures = [
        draw_iuv(x.picture, x.labels.iuv, opacity=0.8) if labels else x.picture for x in samples
    ]
    rows = [np.concatenate(pictures[i : i + _COLUMNS], 1) for i in range(0, len(seeds), _COLUMNS)]
    Image.fromarray(np.concatenate(rows, axis=0)).save(file)
    typer.echo(f"{file}: {len(seeds)} samples of split {split}; {rate:.0f} a second of one core")


if __name__ == "__main__":
    typer.run(main)
