# SPDX-License-Identifier: Apache-2.0
"""Simple closed surfaces: capsules and balls, to stand for limbs or to stand in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError
from bitpose.render.surface import Surface

Array = NDArray[np.float64]

# Radius and ends of limbs in metres, from the pelvis: x to the person's left, y up, z forward.
_MANNEQUIN = [
    (0.130, (0, 0.08, 0), (0, 0.42, 0)),
    (0.135, (-0.05, 0, 0), (0.05, 0, 0)),
    (0.100, (0, 0.72, 0.02), (0, 0.78, 0.02)),
    (0.055, (0, 0.50, 0), (0, 0.64, 0.01)),
    *(
        limb
        for side in (-1, 1)
        for limb in [
            (0.050, (side * 0.19, 0.47, 0), (side * 0.45, 0.44, 0.02)),
            (0.042, (side * 0.45, 0.44, 0.02), (side * 0.70, 0.42, 0.06)),
            (0.075, (side * 0.10, -0.06, 0), (side * 0.13, -0.46, 0.02)),
            (0.055, (side * 0.13, -0.46, 0.02), (side * 0.14, -0.86, -0.01)),
            (0.040, (side * 0.14, -0.90, -0.02), (side * 0.16, -0.90, 0.14)),
        ]
    ),
]


@dataclass(frozen=True)
class Piece:
    """Vertices [V, 3], faces [F, 3] that run counter-clockwise seen from outside, uv [F, 3, 2]."""

    vertices: Array
    faces: NDArray[np.int32]
    uv: NDArray[np.float32]


def capsule(
    start: ArrayLike, end: ArrayLike, radius: float, around: int = 24, rings: int = 20
) -> Piece:
    """What is within `radius` of the line from `start` to `end`, or of that point.

    `rings` circles of `around` vertices each, and two poles. u goes around, v from start to end.
    """
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    if around < 3 or rings < 1 or a.shape != (3,) or b.shape != (3,):
        raise InputError("a capsule needs two points, at least 3 vertices around, and 1 ring")
    axis = b - a if (a != b).any() else np.array([0.0, 1.0, 0.0])
    axis /= np.linalg.norm(axis)
    side = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    side /= np.linalg.norm(side)
    theta = np.arange(1, rings + 1) / (rings + 1) * np.pi
    phi = np.arange(around) / around * 2 * np.pi
    circle = np.cos(phi)[:, None] * side + np.sin(phi)[:, None] * np.cross(axis, side)
    centres = np.where(theta[:, None] <= np.pi / 2, a, b) - radius * np.cos(theta)[:, None] * axis
    wall = centres[:, None] + radius * np.sin(theta)[:, None, None] * circle
    vertices = np.concatenate([[a - radius * axis], wall.reshape(-1, 3), [b + radius * axis]])
    rows, turns = _lattice(around, rings)
    uv = np.stack([turns / around, rows / (rings + 1)], -1)
    index = np.clip(1 + (rows - 1) * around + turns % around, 0, len(vertices) - 1)
    index = np.where(rows == 0, 0, np.where(rows == rings + 1, len(vertices) - 1, index))
    return Piece(vertices, index.astype(np.int32), uv.astype(np.float32))


def ball(centre: ArrayLike, radius: float, around: int = 24) -> Piece:
    return capsule(centre, centre, radius, around, around // 2)


def mannequin(around: int = 24, rings: int = 21) -> tuple[Surface, Array]:
    """A person of 14 capsules, 1.8 m, arms held out, to try cameras and light with.

    x is to the person's left, y up, z where it looks; the pelvis is the origin. Unless told
    otherwise it has 14,112 faces and 7,084 vertices.
    """
    return joined([capsule(a, b, radius, around, rings) for radius, a, b in _MANNEQUIN])


def joined(pieces: Sequence[Piece]) -> tuple[Surface, Array]:
    """Pieces as one surface, each a chart of its own from 1 on, and its vertices.

    The charts are texture coordinates as well.
    """
    starts = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    parts = np.repeat(np.arange(1, len(pieces) + 1), [len(piece.faces) for piece in pieces])
    faces = [piece.faces + start for piece, start in zip(pieces, starts, strict=False)]
    uv = np.concatenate([piece.uv for piece in pieces])
    surface = Surface(
        int(starts[-1]), np.concatenate(faces).astype(np.int32), parts.astype(np.uint8), uv, uv
    )
    return surface, np.concatenate([piece.vertices for piece in pieces])


def _lattice(around: int, rings: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each corner of each face [F, 3]: its row, 0 and rings + 1 being poles, and its turn."""
    row, turn = (x.ravel() for x in np.mgrid[: rings + 1, :around])
    lower = np.stack([row, row, row + 1], -1), np.stack([turn, turn + 1, turn + 1], -1)
    upper = np.stack([row, row + 1, row + 1], -1), np.stack([turn, turn + 1, turn], -1)
    rows, turns = np.concatenate([lower, upper], axis=1)
    # Faces with two corners in one pole have no area.
    kept = np.concatenate([row > 0, row < rings])
    return rows[kept], turns[kept]
