# SPDX-License-Identifier: Apache-2.0
"""What networks see in float and in int8.

python -m bench.accuracy.pictures FOLDER [network ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import bitpose
from bench.accuracy.judge import Trial
from bench.accuracy.networks import NETWORKS
from bench.accuracy.photos import View
from bench.accuracy.tasks import Detections, Mask, Outputs, PersonKeypoints, Task
from bitpose.pose.draw import draw_keypoints

#: Height of a photo in the picture.
_HEIGHT = 640
#: Of the views, by whether they are of parts of photos: those that are framed as taken.
_EVERY = {False: 5, True: 2}
_SHOWN = 3
_MARGIN, _TITLE = 16, 48
_INK, _PAPER = (30, 30, 30), (255, 255, 255)
_COLOURS = ((230, 57, 70), (29, 120, 200), (42, 157, 80), (244, 140, 30), (140, 80, 190))
_MASK = (29, 120, 200)


def draw(task: Task, outputs: Outputs, view: View, size: tuple[int, int]) -> Image.Image:
    """The photo, enlarged, with what the network sees in it."""
    factor = _HEIGHT / view.photo.height
    shape = (round(view.photo.width * factor), _HEIGHT)
    photo = view.photo.resize(shape, Image.Resampling.BICUBIC)
    large = View(view.name, photo, view.person and view.person * factor)
    if isinstance(task, PersonKeypoints):
        _, placement = large.fitted(*size)
        person = task.decode(outputs, *size).placed(placement)
        return draw_keypoints(photo, [person], task.threshold)
    if isinstance(task, Detections):
        return _draw_boxes(task, outputs, large, size)
    assert isinstance(task, Mask)
    return _draw_mask(task, outputs, large, size)


def _draw_boxes(
    task: Detections, outputs: Outputs, view: View, size: tuple[int, int]
) -> Image.Image:
    _, placement = view.fitted(*size)
    found = task.boxes(outputs, size, task.threshold)
    picture = view.photo.copy()
    canvas, font = ImageDraw.Draw(picture), ImageFont.load_default(18)
    corners = placement.to_photo(found.corners.reshape(-1, 2, 2).astype(np.float32))
    for box, score, kind in zip(
        corners.reshape(-1, 4).tolist(), found.scores, found.classes, strict=True
    ):
        colour = _COLOURS[int(kind) % len(_COLOURS)]
        canvas.rectangle(box, outline=colour, width=4)
        text, spot = f"{score:.2f}", (max(0.0, box[0]) + 6, max(0.0, box[1]) + 4)
        left, top, right, bottom = canvas.textbbox(spot, text, font)
        canvas.rectangle((left - 3, top - 3, right + 3, bottom + 3), fill=colour)
        canvas.text(spot, text, _PAPER, font)
    return picture


def _draw_mask(task: Mask, outputs: Outputs, view: View, size: tuple[int, int]) -> Image.Image:
    inside = task.decode(outputs).squeeze()
    mask = Image.fromarray((inside * 255).astype(np.uint8)).resize(size[::-1])
    _, placement = view.fitted(*size)
    left, top = placement.left, placement.top
    part = mask.crop(
        (
            round(left),
            round(top),
            round(left + view.photo.width * placement.scale),
            round(top + view.photo.height * placement.scale),
        )
    ).resize(view.photo.size)
    tinted = Image.blend(view.photo, Image.new("RGB", view.photo.size, _MASK), 0.6)
    return Image.composite(tinted, view.photo, part)


def side_by_side(columns: list[tuple[str, Image.Image]]) -> Image.Image:
    """Pictures of one height next to each other, with titles."""
    width = sum(picture.width + _MARGIN for _, picture in columns) + _MARGIN
    sheet = Image.new("RGB", (width, _HEIGHT + _TITLE + _MARGIN), _PAPER)
    canvas, font = ImageDraw.Draw(sheet), ImageFont.load_default(24)
    left = _MARGIN
    for title, picture in columns:
        canvas.text((left, 10), title, _INK, font)
        sheet.paste(picture, (left, _TITLE))
        left += picture.width + _MARGIN
    return sheet


def stacked(rows: list[Image.Image]) -> Image.Image:
    """Pictures on top of each other."""
    size = max(row.width for row in rows), sum(row.height for row in rows)
    sheet = Image.new("RGB", size, _PAPER)
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for network in NETWORKS:
        if names and network.name not in names:
            continue
        trial = Trial(network)
        model = bitpose.compile(
            network.path,
            shapes=network.shapes,
            precision="int8",
            calibration=trial.calibration,
        )
        _draw_network(folder, trial, bitpose.InferenceSession(model.to_bytes()))


def _draw_network(folder: Path, trial: Trial, int8: bitpose.InferenceSession) -> None:
    for task in trial.network.tasks:
        if not isinstance(task, PersonKeypoints | Detections | Mask):
            continue
        rows = []
        for view, feed, exact in trial.tests[:: _EVERY[trial.network.parts is not None]][:_SHOWN]:
            versions = (("float32", exact), ("int8", int8.run(None, feed)))
            pictures = [(t, draw(task, o, view, trial.size)) for t, o in versions]
            rows.append(side_by_side(pictures))
        name = f"{trial.network.name}_{type(task).__name__.lower()}.png"
        stacked(rows).save(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
