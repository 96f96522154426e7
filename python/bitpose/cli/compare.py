# SPDX-License-Identifier: Apache-2.0
"""`bitpose compare`: two versions of a network on the same inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bitpose.cli.console import (
    Isa,
    ModelPath,
    NetworkName,
    Report,
    Threads,
    console,
    networks_of,
)
from bitpose.cli.feeds import random_feed
from bitpose.cli.pictures import Bgr, Divisor, Offset, photo_feeds

if TYPE_CHECKING:
    from bitpose.comparison import Distance

#: Random inputs where there are no photos.
_RANDOM_FEEDS = 4


def compare(
    model: ModelPath,
    other: Annotated[
        Path, typer.Argument(help="Another version of it.", exists=True, dir_okay=False)
    ],
    photo: Annotated[
        list[Path] | None, typer.Option(help="A picture or a folder. Default: random inputs.")
    ] = None,
    layers: Annotated[int, typer.Option(help="Worst layers to list.", min=0)] = 10,
    network: NetworkName = None,
    bgr: Bgr = False,
    offset: Offset = None,
    divisor: Divisor = None,
    threads: Threads = 1,
    isa: Isa = None,
) -> None:
    """Show how far the outputs and the layers of two versions of a network are apart.

    The first is taken as exact. Inputs must be the same; layers are found by their names in ONNX.
    --network picks one from each .bpm file.
    """
    import bitpose
    from bitpose.comparison import compare_layers, compare_outputs

    paths = (model, other)
    exact, changed = (
        bitpose.InferenceSession(
            path, network=name, threads=threads, isa=isa, keep_intermediates=layers > 0
        )
        for path, name in zip(paths, networks_of(paths, network), strict=True)
    )
    if photo:
        feeds = photo_feeds(exact, photo, bgr, offset, divisor)
    else:
        inputs = exact.get_inputs()
        feeds = [random_feed(inputs, seed) for seed in range(_RANDOM_FEEDS)]
    count = f"{len(feeds)} {'photos' if photo else 'random inputs'}"
    console.print(f"{other} against {model}", soft_wrap=True)
    _print(f"outputs on {count}", compare_outputs(exact, changed, feeds))
    if layers:
        worst = sorted(compare_layers(exact, changed, feeds), key=lambda d: d.sqnr)
        _print(f"worst of {len(worst)} layers", worst[:layers])


def _print(title: str, distances: Sequence[Distance]) -> None:
    report = Report(title, "tensor", "SQNR dB", "cosine", "largest error")
    for d in distances:
        report.add_row(d.name, f"{d.sqnr:.1f}", f"{d.cosine:.6f}", f"{d.largest:.4g}")
    console.print(report)
