# SPDX-License-Identifier: Apache-2.0
"""`bitpose run`: a photo through a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bitpose.cli.console import Isa, ModelPath, NetworkName, Report, Threads, console, digest
from bitpose.cli.pictures import (
    Bgr,
    Divisor,
    Offset,
    convention_of,
    pixel_format,
)
from bitpose.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from bitpose.pose.decode import Keypoints
    from bitpose.pose.photo import Picture, Placement
    from bitpose.session import NodeArg


def run(
    model: ModelPath,
    photo: Annotated[Path, typer.Argument(help="A picture.", exists=True, dir_okay=False)],
    keypoints: Annotated[
        Path | None, typer.Option(help="Write the photo with the skeleton drawn over it.")
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(help="Look at one person: left,top,width,height in pixels of the photo."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Least score of a keypoint that counts as seen.")
    ] = None,
    top: Annotated[int, typer.Option(help="Classes to list.", min=1)] = 5,
    labels: Annotated[
        Path | None, typer.Option(help="Names of the classes, one a line.", exists=True)
    ] = None,
    network: NetworkName = None,
    bgr: Bgr = False,
    offset: Offset = None,
    divisor: Divisor = None,
    threads: Threads = 1,
    isa: Isa = None,
) -> None:
    """Run a network on a photo: keypoints, classes, or a summary of its outputs.

    The photo is scaled to fit the network's input and centred on black. With --box the network sees
    the square around one person, a quarter larger, which finds more where several are.

    Integer inputs take RGB 0..255 as they are. Known keypoint networks bring their own pixel
    format; float inputs of others are divided by 255 unless --offset and --divisor say something
    else.
    """
    import bitpose
    from bitpose.pose.feed import PictureInput
    from bitpose.pose.photo import load_photo

    session = bitpose.InferenceSession(model, network=network, threads=threads, isa=isa)
    source, outputs = PictureInput.of(session.get_inputs()), session.get_outputs()
    convention = convention_of(session)
    if convention is None and keypoints is not None:
        shapes = ", ".join(str(y) for y in outputs)
        raise InputError(f"no known kind of keypoint network has the outputs {shapes}")

    image = load_photo(photo)
    picture, placement = _placed(image, box, source.height, source.width)
    pixels = pixel_format(session, bgr, offset, divisor)
    results = session.run(None, source.feed(picture, pixels))
    if convention is not None:
        found = convention.decode(results, source.height, source.width).placed(placement)
        limit = convention.threshold if threshold is None else threshold
        _show_keypoints(convention.name, found, limit)
        if keypoints is not None:
            _draw(image, found, limit, keypoints)
    elif len(outputs) == 1 and _is_classifier(outputs[0].extents):
        _show_classes(outputs[0], results[0], top, labels)
    else:
        _show_outputs(outputs, results)
    console.print(f"sha256 of the outputs {digest(results)}")


def _placed(image: Image, box: str | None, height: int, width: int) -> tuple[Picture, Placement]:
    """The photo, or the part around a box, in a network's input."""
    from bitpose.pose.photo import Box, crop, letterbox

    if box is None:
        return letterbox(image, height, width)
    try:
        rectangle = Box(*map(float, box.split(",")))
    except (TypeError, ValueError):
        raise InputError(f"--box needs left,top,width,height, got {box!r}") from None
    part, left, top = crop(image, rectangle.square())
    picture, placement = letterbox(part, height, width)
    return picture, placement.shifted(left, top)


def _draw(image: Image, found: Keypoints, limit: float, path: Path) -> None:
    from bitpose.pose.draw import draw_keypoints

    draw_keypoints(image, [found], limit).save(path)
    console.print(f"wrote {path}")


def _show_keypoints(kind: str, found: Keypoints, limit: float) -> None:
    report = Report(f"{found.skeleton.name} ({kind})", "keypoint", "x", "y", "score")
    for name, (x, y), score in zip(found.skeleton.keypoints, found.xy, found.score, strict=True):
        style = None if score >= limit else "dim"
        report.add_row(name, f"{x:.1f}", f"{y:.1f}", f"{score:.3f}", style=style)
    console.print(report)


def _is_classifier(shape: Sequence[int]) -> bool:
    return len(shape) >= 2 and max(shape) > 1 and sorted(shape)[:-1] == [1] * (len(shape) - 1)


def _show_classes(
    output: NodeArg, result: NDArray[np.generic], top: int, labels: Path | None
) -> None:
    import numpy as np

    names = labels.read_text("utf-8").splitlines() if labels is not None else []
    flat = result.reshape(-1)
    real = flat.astype(np.float64)
    if output.scale > 0:
        real = (real - output.zero_point) * output.scale
    report = Report("classes", "class", "name", "value", text=2)
    for index in np.argsort(-real, kind="stable")[:top]:
        name = names[index] if index < len(names) else ""
        report.add_row(str(index), name, f"{real[index]:.4f}")
    console.print(report)


def _show_outputs(outputs: Sequence[NodeArg], results: Sequence[NDArray[Any]]) -> None:
    report = Report("outputs", "name", "type", "least", "mean", "greatest", text=2)
    for output, result in zip(outputs, results, strict=True):
        figures = (f"{v:.5g}" for v in (result.min(), result.mean(), result.max()))
        report.add_row(output.name, str(output), *figures)
    console.print(report)
