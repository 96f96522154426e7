# SPDX-License-Identifier: Apache-2.0
"""Closed surfaces to draw: capsules, spheres, and a person made of capsules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.render import Surface

Array = NDArray[np.float64]

# Radius in metres, ends: x to the left of the person, y up, z forward, origin at the pelvis.
_LIMBS = [
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


def capsule(
    start: ArrayLike, end: ArrayLike, radius: float, around: int = 24, rings: int = 20
) -> tuple[Array, NDArray[np.int32], NDArray[np.float32]]:
    """Vertices [V, 3], faces [F, 3] and uv [F, 3, 2] of a capsule; a sphere where the ends meet."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    axis = b - a if np.linalg.norm(b - a) > 0 else np.array([0.0, 1.0, 0.0])
    axis /= np.linalg.norm(axis)
    side = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    side /= np.linalg.norm(side)
    theta = (np.arange(1, rings + 1) / (rings + 1)) * np.pi
    phi = np.arange(around) / around * 2 * np.pi
    circle = np.cos(phi)[:, None] * side + np.sin(phi)[:, None] * np.cross(axis, side)
    centres = np.where(theta[:, None] <= np.pi / 2, a, b) - radius * np.cos(theta)[:, None] * axis
    wall = centres[:, None] + radius * np.sin(theta)[:, None, None] * circle
    vertices = np.concatenate([[a - radius * axis], wall.reshape(-1, 3), [b + radius * axis]])
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(around), indexing="ij")
    corner = 1 + i * around + j
    beside = 1 + i * around + (j + 1) % around
    quads = np.stack([corner, corner + around, beside + around, beside], -1).reshape(-1, 4)
    k = np.arange(around)
    first = np.stack([np.zeros_like(k), 1 + k, 1 + (k + 1) % around], -1)
    base = 1 + (rings - 1) * around
    last = np.stack([np.full_like(k, len(vertices) - 1), base + (k + 1) % around, base + k], -1)
    faces = np.concatenate([first, quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], last])
    # Faces run counter-clockwise seen from outside.
    faces = faces[:, ::-1] if _volume(vertices, faces) < 0 else faces
    turn = np.concatenate([[0.5], np.tile(phi / (2 * np.pi), rings), [0.5]])
    length = np.concatenate([[0], np.repeat(theta / np.pi, around), [1]])
    uv = np.stack([turn[faces], length[faces]], -1)
    uv[..., 0] += (uv[..., 0] < 0.5) & (uv[..., 0].max(axis=1, keepdims=True) > 0.8)
    return vertices, faces.astype(np.int32), np.clip(uv, 0, 1).astype(np.float32)


def joined(
    pieces: Sequence[tuple[Array, NDArray[np.int32], NDArray[np.float32]]],
) -> tuple[Surface, Array]:
    """Pieces as one surface, each a chart of its own, and its vertices."""
    starts = np.cumsum([0, *(len(v) for v, _, _ in pieces)])
    uv = np.concatenate([uv for _, _, uv in pieces])
    surface = Surface(
        int(starts[-1]),
        np.concatenate([f + s for (_, f, _), s in zip(pieces, starts, strict=False)]),
        np.concatenate([np.full(len(f), i + 1, np.uint8) for i, (_, f, _) in enumerate(pieces)]),
        uv,
        uv,
    )
    return surface, np.concatenate([v for v, _, _ in pieces])


def person(around: int = 24, rings: int = 21) -> tuple[Surface, Array]:
    """A person of 14 capsules, about 1.8 m: 14,112 faces and 7,084 vertices unless told."""
    return joined([capsule(a, b, radius, around, rings) for radius, a, b in _LIMBS])


def sphere(centre: ArrayLike, radius: float, around: int = 24) -> tuple[Surface, Array]:
    return joined([capsule(centre, centre, radius, around, around // 2)])


def _volume(vertices: Array, faces: NDArray[np.int64]) -> float:
    a, b, c = vertices[faces].transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)
