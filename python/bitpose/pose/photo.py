# SPDX-License-Identifier: Apache-2.0
"""Photos, and how they are placed in the input of a network."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bitpose._native import resize_bilinear

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


def load_photo(path: str | PathLike[str]) -> Image.Image:
    """Reads a picture as RGB, turned the way its EXIF record says."""
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of a photo."""

    left: float
    top: float
    width: float
    height: float

    def square(self, margin: float = 1.25) -> Box:
        """The square with the same centre whose side is `margin` times the longer side."""
        side = margin * max(self.width, self.height)
        return Box(
            self.left + (self.width - side) / 2, self.top + (self.height - side) / 2, side, side
        )


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
