# SPDX-License-Identifier: Apache-2.0
"""Charts of a surface: between points of the surface and (I, U, V), both ways."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError

if TYPE_CHECKING:
    from bitpose.metrics.dense_pose import Atlas
    from bitpose.render import Surface

Array = NDArray[Any]
Index = NDArray[np.int64]

#: DensePose's parts by their number less one. The inner side of an arm is that of the palm.
PART_NAMES = (
    *("torso_back", "torso_front", "right_hand", "left_hand", "left_foot", "right_foot"),
    *("right_upper_leg_back", "left_upper_leg_back"),
    *("right_upper_leg_front", "left_upper_leg_front"),
    *("right_lower_leg_back", "left_lower_leg_back"),
    *("right_lower_leg_front", "left_lower_leg_front"),
    *("left_upper_arm_inner", "right_upper_arm_inner"),
    *("left_upper_arm_outer", "right_upper_arm_outer"),
    *("left_lower_arm_inner", "right_lower_arm_inner"),
    *("left_lower_arm_outer", "right_lower_arm_outer"),
    *("head_right", "head_left"),
)
#: Columns and rows of the charts in a texture of all, as in `texture_uv`.
TEXTURE_GRID = (6, 4)

_CELLS = 32
_INSIDE = -1e-7
_BATCH = 1 << 15


@dataclass(frozen=True)
class SurfacePoints:
    """Points of a surface: `triangles` [N], -1 where there is none, `barycentrics` [N, 3]."""

    triangles: Index
    barycentrics: NDArray[np.float64]

    def positions(self, vertices: ArrayLike, faces: Array) -> Array:
        """[..., N, 3] for `vertices` [..., V, 3]; NaN where there is no triangle."""
        at = np.asarray(vertices)
        corners = faces[np.maximum(self.triangles, 0)]
        found = (at[..., corners, :] * self.barycentrics[:, :, None]).sum(axis=-2)
        found[..., self.triangles < 0, :] = np.nan
        return np.asarray(found)

    def nearest_vertices(self, faces: Array) -> Index:
        """[N]: the corner with the largest barycentric coordinate; -1 where there is none."""
        corner = self.barycentrics.argmax(axis=1)
        found = faces[np.maximum(self.triangles, 0), corner]
        return np.where(self.triangles < 0, -1, found).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Charts:
    """Triangles of `vertex_count` vertices, each in a chart.

    `faces` [F, 3]; `parts` [F] uint8, 1 and up; `uv` [F, 3, 2] float64, of the corners, in [0, 1].
    A chart is a disk of triangles that do not overlap in (U, V). Its seams, also those within
    a chart, are where triangles with a common edge have other corners.
    """

    vertex_count: int
    faces: NDArray[np.int32]
    parts: NDArray[np.uint8]
    uv: NDArray[np.float64]

    def __post_init__(self) -> None:
        count = len(self.faces)
        if self.faces.shape != (count, 3) or self.parts.shape != (count,):
            raise InputError(f"faces {self.faces.shape}, parts {self.parts.shape}: (F, 3), (F,)")
        if self.uv.shape != (count, 3, 2) or not ((self.uv >= 0) & (self.uv <= 1)).all():
            raise InputError(f"uv {self.uv.shape} must be {(count, 3, 2)}, in [0, 1]")

    def iuv(self, points: SurfacePoints) -> tuple[NDArray[np.uint8], Array, Array]:
        """I, U, V [N] of points of the surface; zero where there is none."""
        there = points.triangles >= 0
        triangles = np.maximum(points.triangles, 0)
        uv = (self.uv[triangles] * points.barycentrics[:, :, None]).sum(axis=1)
        uv[~there] = 0
        return np.where(there, self.parts[triangles], 0).astype(np.uint8), uv[:, 0], uv[:, 1]

    def locate(self, part: ArrayLike, u: ArrayLike, v: ArrayLike) -> SurfacePoints:
        """The points of the surface at (I, U, V), [N] each; those nearest in the chart otherwise.

        There is none for parts without triangles, as the background. Raises InputError for shapes
        that differ and coordinates that are not finite.
        """
        parts = np.asarray(part)
        points = np.stack(np.broadcast_arrays(u, v), axis=-1).astype(np.float64)
        if parts.ndim != 1 or points.shape != (len(parts), 2) or not np.isfinite(points).all():
            raise InputError(f"parts {parts.shape} and (u, v) {points.shape}: (N,) and (N, 2)")
        found = np.full(len(parts), -1, np.int64)
        barycentrics = np.zeros((len(parts), 3))
        for start in range(0, len(parts), _BATCH):
            some = slice(start, start + _BATCH)
            found[some], barycentrics[some] = self._inside(parts[some], points[some])
        for value in np.unique(parts[found < 0]):
            rim = self._rims.get(int(value))
            if rim is not None:
                outside = np.flatnonzero((found < 0) & (parts == value))
                found[outside], barycentrics[outside] = self._on_rim(rim, points[outside])
        return SurfacePoints(found, barycentrics)

    def texture_uv(self) -> NDArray[np.float32]:
        """[F, 3, 2]: corners in a texture of 6 x 4 charts, the first at the upper left."""
        columns, rows = TEXTURE_GRID
        place = self.parts.astype(np.int64) - 1
        corner = np.stack([place % columns, rows - 1 - place // columns], axis=-1)
        return ((self.uv + corner[:, None]) / TEXTURE_GRID).astype(np.float32)

    def surface(self) -> Surface:
        """To be drawn by bitpose.render, with `texture_uv` for textures."""
        from bitpose.render import Surface

        uv = self.uv.astype(np.float32)
        return Surface(self.vertex_count, self.faces, self.parts, uv, self.texture_uv())

    def atlas(self) -> Atlas:
        """For bitpose.metrics; a vertex on a seam is in the chart of its first triangle."""
        from bitpose.metrics.dense_pose import Atlas

        vertices, first = np.unique(self.faces, return_index=True)
        parts = np.zeros(self.vertex_count, np.uint8)
        uv = np.zeros((self.vertex_count, 2))
        parts[vertices], uv[vertices] = self.parts[first // 3], self.uv.reshape(-1, 2)[first]
        return Atlas(parts, uv)

    def _inside(self, parts: Array, points: Array) -> tuple[Index, Array]:
        """The triangles that hold the points, or -1, and barycentrics."""
        starts, listed = self._grid
        cell = np.floor(points * _CELLS)
        within = (parts > 0) & (parts < len(starts) // _CELLS**2)
        within &= ((points >= 0) & (points <= 1)).all(axis=1)
        column, row = np.clip(cell, 0, _CELLS - 1).astype(np.int64).T
        key = np.where(within, (parts.astype(np.int64) * _CELLS + row) * _CELLS + column, 0)
        count = np.where(within, starts[key + 1] - starts[key], 0)
        owner = np.repeat(np.arange(len(parts)), count)
        rank = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        triangle = listed[starts[key][owner] + rank]
        weights = _barycentrics(self.uv[triangle], points[owner])
        inside = np.flatnonzero(weights.min(axis=1) >= _INSIDE)
        found = np.full(len(parts), -1, np.int64)
        barycentrics = np.zeros((len(parts), 3))
        # Of several, on an edge, the first.
        owners, first = np.unique(owner[inside], return_index=True)
        chosen = inside[first]
        kept = np.maximum(weights[chosen], 0)
        found[owners] = triangle[chosen]
        barycentrics[owners] = kept / kept.sum(axis=1, keepdims=True)
        return found, barycentrics

    def _on_rim(self, rim: Index, points: Array) -> tuple[Index, Array]:
        """The nearest points on edges [E, 2] of a rim: triangle, and corner where they start."""
        triangle, corner = rim[:, 0], rim[:, 1]
        a = self.uv[triangle, corner]
        d = self.uv[triangle, (corner + 1) % 3] - a
        offset = points[:, None] - a
        share = np.clip((offset * d).sum(axis=-1) / (d * d).sum(axis=-1), 0, 1)
        gap = offset - share[..., None] * d
        best = (gap * gap).sum(axis=-1).argmin(axis=1)
        along = share[np.arange(len(points)), best]
        barycentrics = np.zeros((len(points), 3))
        rows = np.arange(len(points))
        barycentrics[rows, corner[best]] = 1 - along
        barycentrics[rows, (corner[best] + 1) % 3] = along
        return triangle[best], barycentrics

    @cached_property
    def _grid(self) -> tuple[Index, Index]:
        """Triangles by the cells of their charts that they may reach: starts and list."""
        low = np.clip(np.floor(self.uv.min(axis=1) * _CELLS - 1e-6), 0, _CELLS - 1).astype(np.int64)
        high = np.clip(np.floor(self.uv.max(axis=1) * _CELLS + 1e-6), 0, _CELLS - 1)
        size = high.astype(np.int64) - low + 1
        count = size[:, 0] * size[:, 1]
        triangle = np.repeat(np.arange(len(count)), count)
        rank = np.arange(len(triangle)) - np.repeat(np.cumsum(count) - count, count)
        column = low[triangle, 0] + rank % size[triangle, 0]
        row = low[triangle, 1] + rank // size[triangle, 0]
        cell = (self.parts[triangle].astype(np.int64) * _CELLS + row) * _CELLS + column
        order = np.argsort(cell, kind="stable")
        cells = (int(self.parts.max(initial=0)) + 1) * _CELLS**2
        starts = np.searchsorted(cell[order], np.arange(cells + 1))
        return starts, triangle[order]

    @cached_property
    def _rims(self) -> dict[int, Index]:
        """For each part the edges [E, 2] that no other triangle of it has: triangle and corner."""
        corner = np.concatenate([self.uv, self.parts[:, None, None] + np.zeros((1, 3, 1))], axis=-1)
        _, number = np.unique(corner.reshape(-1, 3), axis=0, return_inverse=True)
        points = number.reshape(-1, 3)
        size = int(points.max(initial=0)) + 1
        forth = points * size + np.roll(points, -1, axis=1)
        back = np.roll(points, -1, axis=1) * size + points
        triangle, start = np.nonzero(~np.isin(forth, back))
        parts = self.parts[triangle]
        rims = np.stack([triangle, start], axis=1)
        return {int(part): rims[parts == part] for part in np.unique(parts)}


def _barycentrics(corners: Array, points: Array) -> Array:
    """[N, 3] of points [N, 2] in triangles [N, 3, 2]; not positive outside."""
    a, b, c = (corners[:, k] - points for k in range(3))
    areas = [p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0] for p, q in ((b, c), (c, a), (a, b))]
    stacked = np.stack(areas, axis=1)
    return np.asarray(stacked / stacked.sum(axis=1, keepdims=True))
