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

    def to_photo(self, xy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points [..., 2] of the network's input as points of the photo."""
        origin = np.array([self.left, self.top], np.float32)
        return np.asarray((xy - origin) / np.float32(self.scale))


def load_photo(path: str | PathLike[str]) -> Image.Image:
    """Reads a picture as RGB, turned the way its EXIF record says."""
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


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
