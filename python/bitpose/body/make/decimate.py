# SPDX-License-Identifier: Apache-2.0
"""Fewer vertices for a closed, symmetric surface, chosen among those it has.

Half of the surface is simplified by collapsing edges onto one of their ends, cheapest first by the
quadric error of Garland and Heckbert (1997), and then mirrored. Vertices of the middle collapse
along the middle only, so both halves fit together.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Weight of the squared length of an edge against the quadric error: prefers short edges.
_LENGTH = 2e-3
_MOST_NEIGHBOURS = 9
_LEAST_QUALITY = 0.12
_LEAST_COSINE = 0.4


def decimate(
    vertices: Array,
    faces: NDArray[np.int64],
    mirror: NDArray[np.int64],
    importance: Array,
    longest: Array,
    target: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The vertices kept, sorted, and the triangles [F, 3] between them, by new numbers.

    `importance` [V] scales the error around a vertex; `longest` [V] bounds the edges at it.
    """
    middle = mirror == np.arange(len(mirror))
    left = middle | (vertices[:, 0] > 0)
    half = _Half(vertices, faces[left[faces].all(axis=1)], middle, importance, longest)
    count = 2 * int(left.sum()) - int(middle.sum())
    half.collapse(count - target)
    kept_faces = np.array(sorted(half.faces.values()))
    kept_faces = np.concatenate([kept_faces, mirror[kept_faces][:, ::-1]])
    kept = np.unique(kept_faces)
    number = np.full(len(vertices), -1)
    number[kept] = np.arange(len(kept))
    return kept, number[kept_faces]


class _Half:
    """The left half while it is being simplified."""

    def __init__(
        self,
        vertices: Array,
        faces: NDArray[np.int64],
        middle: NDArray[np.bool_],
        importance: Array,
        longest: Array,
    ) -> None:
        self.position = vertices
        self.middle = middle
        self.longest = longest
        self.faces = {k: tuple(face) for k, face in enumerate(faces.tolist())}
        self.around: dict[int, set[int]] = {}
        for k, face in self.faces.items():
            for v in face:
                self.around.setdefault(v, set()).add(k)
        self.quadric = {v: importance[v] * self._quadric(v) for v in self.around}
        self.importance = importance

    def collapse(self, count: int) -> None:
        """Removes this many vertices of the whole surface, or as many as can go."""
        queue: list[tuple[float, int, int]] = []
        for v in sorted(self.around):
            self._push(queue, v)
        while count > 0 and queue:
            cost, u, v = heapq.heappop(queue)
            if u not in self.around or v not in self.around or cost != self._cost(u, v):
                continue
            if not self._allowed(u, v):
                continue
            changed = self._collapse(u, v)
            count -= 1 if self.middle[u] else 2
            for w in sorted(changed):
                self._push(queue, w)

    def _push(self, queue: list[tuple[float, int, int]], v: int) -> None:
        for w in sorted(self._neighbours(v)):
            for a, b in ((v, w), (w, v)):
                cost = self._cost(a, b)
                if np.isfinite(cost):
                    heapq.heappush(queue, (cost, a, b))

    def _neighbours(self, v: int) -> set[int]:
        return {w for k in self.around[v] for w in self.faces[k]} - {v}

    def _quadric(self, v: int) -> Array:
        """The sum over faces of area times the squared distance to their planes."""
        total = np.zeros((4, 4))
        for k in sorted(self.around[v]):
            a, b, c = (self.position[w] for w in self.faces[k])
            normal = np.cross(b - a, c - a)
            area = float(np.sqrt(np.sum(normal * normal)))
            if area > 0:
                normal = normal / area
                plane = np.append(normal, -np.sum(normal * a))
                total += area / 2 * plane[:, None] * plane[None, :]
        return total

    def _cost(self, u: int, v: int) -> float:
        if self.middle[u] and not (self.middle[v] and self._on_rim(u, v)):
            return float("inf")
        p = np.append(self.position[v], 1.0)
        quadric = self.quadric[u] + self.quadric[v]
        edge = self.position[u] - self.position[v]
        length = float(np.sum(edge * edge))
        error = float(np.sum(quadric * p[:, None] * p[None, :]))
        return max(error, 0.0) + _LENGTH * float(self.importance[u]) * length * length

    def _on_rim(self, u: int, v: int) -> bool:
        return len(self.around[u] & self.around[v]) == 1

    def _allowed(self, u: int, v: int) -> bool:
        shared = self.around[u] & self.around[v]
        common = self._neighbours(u) & self._neighbours(v)
        if len(common) != len(shared) or not shared:
            return False
        if len(self._neighbours(u) | self._neighbours(v)) - 2 > _MOST_NEIGHBOURS + len(common):
            return False
        if len(self.around[u]) <= len(shared):
            return False
        return all(self._stays_good(self.faces[k], u, v) for k in self.around[u] - shared)

    def _stays_good(self, face: tuple[int, ...], u: int, v: int) -> bool:
        """Whether a triangle keeps its direction, some width and short edges if u moves to v."""
        before = [self.position[w] for w in face]
        after = [self.position[v if w == u else w] for w in face]
        n0, n1 = (np.cross(b - a, c - a) for a, b, c in (before, after))
        l0, l1 = (float(np.sqrt(np.sum(n * n))) for n in (n0, n1))
        edges = [float(np.sum((after[i] - after[i - 1]) ** 2)) for i in range(3)]
        if float(np.sum(n0 * n1)) < _LEAST_COSINE * l0 * l1:
            return False
        if max(edges) > min(float(self.longest[w]) for w in face) ** 2:
            return False
        return l1 * 2 * 3**0.5 / sum(edges) > _LEAST_QUALITY

    def _collapse(self, u: int, v: int) -> set[int]:
        """Moves u onto v; the vertices whose edges cost otherwise now."""
        changed = {v}
        for k in sorted(self.around.pop(u)):
            face = self.faces[k]
            if v in face:
                for w in face:
                    if w != u:
                        self.around[w].discard(k)
                        changed.add(w)
                del self.faces[k]
            else:
                self.faces[k] = tuple(v if w == u else w for w in face)
                self.around[v].add(k)
        self.quadric[v] = self.quadric[u] + self.quadric[v]
        return changed
