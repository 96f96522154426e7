# SPDX-License-Identifier: Apache-2.0
"""What networks of DensePose's kind say of a person's surface: S, I, U and V."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.charts import Charts
from bitpose.body.fit import DensePoints, sample_iuv
from bitpose.pose.iuv_map import IuvMap
from bitpose.pose.photo import Placement

Array = NDArray[Any]

#: The background and DensePose's parts.
CLASSES = 25
#: Numbers that are kept at a time while a map is scaled to a photo.
_STRIP = 1 << 20


@dataclass(frozen=True, eq=False)
class SurfaceScores:
    """Maps of h x w cells over the input of a network, or, placed, over a photo.

    A cell shows the person where a class of `coarse` but the first scores highest, and then the
    part that scores highest in `fine`, at its u and v (Güler et al. 2018). Between the middles of
    cells, maps are linear.
    """

    coarse: Array
    """[C, h, w]: scores of the background and of the person, or of parts of it."""
    fine: Array
    """[25, h, w]: scores of the background and of DensePose's parts."""
    u: Array
    """[25, h, w]: u, were it that part."""
    v: Array
    corner: Array
    """[2] pixels: where the first cell begins."""
    cell: Array
    """[2] pixels: its width and height."""

    def placed(self, placement: Placement) -> SurfaceScores:
        """Over the photo."""
        corner = placement.to_photo(self.corner.astype(np.float32)).astype(np.float64)
        return replace(self, corner=corner, cell=self.cell / placement.scale)

    @cached_property
    def iuv(self) -> IuvMap:
        """Of the cells."""
        part = _part(self.coarse, self.fine)
        rows, columns = np.indices(part.shape)
        u, v = (_coordinate(maps[part, rows, columns], part) for maps in (self.u, self.v))
        return IuvMap(part, u, v)

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """left, top, right, bottom of the cells that show the person; None for nobody."""
        rows, columns = np.nonzero(self.iuv.mask)
        if not len(rows):
            return None
        left, top = self.corner + self.cell * (columns.min(), rows.min())
        right, bottom = self.corner + self.cell * (columns.max() + 1, rows.max() + 1)
        return float(left), float(top), float(right), float(bottom)

    @property
    def score(self) -> float:
        """The mean probability of the person where it is the likeliest; 0 for nobody."""
        mask = self.iuv.mask
        if not mask.any():
            return 0.0
        scores = self.coarse[:, mask].astype(np.float64)
        shares = np.exp(scores - scores.max(axis=0))
        return float(np.mean(1 - shares[0] / shares.sum(axis=0)))

    def sample(self, charts: Charts, count: int) -> DensePoints:
        """At most so many points of the surface that the cells show."""
        part, u, v = self.iuv.part, self.iuv.u, self.iuv.v
        corner, cell = (tuple(map(float, pair)) for pair in (self.corner, self.cell))
        return sample_iuv(charts, part, u, v, count, corner, cell)  # type: ignore[arg-type]

    def over(self, width: int, height: int) -> IuvMap:
        """Of the photo's pixels."""
        result = IuvMap.blank(height, width)
        left, columns = self._along(0, width)
        top, rows = self._along(1, height)
        step = max(1, _STRIP // max(1, CLASSES * len(columns)))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            first = top + start
            at = np.s_[first : first + len(some), left : left + len(columns)]
            grid = np.meshgrid(some, columns, indexing="ij")
            corners = _Corners.of(*grid, self.coarse.shape[1:])
            part = _part(corners.mean(self.coarse), corners.mean(self.fine))
            result.part[at] = part
            result.u[at], result.v[at] = (
                _coordinate(corners.mean_of(maps, part), part) for maps in (self.u, self.v)
            )
        return result

    def _along(self, axis: int, extent: int) -> tuple[int, Array]:
        """The first column or row of a photo that the maps reach, and where each has its middle,
        counted in cells from the middle of the first.
        """
        cells = self.coarse.shape[2 - axis]
        corner, cell = self.corner[axis], self.cell[axis]
        ends = np.ceil(np.array([corner, corner + cell * cells]) - 0.5)
        first, end = np.clip(ends, 0, extent).astype(int).tolist()
        middles = (np.arange(first, end) + 0.5 - corner) / cell - 0.5
        return first, np.clip(middles, 0, cells - 1)


def _part(coarse: Array, fine: Array) -> NDArray[np.uint8]:
    """[n, m] of scores [C, n, m] and [25, n, m]."""
    person = coarse.argmax(axis=0) > 0
    return np.where(person, fine.argmax(axis=0), 0).astype(np.uint8)


def _coordinate(values: Array, part: Array) -> NDArray[np.float32]:
    """u or v [n, m] in [0, 1], 0 where there is nobody."""
    inside = np.clip(np.nan_to_num(values), 0, 1)
    return np.where(part > 0, inside, 0).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Corners:
    """The four cells around each of several places, and their shares."""

    rows: Sequence[Array]
    columns: Sequence[Array]
    shares: Sequence[Array]

    @classmethod
    def of(cls, rows: Array, columns: Array, shape: tuple[int, ...]) -> _Corners:
        top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
        down, right = rows - top, columns - left
        below, beside = np.minimum(top + 1, shape[0] - 1), np.minimum(left + 1, shape[1] - 1)
        return cls(
            (top, top, below, below),
            (left, beside, left, beside),
            ((1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right),
        )

    def mean(self, maps: Array) -> Array:
        """[C, n, m] of maps [C, h, w]."""
        places = zip(self.rows, self.columns, self.shares, strict=True)
        return np.asarray(sum(share * maps[:, row, column] for row, column, share in places))

    def mean_of(self, maps: Array, chosen: Array) -> Array:
        """[n, m]: of one map for each place."""
        places = zip(self.rows, self.columns, self.shares, strict=True)
        return np.asarray(sum(share * maps[chosen, row, column] for row, column, share in places))


@dataclass(frozen=True)
class SurfaceHeads:
    """Which outputs are S, I, U and V."""

    coarse: int
    fine: int
    u: int
    v: int

    @classmethod
    def of(cls, names: Sequence[str], shapes: Sequence[tuple[int, ...]]) -> SurfaceHeads | None:
        """Recognised by shapes, [1, 2 or 15, h, w] and three of [1, 25, h, w], of one h and w. The
        three are told apart by their names, as detectron2 or the paper calls them, if all have
        such names; else they are I, U and V in this order. None for other outputs.
        """
        wide = [
            i for i, shape in enumerate(shapes) if len(shape) == 4 and shape[:2] == (1, CLASSES)
        ]
        if len(wide) != 3 or len({shapes[i] for i in wide}) != 1:
            return None
        size = shapes[wide[0]][2:]
        coarse = [i for i, shape in enumerate(shapes) if shape in ((1, 2, *size), (1, 15, *size))]
        if len(coarse) != 1:
            return None
        named = {_letter(names[i]): i for i in wide}
        fine, u, v = [named[letter] for letter in "iuv"] if set(named) == set("iuv") else wide
        return cls(coarse[0], fine, u, v)

    @property
    def outputs(self) -> tuple[int, int, int, int]:
        return self.coarse, self.fine, self.u, self.v

    def read(self, outputs: Sequence[Array], height: int, width: int) -> SurfaceScores:
        """Of a network whose input has that height and width."""
        coarse, fine, u, v = (np.asarray(outputs[i][0]) for i in self.outputs)
        cell = np.array([width, height]) / coarse.shape[:0:-1]
        return SurfaceScores(coarse, fine, u, v, np.zeros(2), cell)


@dataclass(frozen=True)
class OwnHeads:
    """Which outputs are part [1, h, w, 25] and uv [1, h, w, 48], as `bitpose.train` has them."""

    part: int
    uv: int

    @classmethod
    def of(cls, shapes: Sequence[tuple[int, ...]]) -> OwnHeads | None:
        """Recognised by their shapes; None for other outputs."""
        parts = [i for i, x in enumerate(shapes) if len(x) == 4 and x[::3] == (1, CLASSES)]
        if len(parts) != 1:
            return None
        uvs = [i for i, x in enumerate(shapes) if x == (*shapes[parts[0]][:3], 2 * CLASSES - 2)]
        return cls(parts[0], uvs[0]) if len(uvs) == 1 else None

    @property
    def outputs(self) -> tuple[int, int]:
        return self.part, self.uv

    def read(self, outputs: Sequence[Array], height: int, width: int) -> SurfaceScores:
        """Of a network whose input has that height and width. The background scores against the
        part that scores highest.
        """
        fine, uv = (np.moveaxis(np.asarray(outputs[i][0]), -1, 0) for i in self.outputs)
        coarse = np.stack([fine[0], fine[1:].max(axis=0)])
        nothing = np.zeros_like(uv[:1])
        u, v = (np.concatenate([nothing, half]) for half in np.split(uv, 2))
        cell = np.array([width, height]) / coarse.shape[:0:-1]
        return SurfaceScores(coarse, fine, u, v, np.zeros(2), cell)


def find_heads(
    names: Sequence[str], shapes: Sequence[tuple[int, ...]]
) -> SurfaceHeads | OwnHeads | None:
    """Those among the outputs of a network, by their names and shapes."""
    return SurfaceHeads.of(names, shapes) or OwnHeads.of(shapes)


def _letter(name: str) -> str:
    """Of a map by the last word of its name, or the name."""
    word = name.lower().replace("/", "_").replace(".", "_").split("_")
    if "fine" in word:
        return "i"
    return word[-1] if word[-1] in ("i", "u", "v") else name
