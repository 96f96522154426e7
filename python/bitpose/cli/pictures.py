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

    from bitpose.pose.decode import Convention
    from bitpose.pose.feed import Pixels
    from bitpose.session import InferenceSession

Bgr = Annotated[bool, typer.Option("--bgr", help="Feed blue, green, red.")]
Offset = Annotated[
    float | None, typer.Option(help="Float input = (pixel - offset) / divisor. Default 0.")
]
Divisor = Annotated[float | None, typer.Option(help="Default 255.")]


def convention_of(session: InferenceSession) -> Convention | None:
    """The kind of keypoint network that it is."""
    from bitpose.pose.decode import find_convention
    from bitpose.pose.feed import PictureInput

    source = PictureInput.of(session.get_inputs())
    shapes = [tuple(y.extents) for y in session.get_outputs()]
    return find_convention(shapes, source.height, source.width)


def pixel_format(
    session: InferenceSession, bgr: bool, offset: float | None, divisor: float | None
) -> Pixels:
    """What the network is known to take, changed as the options say."""
    from bitpose.pose.feed import Pixels

    convention = convention_of(session)
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
    from bitpose.pose.feed import PictureInput
    from bitpose.pose.photo import letterbox, load_photo, views

    source = PictureInput.of(session.get_inputs())
    pixels = pixel_format(session, bgr, offset, divisor)
    loaded = map(load_photo, picture_files(photos))
    shown = [view for photo in loaded for view in (views(photo) if variants else [photo])]
    pictures = (letterbox(view, source.height, source.width)[0] for view in shown)
    return [source.feed(picture, pixels) for picture in pictures]


def picture_files(paths: Sequence[Path]) -> list[Path]:
    """The files, and the pictures in the folders. Raises InputError where there are none."""
    from bitpose.pose.frames import pictures_in

    files = [file for path in paths for file in (pictures_in(path) if path.is_dir() else [path])]
    if not files:
        raise InputError(f"no pictures in {', '.join(map(str, paths)) or 'the options'}")
    return files
