# SPDX-License-Identifier: Apache-2.0
"""Geodesic distances between all vertices, in a small table.

The table holds exact distances between landmarks; for each vertex, weights of the landmarks around
it that interpolate its distances to far ones; and the distances of pairs that are near by. Those
come from Dijkstra's algorithm on vertices and points on edges, which are joined across triangles
(Lanthier and others, 1997): half a percent too long.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from bitpose.body.default_surface import DISTANCE_STEP, NEAR_STEP, WEIGHT_STEP
from bitpose.body.make.charts import Halves

Array = NDArray[Any]
Index = NDArray[np.int64]

#: Points on each edge.
_STEINER = 4
LANDMARKS = 512
#: What an edge counts, in metres, beside its length.
_EDGE = 0.012
_AROUND = 8
#: A vertex reaches its landmark of this rank.
_REACH = 3
#: Landmarks are far from a vertex beyond so many times its reach.
_FAR = 2.0
#: Two vertices are near within so much of the sum of their reaches.
_NEAR = 0.75
_RIDGE = 1e-4


def table(mesh: Halves) -> dict[str, Array]:
    """The arrays, as body/default_surface.py describes them."""
    mirror = mesh.mirror
    landmarks = spread(mesh, LANDMARKS)
    own = landmarks <= mirror[landmarks]
    to_vertices = np.empty((len(landmarks), len(mirror)))
    to_vertices[own] = exact_distances(mesh, landmarks[own])
    twin = np.searchsorted(landmarks, mirror[landmarks])
    to_vertices[~own] = to_vertices[twin[~own]][:, mirror]
    between = to_vertices[:, landmarks]
    between = (between + between.T) / 2
    around, weights, reach = _interpolation(mesh, to_vertices, between, twin)
    starts, partners, near = _near_pairs(mesh, reach)
    counts = np.diff(starts)
    furthest = np.zeros(len(mirror))
    np.maximum.at(furthest, np.repeat(np.arange(len(mirror)), counts), near)
    steps = np.maximum(np.ceil(np.round(furthest / NEAR_STEP / 255, 6)), 1)
    return {
        "mirror": mirror.astype(np.uint16),
        "landmark_distances": np.rint(
            between[np.triu_indices(len(between), 1)] / DISTANCE_STEP
        ).astype(np.uint16),
        "around": around.astype(np.uint16),
        "around_weights": np.rint(weights / WEIGHT_STEP).astype(np.int16),
        "near_starts": starts.astype(np.int32),
        "near_vertices": partners.astype(np.uint16),
        "near_steps": steps.astype(np.uint16),
        "near_distances": np.rint(near / NEAR_STEP / np.repeat(steps, counts)).astype(np.uint8),
    }


def spread(mesh: Halves, count: int) -> Index:
    """So many vertices, sorted, alike on both sides, each far from the others."""
    ends = np.concatenate([mesh.faces[:, [k, (k + 1) % 3]] for k in range(3)])
    step = mesh.vertices[ends[:, 0]] - mesh.vertices[ends[:, 1]]
    length = np.sqrt(np.sum(step * step, axis=1)) + _EDGE
    size = len(mesh.vertices)
    graph = sp.csr_matrix((length, (ends[:, 0], ends[:, 1])), (size, size))
    mirror, left = mesh.mirror, np.unique(mesh.left)
    chosen: list[int] = []
    away = np.full(size, np.inf)
    while len(chosen) < count - 1:
        best = int(left[np.argmax(np.round(away[left], 6))])
        for vertex in {best, int(mirror[best])}:
            chosen.append(vertex)
            away = np.minimum(away, dijkstra(graph, indices=vertex))
    return np.sort(np.array(chosen))


def exact_distances(mesh: Halves, sources: Index) -> Array:
    """[S, V], by the algorithm of Mitchell, Mount and Papadimitriou (1987)."""
    from pygeodesic.geodesic import PyGeodesicAlgorithmExact

    exact = PyGeodesicAlgorithmExact(mesh.vertices, mesh.faces.astype(np.int32))
    return np.stack([exact.geodesicDistances(np.array([s]), None)[0] for s in sources])


def _interpolation(
    mesh: Halves, to_vertices: Array, between: Array, twin: Index
) -> tuple[Index, Array, Array]:
    """For each vertex the landmarks around it [V, n], their weights, and how far it reaches [V].

    `twin` [K] is the landmark on the other side of each.
    """
    around = np.argsort(np.round(to_vertices.T, 6), axis=1, kind="stable")[:, :_AROUND]
    distance = np.take_along_axis(to_vertices.T, around, axis=1)
    reach = distance[:, _REACH]
    weights = np.zeros(around.shape)
    for v in np.unique(mesh.left):
        far = np.flatnonzero(to_vertices[:, v] > _FAR * reach[v])
        known = between[far][:, around[v]]
        weights[v] = _weights(known, to_vertices[far, v], distance[v])
    mirror = mesh.mirror
    right = np.setdiff1d(np.arange(len(mirror)), mesh.left)
    around[right], weights[right] = twin[around[mirror[right]]], weights[mirror[right]]
    return around, weights, reach


def _weights(known: Array, wanted: Array, distance: Array) -> Array:
    """Least squares: `known` [M, n] times weights that add up to 1 is `wanted` [M].

    A penalty keeps the weights of landmarks at a distance small. That of the last is what the
    others leave.
    """
    if distance[0] == 0:
        return np.asarray(np.eye(_AROUND)[0])
    basis, rest = known[:, :-1] - known[:, -1:], wanted - known[:, -1]
    last = _RIDGE * len(known) * distance[-1] ** 2
    matrix = np.diag(_RIDGE * len(known) * distance[:-1] ** 2) + last
    matrix += np.sum(basis[:, :, None] * basis[:, None, :], axis=0)
    found = np.linalg.solve(matrix, np.sum(basis * rest[:, None], axis=0) + last)
    return np.append(found, 1 - found.sum())


def _near_pairs(mesh: Halves, reach: Array) -> tuple[Index, Index, Array]:
    """Starts [V + 1], second vertices and distances of pairs within their reach."""
    graph = steiner_graph(mesh.vertices, mesh.faces)
    mirror, count = mesh.mirror, len(mesh.vertices)
    seconds, lengths = [], []
    furthest = float(reach.max())
    for v in range(count):
        found = distances(graph, v, count, _NEAR * (float(reach[v]) + furthest))
        found[found >= _NEAR * (reach[v] + reach)] = np.inf
        second = np.flatnonzero(np.isfinite(found))
        second = second[second > v]
        low = np.minimum(mirror[v], mirror[second])
        high = np.maximum(mirror[v], mirror[second])
        second = second[(low > v) | ((low == v) & (high >= second))]
        seconds.append(second)
        lengths.append(found[second])
    starts = np.concatenate([[0], np.cumsum([len(second) for second in seconds])])
    return starts, np.concatenate(seconds), np.concatenate(lengths)


def steiner_graph(vertices: Array, faces: Index) -> Any:
    """Lengths between the vertices, which come first, and the points on edges of each triangle."""
    ends = np.sort(np.concatenate([faces[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    edges, which = np.unique(ends, axis=0, return_inverse=True)
    share = np.arange(1, _STEINER + 1) / (_STEINER + 1)
    a, b = vertices[edges[:, 0]], vertices[edges[:, 1]]
    inner = a[:, None] + share[:, None] * (b - a)[:, None]
    points = np.concatenate([vertices, inner.reshape(-1, 3)])
    number = len(vertices) + np.arange(len(edges) * _STEINER).reshape(-1, _STEINER)
    of_face = which.reshape(3, -1).T
    on_rim = np.concatenate([faces, number[of_face].reshape(len(faces), -1)], axis=1)
    i, j = np.triu_indices(on_rim.shape[1], 1)
    pairs = np.unique(np.sort(on_rim[:, np.stack([i, j], 1)].reshape(-1, 2), axis=1), axis=0)
    step = points[pairs[:, 0]] - points[pairs[:, 1]]
    length = np.sqrt(np.sum(step * step, axis=1))
    return sp.csr_matrix((length, (pairs[:, 0], pairs[:, 1])), (len(points), len(points)))


def distances(graph: Any, source: int, count: int, limit: float = np.inf) -> Array:
    """[count]: from a point to the first `count` points; infinite beyond `limit`."""
    found = dijkstra(graph, directed=False, indices=source, limit=limit)[:count]
    return np.round(np.asarray(found), 9)
