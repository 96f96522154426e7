# SPDX-License-Identifier: Apache-2.0
"""Geodesic distances between vertices of a surface, out of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError

Array = NDArray[Any]
Index = NDArray[np.int64]

_BATCH = 1 << 16


@dataclass(frozen=True, eq=False)
class GeodesicTable:
    """Distances of near pairs as they are, and others between the landmarks around both vertices.

    Away from x, the distance d(x, y) is nearly affine in x, so it is the mean of d(a, y) over
    landmarks a around x by weights that add up to 1; and so for y.
    """

    landmark_distances: NDArray[np.float32]
    """[K, K] in metres."""
    around: NDArray[np.int32]
    """[V, n]: the landmarks around each vertex."""
    weights: NDArray[np.float32]
    """[V, n]: add up to 1; some may be negative."""
    near_keys: Index
    """[N], sorted: smaller vertex * V + larger vertex."""
    near: NDArray[np.float32]
    """[N] in metres."""

    @classmethod
    def from_pairs(
        cls, landmark_distances: Array, around: Array, weights: Array, pairs: Array, near: Array
    ) -> GeodesicTable:
        """Of near `pairs` [2, N], some of which may be there twice, and their distances."""
        low, high = pairs.min(axis=0).astype(np.int64), pairs.max(axis=0).astype(np.int64)
        keys, first = np.unique(low * len(around) + high, return_index=True)
        return cls(
            np.ascontiguousarray(landmark_distances, np.float32),
            np.ascontiguousarray(around, np.int32),
            np.ascontiguousarray(weights, np.float32),
            keys,
            near[first].astype(np.float32),
        )

    def __call__(self, a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
        """Metres along the surface between vertices `a` and `b`, of the same or fitting shapes.

        Raises InputError for vertices that do not exist.
        """
        given = [np.asarray(a), np.asarray(b)]
        for vertices in given:
            if vertices.dtype.kind not in "iu" and vertices.size:
                raise InputError(f"vertices must be integers, not {vertices.dtype}")
            if vertices.size and not 0 <= vertices.min() <= vertices.max() < len(self.around):
                raise InputError(f"vertices must lie in 0 .. {len(self.around) - 1}")
        first, second = np.broadcast_arrays(*given)
        low = np.minimum(first, second).astype(np.int64).ravel()
        high = np.maximum(first, second).astype(np.int64).ravel()
        found = np.empty(low.size)
        for start in range(0, low.size, _BATCH):
            part = slice(start, start + _BATCH)
            found[part] = self._between(low[part], high[part])
        return found.reshape(first.shape)

    def _between(self, low: Index, high: Index) -> Array:
        far = np.zeros(len(low), np.float32)
        for i in range(self.around.shape[1]):
            row = self.landmark_distances[self.around[low, i]]
            inner = np.take_along_axis(row, self.around[high], axis=1) * self.weights[high]
            far += self.weights[low, i] * inner.sum(axis=1)
        keys = low * len(self.around) + high
        place = np.minimum(np.searchsorted(self.near_keys, keys), len(self.near_keys) - 1)
        listed = self.near_keys[place] == keys
        distance = np.where(listed, self.near[place], np.maximum(far, 0))
        return np.where(low == high, 0.0, distance)
