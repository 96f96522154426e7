# SPDX-License-Identifier: Apache-2.0
"""A closed triangle mesh with what shape deformation needs: neighbours and cotangent weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Surface:
    """Vertices [V, 3] at rest and triangles [F, 3], counter-clockwise from outside."""

    rest: Array
    faces: NDArray[np.int64]

    @cached_property
    def edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
        """Directed edges i, j, each both ways, and their cotangent weights, at least a little."""
        i, j, cotangents = [], [], []
        for corner in range(3):
            a, b, c = (self.faces[:, (corner + k) % 3] for k in range(3))
            u, v = self.rest[a] - self.rest[c], self.rest[b] - self.rest[c]
            area = np.maximum(np.linalg.norm(np.cross(u, v), axis=1), 1e-12)
            half = np.sum(u * v, axis=1) / area / 2
            i += [a, b]
            j += [b, a]
            cotangents += [half, half]
        count = len(self.rest)
        rows, columns = np.concatenate(i), np.concatenate(j)
        matrix = sp.coo_matrix((np.concatenate(cotangents), (rows, columns)), (count, count))
        matrix = matrix.tocsr().tocoo()
        return matrix.row, matrix.col, np.clip(matrix.data, 0.05, 3.0)

    def mean_around(self, values: Array) -> Array:
        """[V, n]: the mean of `values` over the neighbours of each vertex."""
        i, j, _ = self.edges
        ones = sp.csr_matrix((np.ones(len(i)), (i, j)), (len(values), len(values)))
        return np.asarray(ones @ values / np.asarray(ones.sum(axis=1)))

    def volume(self, vertices: Array) -> float:
        """Inside the surface, with its vertices where they are said to be."""
        a, b, c = (vertices[self.faces[:, k]] for k in range(3))
        return float(np.sum(np.cross(a, b) * c) / 6)

    def area_normals(self, vertices: Array) -> Array:
        """[V, 3]: a third of the area around each vertex, as a vector outwards."""
        a, b, c = (vertices[self.faces[:, k]] for k in range(3))
        of_faces = np.cross(b - a, c - a) / 6
        sums = np.zeros_like(vertices)
        for k in range(3):
            np.add.at(sums, self.faces[:, k], of_faces)
        return sums


def triangles(
    quads: NDArray[np.int64], vertices: Array, mirror: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Quads cut along their shorter diagonal, alike on both sides of the body."""
    cuts: dict[frozenset[int], frozenset[int]] = {}
    faces = []
    for quad in quads.tolist():
        p, q, r, s = quad
        key = frozenset(quad)
        if key not in cuts:
            first, second = (round(float(np.sum((vertices[a] - vertices[b]) ** 2)), 9)
                             for a, b in ((p, r), (q, s)))  # fmt: skip
            cuts[key] = frozenset((p, r) if first <= second else (q, s))
            mirrored = frozenset(mirror[quad].tolist())
            cuts.setdefault(mirrored, frozenset(mirror[list(cuts[key])].tolist()))
        faces += [(p, q, r), (p, r, s)] if p in cuts[key] else [(p, q, s), (q, r, s)]
    return np.array(faces)
