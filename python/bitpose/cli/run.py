# SPDX-License-Identifier: Apache-2.0
"""`bitpose run`: a photo through a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bitpose.cli.console import Isa, ModelPath, Report, Threads, console, digest
from bitpose.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from bitpose.pose.decode import Convention, Keypoints, Pixels
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
    bgr: Annotated[bool, typer.Option("--bgr", help="Feed blue, green, red.")] = False,
    offset: Annotated[
        float | None, typer.Option(help="Float input = (pixel - offset) / divisor. Default 0.")
    ] = None,
    divisor: Annotated[float | None, typer.Option(help="Default 255.")] = None,
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
    from bitpose.pose.decode import find_convention
    from bitpose.pose.photo import load_photo

    session = bitpose.InferenceSession(model, threads=threads, isa=isa)
    source, outputs = _picture_input(session.get_inputs()), session.get_outputs()
    height, width = _extents(source)
    convention = find_convention([tuple(y.extents) for y in outputs])
    if convention is None and keypoints is not None:
        shapes = ", ".join(str(y) for y in outputs)
        raise InputError(f"no known kind of keypoint network has the outputs {shapes}")

    image = load_photo(photo)
    picture, placement = _placed(image, box, height, width)
    pixels = _pixels(convention, bgr, offset, divisor)
    results = session.run(None, {source.name: _fed(source, pixels, picture)})
    if convention is not None:
        found = convention.decode(results[0], height, width).placed(placement)
        limit = convention.threshold if threshold is None else threshold
        _show_keypoints(convention.name, found, limit)
        if keypoints is not None:
            _draw(image, found, limit, keypoints)
    elif len(outputs) == 1 and _is_classifier(outputs[0].extents):
        _show_classes(outputs[0], results[0], top, labels)
    else:
        _show_outputs(outputs, results)
    console.print(f"sha256 of the outputs {digest(results)}")


def _picture_input(inputs: Sequence[NodeArg]) -> NodeArg:
    if len(inputs) == 1 and len(inputs[0].shape) == 4 and 3 in inputs[0].shape[1::2]:
        return inputs[0]
    shapes = ", ".join(f"{x.name} {x}" for x in inputs)
    raise InputError(
        f"`bitpose run` needs one input [1, height, width, 3] or [1, 3, height, width], "
        f"this network has {shapes}; use bitpose.InferenceSession for other inputs"
    )


def _pixels(
    convention: Convention | None, bgr: bool, offset: float | None, divisor: float | None
) -> Pixels:
    """The pixel format of a kind of network, changed as the options say."""
    from bitpose.pose.decode import Pixels

    usual = convention.pixels if convention is not None else Pixels()
    return Pixels(
        bgr or usual.bgr,
        usual.offset if offset is None else offset,
        usual.divisor if divisor is None else divisor,
    )


def _placed(image: Image, box: str | None, height: int, width: int) -> tuple[Picture, Placement]:
    """The photo, or the part around a box, in a network's input."""
    from bitpose.pose.photo import Box, crop, letterbox

    if box is None:
        return letterbox(image, height, width)
    try:
        extents = Box(*map(float, box.split(",")))
    except (TypeError, ValueError):
        raise InputError(f"--box needs left,top,width,height, got {box!r}") from None
    part, left, top = crop(image, extents.square())
    picture, placement = letterbox(part, height, width)
    return picture, placement.shifted(left, top)


def _draw(image: Image, found: Keypoints, limit: float, path: Path) -> None:
    from bitpose.pose.draw import draw_keypoints

    draw_keypoints(image, [found], limit).save(path)
    console.print(f"wrote {path}")


def _channels_last(source: NodeArg) -> bool:
    return source.shape[3] == 3


def _extents(source: NodeArg) -> tuple[int, int]:
    height, width = source.extents[1:3] if _channels_last(source) else source.extents[2:4]
    return height, width


def _fed(source: NodeArg, pixels: Pixels, picture: Picture) -> NDArray[Any]:
    x = pixels.apply(picture, source.dtype)
    return x if _channels_last(source) else x.transpose(0, 3, 1, 2)


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
