# SPDX-License-Identifier: Apache-2.0
"""`bitpose compile`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from bitpose.cli.console import ModelPath, Report, console, digest, size
from bitpose.cli.pictures import Bgr, Divisor, Offset, photo_feeds
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
    precision: Annotated[
        str | None,
        typer.Option(help="int8 or int16 quantizes a float network. Default: as it is."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="float16 stores the weights of floats in half the bytes."),
    ] = None,
    calibration: Annotated[
        list[Path] | None,
        typer.Option(help="For int8: pictures of the kind it will see, or folders of them."),
    ] = None,
    observer: Annotated[
        str | None,
        typer.Option(
            help="For int8, how ranges are chosen: mse, tails, minmax, percentile, entropy. "
            "Default: the better of the first two."
        ),
    ] = None,
    target: Annotated[
        float, typer.Option(help="For int8, the signal to noise of the outputs, in decibels.")
    ] = 30.0,
    float_share: Annotated[
        float,
        typer.Option(help="For int8, of the multiplications, what may stay float to reach it."),
    ] = 0.1,
    bgr: Bgr = False,
    offset: Offset = None,
    divisor: Divisor = None,
) -> None:
    """Compile an ONNX network (float or QDQ) to a .bpm file.

    With --precision int8 a float network is quantized to the values that it takes on some photos;
    `bitpose compare` then says what it lost. int16 keeps 16 bits of them, and 8 of the weights.
    """
    import numpy as np

    import bitpose
    from bitpose.quantize import Options, share_in_float

    start = time.perf_counter()
    shapes = _shapes(shape or [])
    if precision is None:
        compiled = bitpose.compile(model, shapes=shapes, weights=weights, licence=licence)
    else:
        session = bitpose.InferenceSession(model, shapes=shapes)
        feeds = photo_feeds(session, calibration or [], bgr, offset, divisor, variants=True)
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task(f"calibrating on {len(feeds)} pictures", total=1.0)
            compiled = bitpose.compile(
                model,
                shapes=shapes,
                licence=licence,
                precision=precision,
                weights=weights,
                calibration=feeds,
                options=Options(observer=observer, target=target, float_share=float_share),
                progress=lambda share: bar.update(task, completed=share),
            )
    path = output if output is not None else model.with_suffix(".bpm")
    compiled.save(path)
    seconds = time.perf_counter() - start
    report = Report(f"{model} -> {path}", "", "ONNX", "bpm")
    report.add_row("file", size(model.stat().st_size), size(path.stat().st_size))
    if precision is not None:
        assert compiled.graph is not None
        share = share_in_float(compiled.graph)
        report.add_row("multiplications in float", "100 %", f"{100 * share:.1f} %")
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
