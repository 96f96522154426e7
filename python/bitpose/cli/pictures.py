# SPDX-License-Identifier: Apache-2.0
"""Photos as inputs of networks, for the commands that take them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bitpose.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitpose.pose.decode import Pixels
    from bitpose.pose.photo import Picture
    from bitpose.session import InferenceSession, NodeArg

Bgr = Annotated[bool, typer.Option("--bgr", help="Feed blue, green, red.")]
Offset = Annotated[
    float | None, typer.Option(help="Float input = (pixel - offset) / divisor. Default 0.")
]
Divisor = Annotated[float | None, typer.Option(help="Default 255.")]


def picture_input(inputs: Sequence[NodeArg]) -> NodeArg:
    """The input of a network that takes one picture. Raises InputError for others."""
    if len(inputs) == 1 and len(inputs[0].shape) == 4 and 3 in inputs[0].shape[1::2]:
        return inputs[0]
    shapes = ", ".join(f"{x.name} {x}" for x in inputs)
    raise InputError(
        f"a picture needs one input [1, height, width, 3] or [1, 3, height, width], "
        f"this network has {shapes}; use bitpose.InferenceSession for other inputs"
    )


def extents(source: NodeArg) -> tuple[int, int]:
    """Height and width of the picture."""
    height, width = source.extents[1:3] if _channels_last(source) else source.extents[2:4]
    return height, width


def fed(source: NodeArg, pixels: Pixels, picture: Picture) -> NDArray[Any]:
    """The picture in the network's format and layout."""
    x = pixels.apply(picture, source.dtype)
    return x if _channels_last(source) else x.transpose(0, 3, 1, 2)


def _channels_last(source: NodeArg) -> bool:
    return source.shape[3] == 3


def pixel_format(
    outputs: Sequence[NodeArg], bgr: bool, offset: float | None, divisor: float | None
) -> Pixels:
    """What a network with these outputs is known to take, changed as the options say."""
    from bitpose.pose.decode import Pixels, find_convention

    convention = find_convention([tuple(y.extents) for y in outputs])
    usual = convention.pixels if convention is not None else Pixels()
    return Pixels(
        bgr or usual.bgr,
        usual.offset if offset is None else offset,
        usual.divisor if divisor is None else divisor,
    )


def photo_feeds(
    session: InferenceSession,
    photos: Sequence[Path],
    bgr: bool,
    offset: float | None,
    divisor: float | None,
    variants: bool = False,
) -> list[dict[str, NDArray[Any]]]:
    """One input of the network for each photo, or for each picture in a folder.

    With `variants` also parts of them, and with other colours, see `bitpose.pose.photo.views`.
    """
    from bitpose.pose.photo import letterbox, load_photo, views

    source = picture_input(session.get_inputs())
    pixels = pixel_format(session.get_outputs(), bgr, offset, divisor)
    height, width = extents(source)
    loaded = map(load_photo, _files(photos))
    shown = [view for photo in loaded for view in (views(photo) if variants else [photo])]
    pictures = (letterbox(view, height, width)[0] for view in shown)
    return [{source.name: fed(source, pixels, picture)} for picture in pictures]


def _files(paths: Sequence[Path]) -> list[Path]:
    from PIL import Image

    suffixes = Image.registered_extensions()
    files = []
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        files += [p for p in inside if not path.is_dir() or p.suffix.lower() in suffixes]
    if not files:
        raise InputError(f"no pictures in {', '.join(map(str, paths)) or 'the options'}")
    return files
