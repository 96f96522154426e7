# SPDX-License-Identifier: Apache-2.0
"""Keypoints of data sets as weighted means of a body's vertices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class KeypointRegressor:
    """K keypoints, each a mean of up to n vertices."""

    names: tuple[str, ...]
    vertices: NDArray[np.int32]
    """[K, n] indices."""
    weights: Array
    """[K, n]: rows add up to 1; 0 where a keypoint has fewer vertices."""

    @classmethod
    def of_names(
        cls, sets: Mapping[str, KeypointRegressor], names: Sequence[str]
    ) -> tuple[KeypointRegressor, NDArray[np.intp]]:
        """The keypoints of these names that are in one of `sets`, in the first that has them, and
        their indices in `names`.

        Raises InputError where there are none.
        """
        found = []
        for index, name in enumerate(names):
            home = next((s for s in sets.values() if name in s.names), None)
            if home is not None:
                row = home.names.index(name)
                found.append((index, name, home.vertices[row], home.weights[row]))
        if not found:
            raise InputError(f"the body has none of the keypoints {', '.join(names)}")
        indices, known, vertices, weights = zip(*found, strict=True)
        width = max(map(len, vertices))
        padded = [
            np.stack([np.pad(row, (0, width - len(row))) for row in rows])
            for rows in (vertices, weights)
        ]
        return cls(known, padded[0], padded[1]), np.array(indices)

    def positions(self, vertices: ArrayLike) -> Array:
        """[..., K, 3] of a body's vertices [..., V, 3]."""
        return self.mean(vertices, axis=-2)

    def mean(self, values: ArrayLike, axis: int) -> Array:
        """K weighted means along the axis of `values` that counts V vertices.

        A Jacobian's `by_pose` [..., V, 3, J, 3] has that axis at -4, its `by_shape` at -3.
        """
        by_vertex = np.moveaxis(np.asarray(values), axis, 0)
        weights = self.weights.astype(by_vertex.dtype)
        means = np.einsum("kn,kn...->k...", weights, by_vertex[self.vertices])
        return np.moveaxis(means, 0, axis)

    def used(self) -> NDArray[np.int32]:
        """The vertices with a weight, sorted: what `BodyModel.at_vertices` needs to keep."""
        return np.unique(self.vertices[self.weights > 0])

    def within(self, kept: ArrayLike) -> KeypointRegressor:
        """For a body of which only the vertices `kept` are left, in this order.

        Raises InputError where a vertex with a weight is not among them.
        """
        kept = np.asarray(kept)
        number = np.full(max(int(kept.max(initial=0)), int(self.vertices.max(initial=0))) + 1, -1)
        number[kept] = np.arange(len(kept))
        vertices = np.where(self.weights > 0, number[self.vertices], 0)
        if (vertices < 0).any():
            raise InputError("keypoints need vertices that were not kept; see used()")
        return KeypointRegressor(self.names, vertices.astype(np.int32), self.weights)

    def dense(self, vertices: int) -> Array:
        """[K, vertices]."""
        matrix = np.zeros((len(self.names), vertices))
        np.add.at(matrix, (np.arange(len(self.names))[:, None], self.vertices), self.weights)
        return matrix


@dataclass(frozen=True, eq=False)
class ShapeAxes:
    """Named directions of shape. A value of 1 is about one standard deviation of adults."""

    names: tuple[str, ...]
    matrix: Array
    """[B, B], orthogonal: betas = matrix @ values."""

    def betas(self, **values: float) -> Array:
        """[B]: the betas of a body with these values; axes that are not named have 0.

        Raises InputError for a name that is no axis.
        """
        unknown = sorted(set(values) - set(self.names))
        if unknown:
            raise InputError(f"no shape axis {', '.join(unknown)}; there are {list(self.names)}")
        named = np.array([values.get(name, 0.0) for name in self.names])
        return np.asarray(self.matrix @ named)

    def values(self, betas: ArrayLike) -> dict[str, float]:
        """The values of all axes of a body with `betas` [<= B]. Raises InputError for others."""
        given = np.asarray(betas, np.float64)
        if given.ndim != 1 or len(given) > len(self.names):
            raise InputError(f"betas of shape {given.shape}: there are {len(self.names)} of them")
        full = np.zeros(len(self.names))
        full[: len(given)] = given
        return dict(zip(self.names, (self.matrix.T @ full).tolist(), strict=True))
