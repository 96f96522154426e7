# SPDX-License-Identifier: Apache-2.0
"""`python -m bitpose.train FOLDER`: trains a network on people that are made up.

FOLDER gets `last.pt`, from which a run that was interrupted at any minute goes on, `losses.csv` and
`losses.png`. Batches have the numbers of their steps for seeds, so a run that was interrupted sees
what one at a stretch would have seen.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from bitpose.train.batches import stacked
from bitpose.train.curves import draw_curves
from bitpose.train.designs import DESIGNS
from bitpose.train.pretrained import load_weights
from bitpose.train.quantization import calibrate, prepare
from bitpose.train.runs import Run, checkpoint, keep, load_network, resized, resume
from bitpose.train.scenes import Scene
from bitpose.train.sources import Kept, Live, Source, batches_of

Array = NDArray[Any]

_EVERY = 50
_CLIP = 1.0


class Batches(IterableDataset[Any]):
    """Those from a step on, shared out among the workers of a loader."""

    def __init__(self, run: Run, opened: Callable[[], Source], first: int) -> None:
        self.run, self.opened, self.first = run, opened, first

    def __iter__(self) -> Iterator[Any]:
        worker = get_worker_info()
        number, count = (0, 1) if worker is None else (worker.id, worker.num_workers)
        torch.set_num_threads(1)
        design, size = self.run.kind, self.run.size

        def samples(scene: Scene, random: np.random.Generator) -> Iterable[Any]:
            return design.samples(scene, size, random)

        first = self.first + number
        # Each process opens files of its own: they would move each other's places in them.
        lists = batches_of(self.opened(), samples, self.run.batch, self.run.seed, first, count)
        return map(stacked, lists)


def main(
    folder: Annotated[Path, typer.Argument(help="Of the run: made, or gone on with.")],
    design: Annotated[str, typer.Option(help=", ".join(DESIGNS))] = "crop",
    scenes: Annotated[
        list[Path] | None, typer.Option(help="Folders of python -m bitpose.train.make_scenes.")
    ] = None,
    shared: Annotated[Path | None, typer.Option(help="Without --scenes: of mocap, people.")] = None,
    base_mesh: Annotated[Path | None, typer.Option(help="Of python -m bitpose.body.make.")] = None,
    backbone: Annotated[Path | None, typer.Option(help="A MobileNetV2 to begin with.")] = None,
    frozen: Annotated[int, typer.Option(help="Stages of it that stay.", min=0, max=7)] = 0,
    width: Annotated[float, typer.Option(help="Of the backbone's channels.")] = 1.0,
    size: Annotated[int | None, typer.Option(help="Pixels of a side.", min=64, max=512)] = None,
    batch: Annotated[int, typer.Option(min=2, max=1024)] = 48,
    steps: Annotated[int, typer.Option(min=1)] = 20000,
    rate: Annotated[float, typer.Option(help="Between warming up and cooling down.", min=0)] = 1e-3,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    start: Annotated[
        Path | None, typer.Option(help="last.pt of a run of the same design, to begin with.")
    ] = None,
    quantized: Annotated[
        bool, typer.Option("--quantized", help="Round to 8 bits as the engine does.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Processes that make batches.", min=0)] = 1,
    minutes: Annotated[float, typer.Option(help="Stop by then, to go on later.", min=0)] = 1e9,
) -> None:
    """Train, or go on training."""
    folder.mkdir(parents=True, exist_ok=True)
    extent = size or (DESIGNS[design].size if design in DESIGNS else 0)
    run = Run(design, width, extent, batch, steps, rate, frozen, seed, quantized)

    def opened() -> Source:
        return Kept(scenes) if scenes else Live(shared, base_mesh)

    torch.manual_seed(seed)
    if torch.accelerator.is_available():
        torch.set_default_device(torch.accelerator.current_accelerator())
    if checkpoint(folder).exists():
        network = run.network()
    else:
        network = _begun(run, start, backbone, next(iter(Batches(run, opened, 0))).picture)
    network.to(memory_format=torch.channels_last).train()
    network.backbone.freeze(frozen)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, run.pace)
    first = resume(folder, run, network, optimizer, schedule)
    losses = run.kind.losses()
    end = time.monotonic() + 60 * minutes
    loader = DataLoader(Batches(run, opened, first), batch_size=None, num_workers=workers)
    seen: list[dict[str, float]] = []
    for step, wanted in zip(range(first, steps), loader, strict=False):
        picture = torch.as_tensor(wanted.picture).float()
        found = network(picture.contiguous(memory_format=torch.channels_last))
        parts = losses(found, wanted)
        total = sum(run.kind.weights[name] * loss for name, loss in parts.items())
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
        optimizer.step()
        schedule.step()
        named = {"total": total, **parts}
        seen.append({name: float(loss.detach()) for name, loss in named.items()})
        over = step + 1 == steps or time.monotonic() > end
        if (step + 1) % _EVERY == 0 or over:
            keep(folder, run, step + 1, network, optimizer, schedule)
            _note(folder, step + 1, seen)
            seen.clear()
        if over:
            break


def _begun(run: Run, start: Path | None, backbone: Path | None, pictures: Array) -> nn.Module:
    """A new network, with what others have learnt; `pictures` [N, 3, S, S] are of its kind."""
    network = replace(run, quantized=False).network()
    if start is not None:
        network.load_state_dict(resized(load_network(start)[0].state_dict(), network))
    elif backbone is not None:
        load_weights(network.backbone, backbone, pictures)
    if run.quantized:
        calibrate(prepare(network), torch.as_tensor(pictures).float())
    return network


def _note(folder: Path, step: int, seen: list[dict[str, float]]) -> None:
    """A row of means since the last one."""
    means = {name: sum(x[name] for x in seen) / len(seen) for name in seen[0]}
    path = folder / "losses.csv"
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(["step", *means])
        writer.writerow([step, *(f"{value:.5f}" for value in means.values())])
    draw_curves(path, folder / "losses.png")
    typer.echo(f"{step}: " + "  ".join(f"{name} {value:.3f}" for name, value in means.items()))


if __name__ == "__main__":
    typer.run(main)
