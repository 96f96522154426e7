# SPDX-License-Identifier: Apache-2.0
"""Shapes that skinning cannot make: as rigid as possible, and with the volume that flesh keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from bitpose.body.make.surface import Surface

Array = NDArray[Any]

_ITERATIONS = 40
_NEWTON_STEPS = 4


def as_rigid_as_possible(
    surface: Surface, start: Array, free: NDArray[np.bool_], pull: float
) -> Array:
    """[V, 3]: moves the free vertices so that the neighbourhood of each keeps its shape at rest.

    Minimises sum_ij w_ij |(p_i - p_j) - R_i (rest_i - rest_j)|^2 + pull sum_i |p_i - start_i|^2 in
    turns over rotations R and positions p (Sorkine and Alexa 2007); other vertices stay at `start`.
    """
    i, j, weights = surface.edges
    near = free[i] | free[j]
    i, j, weights = i[near], j[near], weights[near]
    touched = np.unique(i)
    local = np.full(len(start), -1)
    local[touched] = np.arange(len(touched))
    i, j = local[i], local[j]
    at_rest = (surface.rest[touched][i] - surface.rest[touched][j]) * weights[:, None]
    inside = free[touched]
    size = len(touched)
    adjacency = sp.csr_matrix((weights, (i, j)), (size, size))
    laplacian = sp.diags(np.asarray(adjacency.sum(axis=1)).ravel()) - adjacency
    laplacian = laplacian.tocsr()[inside]
    system = laplacian[:, inside] + pull * sp.identity(int(inside.sum()))
    solve = splu(system.tocsc()).solve
    p = start[touched].copy()
    known = pull * p[inside] - laplacian[:, ~inside] @ p[~inside]
    for _ in range(_ITERATIONS):
        covariance = np.zeros((size, 3, 3))
        np.add.at(covariance, i, at_rest[:, :, None] * (p[i] - p[j])[:, None, :])
        rotations = _nearest_rotations(covariance)
        pulls = np.zeros((size, 3))
        mean = (rotations[i] + rotations[j]) / 2
        np.add.at(pulls, i, np.einsum("erc,ec->er", mean, at_rest))
        p[inside] = solve(pulls[inside] + known)
    result = start.copy()
    result[touched] = p
    return result


def _nearest_rotations(covariance: Array) -> Array:
    """R of det 1 that maximises trace(R S): V U^T for S = U s V^T."""
    u, _, vt = np.linalg.svd(covariance)
    v = np.swapaxes(vt, -1, -2)
    v[:, :, 2] *= np.linalg.det(v @ np.swapaxes(u, -1, -2))[:, None]
    return np.asarray(v @ np.swapaxes(u, -1, -2))


def with_volume(surface: Surface, vertices: Array, volume: float, share: Array) -> Array:
    """Moves vertices along their normals, by a distance times `share` [V], until the surface holds
    `volume`.
    """
    for _ in range(_NEWTON_STEPS):
        areas = surface.area_normals(vertices)
        size = np.linalg.norm(areas, axis=1, keepdims=True)
        step = share[:, None] * areas / np.maximum(size, 1e-12)
        missing = volume - surface.volume(vertices)
        vertices = vertices + step * (missing / float(np.sum(step * areas)))
    return vertices
