# SPDX-License-Identifier: Apache-2.0
"""`bitpose compile`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from bitpose.cli.console import ModelPath, Report, console, digest, size
from bitpose.errors import InputError


def compile_model(
    model: ModelPath,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Default: the model's name with .bpm.")
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(help="Of an input whose extents the model leaves free: name=1,192,192,3."),
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Licence to store in the file.")] = None,
) -> None:
    """Compile an ONNX network (float or QDQ) to a .bpm file."""
    import numpy as np

    import bitpose

    start = time.perf_counter()
    compiled = bitpose.compile(model, shapes=_shapes(shape or []), licence=licence)
    path = output if output is not None else model.with_suffix(".bpm")
    compiled.save(path)
    seconds = time.perf_counter() - start
    report = Report(f"{model} -> {path}", "", "ONNX", "bpm")
    report.add_row("file", size(model.stat().st_size), size(path.stat().st_size))
    console.print(report)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    console.print(f"compiled in {seconds:.2f} s, sha256 {digest([data])}")


def _shapes(options: list[str]) -> dict[str, list[int]]:
    shapes = {}
    for option in options:
        name, _, extents = option.rpartition("=")
        try:
            shapes[name] = [int(extent) for extent in extents.split(",")]
        except ValueError:
            raise InputError(f"--shape needs name=1,192,192,3, got {option!r}") from None
    return shapes
