# SPDX-License-Identifier: Apache-2.0
"""Photos, and how they are placed in the input of a network."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from bitpose._native import resize_bilinear
from bitpose.errors import InputError

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Placement:
    """Where a photo lies in a network's input: input = photo * scale + (left, top), in pixels.

    Coordinates are continuous: the centre of the first pixel is (0.5, 0.5).
    """

    scale: float
    left: float
    top: float

    def shifted(self, left: float, top: float) -> Placement:
        """The placement of a photo of which a part, that begins at (left, top), lies here."""
        return Placement(self.scale, self.left - left * self.scale, self.top - top * self.scale)

    def to_photo(self, xy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points [..., 2] of the network's input as points of the photo."""
        origin = np.array([self.left, self.top], np.float32)
        return np.asarray((xy - origin) / np.float32(self.scale))


#: How files of videos are called, which are read by other programs.
_VIDEOS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv")
#: What pillow raises for files that are not what they seem to be.
_BROKEN = (OSError, EOFError, SyntaxError, ValueError, IndexError, struct.error,
           Image.DecompressionBombError)  # fmt: skip


@contextmanager
def opened(path: str | PathLike[str]) -> Iterator[Image.Image]:
    """A file of a picture, or of several. Raises InputError for what is no picture, or not a whole
    one, or larger than 179 megapixels, also while it is read.
    """
    try:
        with Image.open(path) as image:
            yield image
    except InputError:
        raise
    except _BROKEN as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise
        advice = ""
        if Path(path).suffix.lower() in _VIDEOS:
            advice = (
                "; of a video make frames first, ffmpeg -i "
                f"{Path(path).name} frames/%05d.png, and give their folder"
            )
        raise InputError(f"{path}: {error}{advice}") from error


def load_photo(path: str | PathLike[str]) -> Image.Image:
    """Reads a picture, the first of several, as RGB, turned the way its EXIF record says. Raises
    InputError as `opened`.
    """
    with opened(path) as image:
        image.load()
        return upright(image)


#: A file, a picture of PIL's, or uint8 pixels [H, W, 3] or [H, W], RGB or grey.
Photo = str | PathLike[str] | Image.Image | NDArray[np.uint8]


def as_photo(image: Photo) -> Image.Image:
    """A picture as RGB, upright. Raises InputError for an array of another dtype or shape."""
    if isinstance(image, str | PathLike):
        return load_photo(image)
    if isinstance(image, Image.Image):
        return upright(image)
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        raise InputError(
            f"a picture is {image.dtype} {list(image.shape)}; must be uint8 [H, W, 3] or [H, W]"
        )
    if image.size == 0:
        raise InputError(f"a picture of shape {list(image.shape)} has no pixels")
    return Image.fromarray(image).convert("RGB")


def upright(image: Image.Image) -> Image.Image:
    """As RGB, turned the way its EXIF record says; what is transparent is white."""
    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I"):  # 16 bits, of which the upper 8 are kept.
        wide = np.asarray(turned).astype(np.int64)
        turned = Image.fromarray(np.clip(wide >> 8, 0, 255).astype(np.uint8))
    if "A" in turned.getbands() or "transparency" in turned.info:
        opaque = turned.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        turned = Image.alpha_composite(white, opaque)
    rgb = turned.convert("RGB")
    rgb.info = image.info
    rgb.getexif().update(image.getexif())
    return rgb


#: The diagonal of the film that focal lengths "in 35 mm film" are for, in millimetres.
_FILM_DIAGONAL = 43.27


def focal_of(photo: Image.Image) -> float | None:
    """The focal length in pixels that a photo's EXIF record tells, if it does."""
    length = photo.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
    if not length or not np.isfinite(float(length)) or float(length) <= 0:
        return None
    return float(length) / _FILM_DIAGONAL * float(np.hypot(*photo.size))


#: The side of the square that networks are shown of a person, over the longer side of their box.
MARGIN = 1.25


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of a photo."""

    left: float
    top: float
    width: float
    height: float

    def framed(self, aspect: float, margin: float = MARGIN) -> Box:
        """The box of that width over height around `margin` times this one, about its centre."""
        height = margin * max(self.width / aspect, self.height)
        width = height * aspect
        return Box(
            self.left + (self.width - width) / 2,
            self.top + (self.height - height) / 2,
            width,
            height,
        )

    def square(self, margin: float = MARGIN) -> Box:
        """The square with the same centre whose side is `margin` times the longer side."""
        return self.framed(1.0, margin)


def crop(photo: Image.Image, box: Box) -> tuple[Image.Image, int, int]:
    """The pixels of a box, black outside the photo, and the whole numbers where it begins."""
    left, top = round(box.left), round(box.top)
    size = max(1, round(box.width)), max(1, round(box.height))
    return photo.crop((left, top, left + size[0], top + size[1])), left, top


def views(photo: Image.Image) -> list[Image.Image]:
    """A photo, its mirror image, two with colours in each other's place, and parts of it.

    The parts are nine of half its size, which overlap, and nine of a quarter: things that are small
    in the photo are large there. A network that is calibrated on a few photos learns more of
    what it may see from these.
    """
    red, green, blue = photo.split()
    return [
        photo,
        ImageOps.mirror(photo),
        Image.merge("RGB", (blue, red, green)),
        Image.merge("RGB", (green, blue, red)),
        *_parts(photo, 2),
        *_parts(photo, 4),
    ]


def _parts(photo: Image.Image, zoom: int) -> list[Image.Image]:
    """3 x 3 parts from edge to edge, each 1 / `zoom` as high and as wide as the photo."""
    width, height = max(1, photo.width // zoom), max(1, photo.height // zoom)
    lefts, tops = (
        [(whole - part) * i // 2 for i in range(3)]
        for whole, part in ((photo.width, width), (photo.height, height))
    )
    return [photo.crop((x, y, x + width, y + height)) for y in tops for x in lefts]


def letterbox(photo: Image.Image, height: int, width: int) -> tuple[Picture, Placement]:
    """Scales a photo to fit `height` x `width`, centred, black around it; keeps its proportions.

    Returns the picture as uint8 [height, width, 3], RGB.
    """
    scale = min(width / photo.width, height / photo.height)
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = resize_bilinear(
        np.ascontiguousarray(photo), size[1], size[0]
    )
    return canvas, Placement(scale, left, top)
