# SPDX-License-Identifier: Apache-2.0
"""Disks of triangles laid flat, with little stretch and without overlap.

A layout starts as Tutte's (1963) embedding in a circle, in which no triangle is flipped, and walks
down the symmetric Dirichlet energy: the area-weighted sum of s^2 + 1 / s^2 over singular values of
the map. Steps are those of scalable locally injective mappings (Rabinovich and others, 2017). No
step flips a triangle or lets the outline cross itself, which a barrier around the outline keeps
away from itself as in Smith and Schaefer (2015).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

Array = NDArray[Any]
Index = NDArray[np.int64]

_STEPS = 60
_NEAR = 0.004
_BARRIER = 1e-6
_PULL = 1e-6


def corners(faces: Index, slit: set[tuple[int, int]]) -> Index:
    """[F, 3]: the points of a layout, a vertex having several where a slit or the rim parts it.

    `slit` holds edges, smaller vertex first, across which triangles are not joined.
    """
    ends = np.concatenate([faces[:, [k, (k + 1) % 3]] for k in range(3)])
    own = np.arange(3 * len(faces)).reshape(-1, 3)
    place = np.concatenate([own[:, [k, (k + 1) % 3]] for k in range(3)])
    seen: dict[tuple[int, int], tuple[int, int]] = {}
    joined = []
    for (a, b), (p, q) in zip(ends.tolist(), place.tolist(), strict=True):
        if (min(a, b), max(a, b)) in slit:
            continue
        if (b, a) in seen:
            other = seen[b, a]
            joined += [(p, other[1]), (q, other[0])]
        seen[a, b] = (p, q)
    pairs = np.array(joined).reshape(-1, 2)
    ones = np.ones(len(pairs), np.int8)
    graph = sp.csr_matrix((ones, (pairs[:, 0], pairs[:, 1])), (own.size, own.size))
    labels = connected_components(graph, directed=False)[1]
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return np.asarray(rank[inverse].reshape(-1, 3))


def outline(points: Index) -> Index:
    """The rim of a disk of triangles, in order; ValueError where it is none."""
    ends = np.concatenate([points[:, [k, (k + 1) % 3]] for k in range(3)]).tolist()
    directed = {(a, b) for a, b in ends}
    after = {a: b for a, b in ends if (b, a) not in directed}
    start = min(after)
    loop = [start]
    while after[loop[-1]] != start:
        loop.append(after[loop[-1]])
    edges = (len(directed) + len(after)) // 2
    if len(loop) != len(after) or int(points.max()) + 1 - edges + len(points) != 1:
        raise ValueError(f"no disk: {len(loop)} of {len(after)} edges in the first outline")
    return np.array(loop)


def flatten(triangles: Array, points: Index) -> Array:
    """Positions [P, 2] for `points` [F, 3] of triangles [F, 3, 3] in metres."""
    return _Layout(triangles, points).solve()


class _Layout:
    def __init__(self, triangles: Array, points: Index) -> None:
        self.points = points
        self.rim = outline(points)
        self.count = int(points.max()) + 1
        a, b, c = (triangles[:, k] for k in range(3))
        u, v = b - a, c - a
        length = np.sqrt(np.sum(u * u, axis=1))
        along = np.sum(u * v, axis=1) / length
        height = np.sqrt(np.maximum(np.sum(v * v, axis=1) - along**2, 1e-16))
        self.area = length * height / 2
        # The gradient of a function by its values at the corners: [F, 2, 3].
        self.gradient = np.zeros((len(points), 2, 3))
        self.gradient[:, 0, 0], self.gradient[:, 0, 1] = -1 / length, 1 / length
        self.gradient[:, 1, 0] = (along / length - 1) / height
        self.gradient[:, 1, 1] = -along / length / height
        self.gradient[:, 1, 2] = 1 / height
        self.rim_length = self._rim_lengths(triangles)

    def _rim_lengths(self, triangles: Array) -> Array:
        at = np.zeros((self.count, 3))
        at[self.points] = triangles
        step = at[np.roll(self.rim, -1)] - at[self.rim]
        return np.asarray(np.sqrt(np.sum(step * step, axis=1)))

    def solve(self) -> Array:
        uv = self._tutte()
        for _ in range(_STEPS):
            target = self._target(uv)
            uv, moved = self._walk(uv, target - uv)
            if moved < 1e-7:
                break
        return uv

    def _tutte(self) -> Array:
        turn = np.concatenate([[0], np.cumsum(self.rim_length)[:-1]]) / self.rim_length.sum()
        radius = np.sqrt(self.area.sum() / np.pi)
        uv = np.zeros((self.count, 2))
        uv[self.rim] = radius * np.stack([np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)], 1)
        i = np.concatenate([self.points[:, k] for k in (0, 1, 2, 1, 2, 0)])
        j = np.concatenate([self.points[:, k] for k in (1, 2, 0, 0, 1, 2)])
        near = sp.csr_matrix((np.ones(len(i)), (i, j)), (self.count, self.count))
        near.data[:] = 1.0
        laplace = (sp.diags(np.asarray(near.sum(axis=1)).ravel()) - near).tocsr()
        free = np.setdiff1d(np.arange(self.count), self.rim)
        if len(free):
            right = -laplace[free][:, self.rim] @ uv[self.rim]
            uv[free] = spsolve(laplace[free][:, free].tocsc(), right).reshape(-1, 2)
        return uv

    def jacobians(self, uv: Array) -> Array:
        """[F, 2, 2]: derivatives of the layout, rows by u and v."""
        return np.asarray(np.einsum("fgk,fkc->fcg", self.gradient, uv[self.points]))

    def energy(self, uv: Array) -> float:
        jacobian = self.jacobians(uv)
        det = jacobian[:, 0, 0] * jacobian[:, 1, 1] - jacobian[:, 0, 1] * jacobian[:, 1, 0]
        if not (det > 0).all() or self._crosses(uv):
            return float("inf")
        squares = np.sum(jacobian**2, axis=(1, 2))
        near = self._barrier(uv)[0]
        return float(np.sum(self.area * squares * (1 + 1 / det**2)) + _BARRIER * np.sum(near**2))

    def _target(self, uv: Array) -> Array:
        """The minimum of a quadratic that has the energy's gradient at `uv`."""
        left, sizes, right = np.linalg.svd(self.jacobians(uv))
        closest = left @ right
        sizes = np.maximum(sizes, 1e-9)
        away = sizes - 1
        weight = np.where(np.abs(away) < 1e-6, 2.0, (sizes - sizes**-3) / np.where(
            np.abs(away) < 1e-6, 1.0, away))  # fmt: skip
        weighted = np.einsum("fij,fj,fkj->fik", left, weight, left)
        size = 2 * self.count
        rows, columns, values = [], [], []
        right_side = np.zeros(size)
        for c in range(2):
            for d in range(2):
                block = np.einsum("f,f,fgk,fgl->fkl", self.area, weighted[:, c, d],
                                  self.gradient, self.gradient)  # fmt: skip
                rows.append(np.repeat(self.points * 2 + c, 3, axis=1).ravel())
                columns.append(np.tile(self.points * 2 + d, (1, 3)).ravel())
                values.append(block.ravel())
        pulled = np.einsum("f,fcd,fdg,fgk->fkc", self.area, weighted, closest, self.gradient)
        np.add.at(
            right_side, self.points.ravel()[:, None] * 2 + np.arange(2), pulled.reshape(-1, 2)
        )
        values_at, slopes, places = self._barrier(uv)
        flat = uv.ravel()
        if len(values_at):
            at = (places[:, :, None] * 2 + np.arange(2)).reshape(len(places), 6)
            slope = slopes.reshape(len(places), 6)
            outer = _BARRIER * slope[:, :, None] * slope[:, None, :]
            rows.append(np.repeat(at, 6, axis=1).ravel())
            columns.append(np.tile(at, (1, 6)).ravel())
            values.append(outer.ravel())
            now = np.sum(slope * flat[at], axis=1) - values_at
            np.add.at(right_side, at, _BARRIER * slope * now[:, None])
        matrix = sp.coo_matrix(
            (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (size, size)
        ).tocsc()
        pull = _PULL * float(self.area.mean()) * sp.identity(size, format="csc") / 1e-4
        return np.asarray(spsolve(matrix + pull, right_side + pull @ flat).reshape(-1, 2))

    def _walk(self, uv: Array, step: Array) -> tuple[Array, float]:
        before, share = self.energy(uv), 1.0
        while share > 1e-6:
            trial = uv + share * step
            if self.energy(trial) < before:
                return trial, float(np.abs(share * step).max())
            share *= 0.6
        return uv, 0.0

    def _barrier(self, uv: Array) -> tuple[Array, Array, Index]:
        """NEAR / d - 1 for points and edges of the rim closer than NEAR; slopes by three points."""
        p, q = uv[self.rim], uv[np.roll(self.rim, -1)]
        n = len(self.rim)
        d = q - p
        offset = p[:, None] - p[None]
        share = np.clip(np.sum(offset * d, -1) / np.maximum(np.sum(d * d, -1), 1e-18), 0, 1)
        gap = offset - share[..., None] * d
        distance = np.sqrt(np.sum(gap * gap, -1))
        index = np.arange(n)
        own = (index[:, None] == index) | (index[:, None] == (index + 1) % n)
        i, e = np.nonzero((distance < _NEAR) & ~own & ~self._beside(n))
        away = np.maximum(distance[i, e], 1e-9)
        unit = gap[i, e] / away[:, None]
        scale = (-_NEAR / away**2)[:, None]
        s = share[i, e][:, None]
        slopes = np.stack([scale * unit, -scale * (1 - s) * unit, -scale * s * unit], axis=1)
        places = np.stack([self.rim[i], self.rim[e], np.roll(self.rim, -1)[e]], axis=1)
        return _NEAR / away - 1, slopes, places

    def _beside(self, n: int) -> NDArray[np.bool_]:
        """Points and edges that are next to each other along the rim."""
        along = np.cumsum(self.rim_length)
        gap = np.abs(along[:, None] - along[None])
        gap = np.minimum(gap, along[-1] - gap)
        return np.asarray(gap < 2.5 * _NEAR)

    def _crosses(self, uv: Array) -> bool:
        """Whether two edges of the rim cross."""
        p, q = uv[self.rim], uv[np.roll(self.rim, -1)]
        side = _turn(p[:, None], q[:, None], p[None])
        other = _turn(p[:, None], q[:, None], q[None])
        apart = side * other < 0
        crossing = apart & apart.T
        n = len(p)
        index = np.arange(n)
        beside = (np.abs(index[:, None] - index) % (n - 1)) <= 1
        return bool((crossing & ~beside).any())


def _turn(a: Array, b: Array, c: Array) -> Array:
    u, v = b - a, c - a
    return np.asarray(u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0])


def stretch(triangles: Array, uv: Array) -> tuple[float, float, Array]:
    """L2 and Linf of Sander and others (2001), and each triangle's area by its mean.

    `uv` [F, 3, 2]. Both are 1 where lengths are kept, up to the scale of the layout.
    """
    a, b, c = (triangles[:, k] for k in range(3))
    p, q, r = (uv[:, k] for k in range(3))
    flat = _turn(p, q, r) / 2
    s = (a * _turn3(q, r) + b * _turn3(r, p) + c * _turn3(p, q)) / (2 * flat[:, None])
    t = (a * (r - q)[:, :1] + b * (p - r)[:, :1] + c * (q - p)[:, :1]) / (2 * flat[:, None])
    e, f, g = np.sum(s * s, 1), np.sum(s * t, 1), np.sum(t * t, 1)
    area = np.sqrt(np.sum(np.cross(b - a, c - a) ** 2, axis=1)) / 2
    scale = np.sqrt(flat.sum() / area.sum())
    largest = np.sqrt((e + g + np.sqrt((e - g) ** 2 + 4 * f * f)) / 2)
    l2 = np.sqrt(np.sum((e + g) / 2 * area) / area.sum())
    return float(l2 * scale), float(largest.max() * scale), flat / area / scale**2


def _turn3(p: Array, q: Array) -> Array:
    return np.asarray((p - q)[:, 1:])
