# SPDX-License-Identifier: Apache-2.0
"""Which parts of a surface can be seen from outside at all, and which lie in mouth or nose."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_DIRECTIONS = 60
_PIXEL = 0.003
#: How far behind the nearest surface a vertex still counts as seen, metres.
_SLACK = 0.006
#: Barycentric samples of a triangle.
_SAMPLES = np.array([(a, b, 6 - a - b) for a in range(7) for b in range(7 - a)]) / 6.0


def seen_from_outside(vertices: Array, faces: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[V]: whether a vertex is near the front of any of some parallel projections."""
    points = np.einsum("sk,fkc->fsc", _SAMPLES, vertices[faces]).reshape(-1, 3)
    seen = np.zeros(len(vertices), bool)
    for right, up, forward in _views():
        origin = vertices @ np.stack([right, up], axis=1)
        low = origin.min(axis=0) - _PIXEL
        shape = tuple(((origin.max(axis=0) - low) / _PIXEL).astype(int) + 2)
        depth = np.full(shape, -np.inf)
        np.maximum.at(depth, _pixels(points, right, up, low), points @ forward)
        seen |= vertices @ forward > depth[_pixels(vertices, right, up, low)] - _SLACK
    return seen


def _pixels(points: Array, right: Array, up: Array, low: Array) -> tuple[Array, Array]:
    x = ((points @ right - low[0]) / _PIXEL).astype(int)
    y = ((points @ up - low[1]) / _PIXEL).astype(int)
    return x, y


def _views() -> list[tuple[Array, Array, Array]]:
    """Directions spread evenly over the sphere along a spiral."""
    views = []
    for k in range(_DIRECTIONS):
        height = 1 - (2 * k + 1) / _DIRECTIONS
        turn = k * np.pi * (3 - np.sqrt(5))
        radius = np.sqrt(1 - height * height)
        forward = np.array([radius * np.cos(turn), height, radius * np.sin(turn)])
        right = np.cross([0.0, 1.0, 0.0], forward)
        right /= np.linalg.norm(right)
        views.append((right, np.cross(forward, right), forward))
    return views
