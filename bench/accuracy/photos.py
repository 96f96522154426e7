# SPDX-License-Identifier: Apache-2.0
"""The photos that networks are calibrated on, and those that they are judged by."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bitpose.pose.photo import Box, Placement, crop, letterbox, load_photo

Array = NDArray[Any]

SHARED = Path(os.environ.get("BITPOSE_SHARED", Path(__file__).parents[2] / "shared"))
_IMAGES = SHARED / "images"
CALIBRATION = ("coral_squat.bmp", "coco/000000000785.jpg", "coco/000000040083.jpg")
TEST = ("coral_grace_hopper.bmp", "coco/000000196141.jpg", "coco/000000197388.jpg")
#: Persons that are smaller or show less are not looked at on their own.
_LEAST_AREA, _LEAST_KEYPOINTS = 5000, 6
#: Of a forearm's length in pixels: the shortest that is looked at, the way from the wrist to the
#: palm, and the side of a square around a hand.
_LEAST_FOREARM, _TO_PALM, _HAND = 16, 0.35, 1.5
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


def scenes(
    names: tuple[str, ...], variants: Callable[[Image.Image], list[Image.Image]]
) -> list[View]:
    """Photos as `variants` of them, the first of which is the photo itself."""
    return [View(name, view) for name in names for view in variants(load_photo(_IMAGES / name))]


def framings(photo: Image.Image) -> list[Image.Image]:
    """A photo, as it could have been taken otherwise: nearer, from either side, mirrored."""
    width, height = photo.size
    return [
        photo,
        photo.crop((width // 4, height // 4, 3 * width // 4, 3 * height // 4)),
        photo.crop((0, 0, width // 2, height)),
        photo.crop((width // 3, 0, width, height)),
        ImageOps.mirror(photo),
    ]


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


def hands(names: tuple[str, ...]) -> list[View]:
    """Squares around the hands of photos, which lie beyond the wrist as the forearm points."""
    found = []
    for name in names:
        photo = load_photo(_IMAGES / name)
        for person in _annotations(name):
            keypoints = np.array(person["keypoints"], np.float64).reshape(-1, 3)
            for elbow, wrist in zip(keypoints[[7, 8]], keypoints[[9, 10]], strict=True):
                forearm = wrist - elbow
                length = float(np.hypot(*forearm[:2]))
                if elbow[2] > 0 and wrist[2] > 0 and length >= _LEAST_FOREARM:
                    x, y = wrist[:2] + _TO_PALM * forearm[:2]
                    side = _HAND * length
                    part, _, _ = crop(photo, Box(x - side / 2, y - side / 2, side, side))
                    found.append(View(name, part))
    return found


def _boxes(name: str) -> list[Box]:
    if name == "coral_squat.bmp":
        return [_SQUAT]
    return [
        Box(*person["bbox"])
        for person in _annotations(name)
        if person["num_keypoints"] >= _LEAST_KEYPOINTS
        and person["bbox"][2] * person["bbox"][3] >= _LEAST_AREA
    ]


def _annotations(name: str) -> list[dict[str, Any]]:
    """COCO's, of the persons in a photo."""
    found = json.loads((_IMAGES / "coco" / "keypoints.json").read_text())
    ids = {image["file_name"]: image["id"] for image in found["images"]}
    return [p for p in found["annotations"] if p["image_id"] == ids.get(Path(name).name)]
