# SPDX-License-Identifier: Apache-2.0
"""Moving people, rendered, and networks that see them by dots that are drawn at their keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import bitpose
from bitpose.body import BodyModel, default_surface
from bitpose.body.fit.prior import PosePrior
from bitpose.body.model import PosedBody
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.render import Drawable, PerspectiveCamera, render
from tests.python.tiny import constants

Array = NDArray[Any]

WIDTH, HEIGHT, FOCAL, INPUT = 360, 240, 400.0, 192
RATE = 30
_RADIUS, _BLUE = 2, 255


@cache
def model() -> BodyModel:
    return BodyModel.load(dtype=np.float64)


def moving(frames: int, seed: int, start: float, end: float) -> PosedBody:
    """Somebody who goes from x = `start` metres to `end`, from one mean of the prior to another."""
    rng = np.random.default_rng(seed)
    means = PosePrior.load().poses[1:]
    first, last = rng.choice(len(means), 2, replace=False)
    share = (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, frames)))[:, None, None]
    poses = np.zeros((frames, 24, 3))
    poses[:, 1:] = (1 - share) * means[first] + share * means[last]
    rotations = axis_angle_to_matrix(poses)
    heading = axis_angle_to_matrix(share[:, 0] * np.array([0, 0.8, 0]))
    rotations[:, 0] = np.diag([1.0, -1.0, -1.0]) @ heading
    place = np.array([start, 0.1, 4.0 + 0.3 * seed]) + share[:, 0] * np.array([end - start, 0, 0.2])
    return model().with_shape(rng.normal(0, 0.7, 16)).with_pose(rotations, place)


def keypoints(posed: PosedBody) -> Array:
    """[..., 17, 3] metres."""
    return model().keypoints["COCO-17"].positions(posed.vertices())


def pictures(people: Sequence[PosedBody]) -> list[Image.Image]:
    """A frame for each pose, with a dot at each keypoint: red says which, green whose."""
    camera = PerspectiveCamera(width=WIDTH, height=HEIGHT, fx=FOCAL, fy=FOCAL)
    surface = default_surface.load().charts.surface()
    vertices = [posed.vertices() for posed in people]
    points = [keypoints(posed) for posed in people]
    result = []
    for frame in range(len(vertices[0])):
        bodies = [Drawable(surface, v[frame], back_faces=False) for v in vertices]
        picture = Image.fromarray(render(bodies, camera).rgb)
        draw = ImageDraw.Draw(picture)
        for person, of_person in enumerate(points):
            xy, _ = camera.project(of_person[frame])
            for number, (x, y) in enumerate(xy.tolist()):
                box = [x - 0.5 - _RADIUS, y - 0.5 - _RADIUS, x - 0.5 + _RADIUS, y - 0.5 + _RADIUS]
                draw.ellipse(box, fill=(*_colour(number, person), _BLUE))
        result.append(picture)
    return result


def _colour(number: int, person: int) -> tuple[int, int]:
    return 20 + 13 * number, 60 + 80 * person


def _dots(picture: Array, person: int) -> Array:
    """[17, 2]: where the dots of a person are in a picture [H, W, 3]; NaN for none."""
    found = np.full((17, 2), np.nan)
    for number in range(17):
        off = np.abs(picture.astype(int) - (*_colour(number, person), _BLUE)).max(axis=-1)
        rows, columns = np.nonzero(off < 6)
        if len(rows):
            found[number] = columns.mean() + 0.5, rows.mean() + 0.5
    return found


class Poser(bitpose.InferenceSession):
    """A MoveNet that sees the dots of whoever is nearest to the middle."""

    def __init__(self) -> None:
        super().__init__(constants({"y": np.zeros((1, 1, 17, 3))}, INPUT).SerializeToString())

    def run(self, names: Any, feed: Any, *_: Any) -> list[Array]:
        picture = feed["picture"][0] * 255
        people = [_dots(picture, person) for person in range(2)]
        there = [dots for dots in people if np.isfinite(dots).any()]
        if not there:
            return [np.zeros((1, 1, 17, 3), np.float32)]
        away = [np.linalg.norm(np.nanmean(dots, axis=0) - INPUT / 2) for dots in there]
        xy = there[int(np.argmin(away))]
        seen = np.isfinite(xy).all(axis=1)
        rows = np.column_stack([np.nan_to_num(xy[:, ::-1]) / INPUT, 0.9 * seen])
        return [rows[None, None].astype(np.float32)]


class Finder(bitpose.InferenceSession):
    """An SSD that finds whose dots it sees, but for `missed` pairs of a frame and a person."""

    def __init__(self, missed: Sequence[tuple[int, int]] = ()) -> None:
        shapes = {"boxes": (1, 10, 4), "classes": (1, 10), "scores": (1, 10), "count": (1,)}
        outputs = {name: np.zeros(shape) for name, shape in shapes.items()}
        super().__init__(constants(outputs, WIDTH).SerializeToString())
        self._missed, self._frame = set(missed), -1

    def run(self, names: Any, feed: Any, *_: Any) -> list[Array]:
        self._frame += 1
        picture = feed["picture"][0] * 255
        boxes, scores, count = np.zeros((1, 10, 4)), np.zeros((1, 10)), 0
        for person in (1, 0):
            dots = _dots(picture, person)
            if (self._frame, person) in self._missed or not np.isfinite(dots).any():
                continue
            low, high = np.nanmin(dots, axis=0) - 8, np.nanmax(dots, axis=0) + 8
            boxes[0, count] = np.array([low[1], low[0], high[1], high[0]]) / WIDTH
            scores[0, count], count = 0.9 - 0.1 * person, count + 1
        found = boxes, np.zeros((1, 10)), scores, np.array([count])
        return [x.astype(np.float32) for x in found]
