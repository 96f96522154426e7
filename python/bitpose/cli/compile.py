# SPDX-License-Identifier: Apache-2.0
"""`bitpose compile`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from bitpose.cli.console import ModelPath, Report, console, digest, size


def compile_model(
    model: ModelPath,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Default: the model's name with .bpm.")
    ] = None,
) -> None:
    """Compile an ONNX network (float or QDQ) to a .bpm file."""
    import numpy as np

    import bitpose

    start = time.perf_counter()
    compiled = bitpose.compile(model)
    path = output if output is not None else model.with_suffix(".bpm")
    compiled.save(path)
    seconds = time.perf_counter() - start
    report = Report(f"{model} -> {path}", "", "ONNX", "bpm")
    report.add_row("file", size(model.stat().st_size), size(path.stat().st_size))
    console.print(report)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    console.print(f"compiled in {seconds:.2f} s, sha256 {digest([data])}")
