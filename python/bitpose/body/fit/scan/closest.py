# SPDX-License-Identifier: Apache-2.0
"""The nearest points of a surface, and on which side of it a point lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Index = NDArray[np.int32]

#: Vertices around which the nearest triangle is looked for.
_NEIGHBOURS = 3
#: Metres that a unit of difference between normals counts as.
_TURNED = 0.08
#: Metres: nearer points are measured along the surface's normal.
_NEAR = 5e-4


@dataclass(frozen=True, eq=False)
class Nearest:
    """Of N points."""

    corners: Index
    """[N, 3]: the vertices of the triangle that holds the nearest point."""
    barycentrics: Array
    """[N, 3]."""
    distance: Array
    """[N] metres, negative inside."""
    direction: Array
    """[N, 3]: unit vectors, from inside to outside, in which a point is from its nearest one."""
    normals: Array
    """[N, 3]: of the surface there."""


@dataclass(frozen=True, eq=False)
class Fans:
    """The triangles around each vertex of a surface."""

    faces: Index
    """[F, 3]."""
    around: Index
    """[V, n]: faces, repeated where a vertex has fewer than n."""

    @classmethod
    def of(cls, faces: Index, vertices: int) -> Fans:
        """Raises ValueError where a vertex has no face."""
        order = np.argsort(faces.ravel(), kind="stable")
        counts = np.bincount(faces.ravel(), minlength=vertices)
        starts = np.cumsum(counts) - counts
        places = starts[:, None] + np.arange(counts.max()) % counts[:, None]
        return cls(faces, (order // 3)[places].astype(np.int32))

    def nearest(
        self, points: Array, vertices: Array, normals: Array, facing: Array | None = None
    ) -> Nearest:
        """On the surface of `vertices` [V, 3] with unit `normals` [V, 3], for `points` [N, 3].

        Where normals of the points are given, `facing` [N, 3], surfaces that look elsewhere count
        as further away.
        """
        from scipy.spatial import cKDTree

        places, sought = vertices, points
        if facing is not None:
            places = np.concatenate([vertices, _TURNED * normals], axis=1)
            sought = np.concatenate([points, _TURNED * facing], axis=1)
        _, found = cKDTree(places).query(sought, k=_NEIGHBOURS)
        tried = self.around[found].reshape(len(points), -1)
        weights = _barycentrics(points[:, None], vertices[self.faces[tried]])
        at = (weights[..., None] * vertices[self.faces[tried]]).sum(axis=-2)
        squares = np.sum((points[:, None] - at) ** 2, axis=-1)
        best = np.argmin(squares, axis=1)
        rows = np.arange(len(points))
        corners, weights, at = self.faces[tried[rows, best]], weights[rows, best], at[rows, best]
        normal = (weights[..., None] * normals[corners]).sum(axis=1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        away = points - at
        length = np.linalg.norm(away, axis=1)
        sign = np.where(np.sum(away * normal, axis=1) < 0, -1.0, 1.0)
        direction = np.where(
            (length > _NEAR)[:, None], (sign / np.maximum(length, _NEAR))[:, None] * away, normal
        )
        return Nearest(corners, weights, sign * length, direction, normal)


def _barycentrics(points: Array, triangles: Array) -> Array:
    """[..., 3] of the nearest points of `triangles` [..., 3, 3]: in the plane, else on an edge."""
    a, b, c = (triangles[..., i, :] for i in range(3))
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = np.sum(u * u, -1), np.sum(u * v, -1), np.sum(v * v, -1)
    wu, wv = np.sum(w * u, -1), np.sum(w * v, -1)
    area = np.maximum(uu * vv - uv * uv, 1e-30)
    second, third = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
    inner = np.stack([1 - second - third, second, third], axis=-1)
    best, least = inner, np.where((inner >= 0).all(axis=-1), -np.inf, np.inf)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        start, edge = triangles[..., i, :], triangles[..., j, :] - triangles[..., i, :]
        along = np.sum((points - start) * edge, -1) / np.maximum(np.sum(edge * edge, -1), 1e-30)
        along = np.clip(along, 0, 1)
        away = np.sum((points - start - along[..., None] * edge) ** 2, -1)
        on_edge = np.zeros_like(inner)
        on_edge[..., i], on_edge[..., j] = 1 - along, along
        nearer = away < least
        best = np.where(nearer[..., None], on_edge, best)
        least = np.where(nearer, away, least)
    return best
