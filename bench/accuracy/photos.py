# SPDX-License-Identifier: Apache-2.0
"""The photos that networks are calibrated on, and those that they are judged by."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bitpose.pose.photo import Box, Placement, crop, letterbox, load_photo, views

Array = NDArray[Any]

SHARED = Path(os.environ.get("BITPOSE_SHARED", Path(__file__).parents[2] / "shared"))
_IMAGES = SHARED / "images"
CALIBRATION = ("coral_squat.bmp", "coco/000000000785.jpg", "coco/000000040083.jpg")
TEST = ("coral_grace_hopper.bmp", "coco/000000196141.jpg", "coco/000000197388.jpg")
#: Persons that are smaller or show less are not looked at on their own.
_LEAST_AREA, _LEAST_KEYPOINTS = 5000, 6
#: The man who squats fills his picture, which has no annotations.
_SQUAT = Box(100, 130, 270, 480)


@dataclass(frozen=True)
class View:
    """A photo or a part of one. `person` is the longer side of the box of the one that it shows."""

    name: str
    photo: Image.Image
    person: float | None = None

    def fitted(self, height: int, width: int) -> tuple[Array, Placement]:
        """The view in an input [height, width, 3] of a network, and where it lies there."""
        return letterbox(self.photo, height, width)


def scenes(names: tuple[str, ...], variants: slice = slice(None)) -> list[View]:
    """Photos with variants of them, the first of which is the photo itself."""
    found = []
    for name in names:
        found += [View(name, view) for view in views(load_photo(_IMAGES / name))[variants]]
    return found


def persons(names: tuple[str, ...]) -> list[View]:
    """Squares around the persons of photos, 1.25 times their boxes, and their mirror images."""
    found = []
    for name in names:
        photo = load_photo(_IMAGES / name)
        for box in _boxes(name):
            part, _, _ = crop(photo, box.square())
            side = max(box.width, box.height)
            found += [View(name, view, side) for view in (part, ImageOps.mirror(part))]
    return found


def _boxes(name: str) -> list[Box]:
    if name == "coral_squat.bmp":
        return [_SQUAT]
    found = json.loads((_IMAGES / "coco" / "keypoints.json").read_text())
    ids = {image["file_name"]: image["id"] for image in found["images"]}
    return [
        Box(*person["bbox"])
        for person in found["annotations"]
        if person["image_id"] == ids.get(Path(name).name)
        and person["num_keypoints"] >= _LEAST_KEYPOINTS
        and person["bbox"][2] * person["bbox"][3] >= _LEAST_AREA
    ]


@dataclass(frozen=True)
class Pixels:
    """How pixels 0..255 become a float input: (pixel - mean) / deviation."""

    bgr: bool = False
    mean: tuple[float, float, float] | float = 0.0
    deviation: tuple[float, float, float] | float = 255.0

    def apply(self, picture: Array, channels_last: bool) -> Array:
        """A picture [H, W, 3] as an input [1, H, W, 3] or [1, 3, H, W]."""
        pixels = (picture[..., ::-1] if self.bgr else picture).astype(np.float32)
        mean, deviation = (np.array(x, np.float32) for x in (self.mean, self.deviation))
        x = (pixels - mean) / deviation
        return np.ascontiguousarray(x[None] if channels_last else x[None].transpose(0, 3, 1, 2))
