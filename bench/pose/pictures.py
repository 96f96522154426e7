# SPDX-License-Identifier: Apache-2.0
"""`python -m bench.pose.pictures FILE`: what is found in the photos of ../shared, without them.

For each photo the surface and keypoints of the people on a blank ground, their bodies, and each
body from its side.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.accuracy.photos import SHARED
from bitpose.pose.draw import draw_keypoints
from bitpose.pose.estimate import Estimator
from bitpose.pose.person import Person
from bitpose.render import rasterize
from bitpose.render.overlay import draw_iuv, draw_meshes, side_views

Picture = NDArray[np.uint8]

_PHOTOS = (
    "coral_squat.bmp",
    "coco/000000000785.jpg",
    "coco/000000040083.jpg",
    "coco/000000196141.jpg",
    "coco/000000197388.jpg",
)
_NETWORK, _DETECTOR = "movenet_lightning_ptq", "nanodet_m_320"
_HEIGHT, _GROUND, _GAP = 260, 238, 8
_SURE = 0.3


def row(people: list[Person]) -> Picture:
    """The pictures of one photo side by side."""
    camera = people[0].camera
    bodies = [d for d in (person.drawable for person in people) if d is not None]
    blank = np.full((camera.height, camera.width, 3), _GROUND, np.uint8)
    surface = draw_iuv(blank, rasterize(bodies, camera).iuv, opacity=1.0)
    drawn = draw_keypoints(Image.fromarray(surface), [p.keypoints for p in people], _SURE)
    meshes = draw_meshes(blank, bodies, camera)
    sides = side_views(bodies, camera, height=_HEIGHT)
    return beside([np.asarray(drawn), meshes, sides])


def beside(pictures: list[Picture]) -> Picture:
    parts = []
    for picture in pictures:
        width = round(picture.shape[1] * _HEIGHT / picture.shape[0])
        parts += [
            np.asarray(Image.fromarray(picture).resize((width, _HEIGHT), Image.Resampling.LANCZOS)),
            np.full((_HEIGHT, _GAP, 3), 255, np.uint8),
        ]
    return np.concatenate(parts[:-1], axis=1)


def main() -> None:
    models = SHARED / "models"
    estimator = Estimator(models / f"{_NETWORK}.onnx", models / f"{_DETECTOR}.onnx")
    rows = [row(estimator(SHARED / "images" / name)) for name in _PHOTOS]
    width = max(picture.shape[1] for picture in rows)
    sheet = np.full((len(rows) * (_HEIGHT + _GAP) - _GAP, width, 3), 255, np.uint8)
    for i, picture in enumerate(rows):
        top = i * (_HEIGHT + _GAP)
        sheet[top : top + _HEIGHT, : picture.shape[1]] = picture
    Image.fromarray(sheet).save(sys.argv[1], quality=88)


if __name__ == "__main__":
    main()
