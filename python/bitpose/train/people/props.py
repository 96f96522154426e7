# SPDX-License-Identifier: Apache-2.0
"""Things that are no people: what they sit on, and what stands before and beside them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.render import Drawable, PerspectiveCamera, Surface
from bitpose.render.shapes import ball, joined
from bitpose.train.people.materials import Materials
from bitpose.train.people.standing import OUTLINE, Seat, Standing

Array = NDArray[Any]

#: Of pictures, the shares with something before a person, and with something beside or behind.
_HIDING, _BESIDE = 0.5, 0.25
_KINDS = ("low", "table", "pole", "wall", "furniture", "ball", "cutout")
_SHARES = (0.2, 0.14, 0.12, 0.14, 0.16, 0.08, 0.16)


def seats(
    people: Sequence[Standing], materials: Materials, random: np.random.Generator
) -> list[Drawable]:
    """Something below everyone who sits."""
    return [_seat(p.seat, materials, random) for p in people if p.seat is not None]


def _seat(seat: Seat, materials: Materials, random: np.random.Generator) -> Drawable:
    """A box, stool, chair, bench or armchair; boxes [centre, half extents], x to the left, z
    ahead."""
    top = float(seat.at[1])
    half = top / 2
    kind = ("box", "stool", "chair", "bench", "armchair")[random.integers(5)]
    wide, back = random.uniform(0.2, 0.28), random.uniform(0.16, 0.3)
    front = random.uniform(0.1, 0.25)
    middle, deep = (front - back) / 2, (front + back) / 2
    thick = min(random.uniform(0.01, 0.05), half)
    slab = [0, top - thick, middle, wide, thick, deep]
    legs = [
        [x * (wide - 0.02), half, middle + z * (deep - 0.02), 0.018, half, 0.018]
        for x in (-1, 1)
        for z in (-1, 1)
    ]
    high = random.uniform(0.2, 0.35)
    rest = [0, top + high, -back - 0.03, wide, high, 0.03]
    if kind == "box":
        boxes = [[0, half, middle, wide, half, deep]]
    elif kind == "bench":
        length = random.uniform(0.5, 1.0)
        aside = random.uniform(-0.3, 0.3)
        boxes = [[aside, top - thick, middle, length, thick, deep]]
        boxes += [[aside + x * 0.8 * length, half, middle, 0.03, half, deep] for x in (-1, 1)]
    elif kind == "armchair":
        wide += 0.08
        boxes = [
            [0, half, middle, wide, half, deep],
            [0, top + high, -back - 0.08, wide, high, 0.08],
        ]
        boxes += [[x * (wide + 0.07), half + 0.1, middle, 0.07, half + 0.1, deep] for x in (-1, 1)]
    else:
        boxes = [slab, *legs, *([rest] if kind == "chair" else [])]
    return _boxes(np.array(boxes), seat.at * (1, 0, 1), seat.ahead, materials, random)


def obstacles(
    people: Sequence[Standing],
    camera: PerspectiveCamera,
    materials: Materials,
    random: np.random.Generator,
) -> list[Drawable]:
    """Perhaps something between the camera and somebody, and something elsewhere."""
    found = []
    if random.random() < _HIDING:
        view = _View(people[_somebody(people, random)], camera)
        kind = _KINDS[random.choice(len(_KINDS), p=_SHARES)]
        found.append(_before(view, kind, materials, random))
    if random.random() < _BESIDE:
        view = _View(people[int(random.integers(len(people)))], camera)
        aside = random.choice([-1, 1]) * random.uniform(0.6, 2.0) * view.extent[0]
        far = view.near * random.uniform(1.0, 1.6)
        found.append(
            _furniture(view.at(view.middle[0] + aside, view.low[1], far), materials, random)
        )
    return found


def _somebody(people: Sequence[Standing], random: np.random.Generator) -> int:
    """The first person more often: the others are partly hidden as it is."""
    return int(random.integers(len(people))) if random.random() < 0.3 else 0


class _View:
    """Where the camera sees a person: rectangles in the plane one metre before it, y down."""

    def __init__(self, person: Standing, camera: PerspectiveCamera) -> None:
        self.R = camera.T_camera_world[:3, :3]
        shift = camera.T_camera_world[:3, 3]
        self.eye = -self.R.T @ shift
        points = person.bare[::OUTLINE] @ self.R.T + shift
        plane = points[:, :2] / np.maximum(points[:, 2:], 0.2)
        self.near = max(float(points[:, 2].min()), 0.3)
        first = np.array([-camera.cx / camera.fx, -camera.cy / camera.fy])
        last = first + np.array([camera.width / camera.fx, camera.height / camera.fy])
        low, high = np.maximum(plane.min(axis=0), first), np.minimum(plane.max(axis=0), last)
        self.top, self.low = low, np.maximum(high, low + 1e-3)
        self.extent, self.middle = self.low - self.top, (self.low + self.top) / 2

    def at(self, x: float, y: float, depth: float) -> Array:
        """The point of the world that is seen there."""
        return np.asarray(self.eye + self.R.T @ (np.array([x, y, 1.0]) * depth))

    def facing(self, random: np.random.Generator) -> Array:
        """[3]: level, and more or less towards the camera."""
        angle = np.arctan2(-self.R[2, 0], -self.R[2, 2]) + random.normal(0, 0.25)
        return np.array([np.sin(angle), 0.0, np.cos(angle)])


def _before(view: _View, kind: str, materials: Materials, random: np.random.Generator) -> Drawable:
    depth = view.near * random.uniform(0.55, 0.92)
    x = view.middle[0] + random.uniform(-0.45, 0.45) * view.extent[0]
    y = view.top[1] + random.uniform(0.1, 0.9) * view.extent[1]
    size = float(view.extent.max()) * depth
    if kind in ("low", "table"):
        covered = random.beta(1.6, 1.6) * 0.7
        at = view.at(x, view.low[1] - covered * view.extent[1], depth)
        return _low(at, kind == "table", materials, random)
    if kind == "pole":
        half = random.uniform(0.02, 0.1) * max(size, 0.3)
        return _upright(view.at(x, y, depth), half, _level(random), materials, random)
    if kind == "wall":
        half = random.uniform(0.3, 1.0)
        side = random.choice([-1.0, 1.0])
        covered = random.beta(1.5, 2.4)
        edge = view.middle[0] + side * (0.5 - covered) * view.extent[0]
        at = view.at(edge + side * half / depth, y, depth)
        return _upright(at, half, view.facing(random), materials, random)
    if kind == "furniture":
        return _furniture(view.at(x, y, depth), materials, random)
    at = view.at(x, y, depth)
    if kind == "ball":
        surface, vertices = _ball()
        round_ = vertices * (0.5 * size * random.uniform(0.1, 0.4)) + at
        return Drawable(surface, round_, materials.draw(random), back_faces=False)
    halves = 0.5 * size * random.uniform(0.2, 0.55, 2)
    turn = random.normal(0, 0.5)
    c, s = np.cos(turn), np.sin(turn)
    corners = _CORNERS * halves @ np.array([[c, s], [-s, c]])
    quad = at + corners @ view.R[:2]
    return Drawable(_QUAD, quad, materials.cutout(random))


def _low(at: Array, table: bool, materials: Materials, random: np.random.Generator) -> Drawable:
    """A half wall or a table whose top edge is at `at`."""
    top = max(float(at[1]), 0.1)
    half, thick = top / 2, min(random.uniform(0.01, 0.04), top / 2)
    wide, deep = random.uniform(0.3, 1.4), random.uniform(0.05, 0.35)
    boxes = [[0, half, 0, wide, half, deep]]
    if table:
        boxes = [[0, top - thick, 0, wide, thick, deep]]
        boxes += [
            [x * (wide - 0.05), half, z * (deep - 0.03), 0.025, half, 0.025]
            for x in (-1, 1)
            for z in (-1, 1)
        ]
        if random.random() < 0.5:
            high = random.uniform(0.04, 0.2)
            boxes += [
                [
                    random.uniform(-0.8, 0.8) * wide,
                    top + high,
                    0,
                    random.uniform(0.03, 0.25),
                    high,
                    0.5 * deep,
                ]
            ]
    return _boxes(np.array(boxes), at * (1, 0, 1), _level(random), materials, random)


def _upright(
    at: Array, half: float, ahead: Array, materials: Materials, random: np.random.Generator
) -> Drawable:
    """From the ground to above anyone."""
    boxes = np.array([[0, 1.5, 0, half, 1.5, min(half, random.uniform(0.03, 0.2))]])
    return _boxes(boxes, at * (1, 0, 1), ahead, materials, random)


def _furniture(at: Array, materials: Materials, random: np.random.Generator) -> Drawable:
    """One to four boxes on or beside each other, on the ground."""
    boxes: list[list[float]] = []
    top = 0.0
    for _ in range(random.integers(1, 5)):
        wide, high, deep = random.uniform((0.06, 0.04, 0.06), (0.45, 0.4, 0.3))
        stands = 0.0 if random.random() < 0.4 else top
        boxes.append(
            [*random.normal(0, 0.1, 1), stands + high, random.normal(0, 0.1), wide, high, deep]
        )
        top = max(top, stands + 2 * high)
    return _boxes(np.array(boxes), at * (1, 0, 1), _level(random), materials, random)


def _level(random: np.random.Generator) -> Array:
    angle = random.uniform(-np.pi, np.pi)
    return np.array([np.sin(angle), 0.0, np.cos(angle)])


def _boxes(
    boxes: Array, at: Array, ahead: Array, materials: Materials, random: np.random.Generator
) -> Drawable:
    """Boxes [N, 6], middle and half extents, in the frame of `ahead` about `at`."""
    corners = boxes[:, None, :3] + _CUBE * boxes[:, None, 3:]
    turn = np.array([[ahead[2], 0, ahead[0]], [0, 1, 0], [-ahead[0], 0, ahead[2]]])
    vertices = corners.reshape(-1, 3) @ turn.T + at
    return Drawable(_box_surface(len(boxes)), vertices, materials.draw(random), back_faces=False)


#: The corners of a square, and of the faces of a cube one after the other: each has its own, so
#: that edges are sharp.
_CORNERS = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
_CUBE = np.concatenate(
    [
        np.roll(np.column_stack([_CORNERS[:, ::side], np.full(4, side)]), axis, axis=1)
        for axis in range(3)
        for side in (1, -1)
    ]
)
_TWO = np.array([[0, 1, 2], [0, 2, 3]])
_SQUARE_UV = ((_CORNERS + 1) / 2)[_TWO]
_QUAD = Surface(
    4, _TWO[:, ::-1].astype(np.int32), texture_uv=_SQUARE_UV[:, ::-1].astype(np.float32)
)


@cache
def _box_surface(count: int) -> Surface:
    faces = (_TWO + 4 * np.arange(6 * count)[:, None, None]).reshape(-1, 3)
    uv = np.tile(_SQUARE_UV, (6 * count, 1, 1))
    return Surface(24 * count, faces.astype(np.int32), texture_uv=uv.astype(np.float32))


@cache
def _ball() -> tuple[Surface, Array]:
    return joined([ball((0, 0, 0), 1.0, 16)])
