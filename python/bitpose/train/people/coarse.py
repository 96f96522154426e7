# SPDX-License-Identifier: Apache-2.0
"""The same clothes and skins with fewer triangles, for people who are small in the picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.wardrobe import Part
from bitpose.render import Surface
from bitpose.render._shade import vertex_normals

Array = NDArray[Any]
Index = NDArray[np.intp]

#: Metres of a cell at each level of detail; the first is the whole mesh.
CELLS = (0.0, 0.012, 0.02, 0.03, 0.045, 0.07)
#: Pixels that a cell may cover.
_PIXELS = 4.0
#: Of texture coordinates, the places that a vertex may have: it lies on several sides of seams.
_SIDES = 4


def level_for(pixel: float) -> int:
    """Of those whose cells are at most some pixels of so many metres, the coarsest."""
    return max(i for i, cell in enumerate(CELLS) if cell <= _PIXELS * pixel or i == 0)


def coarsened(part: Part, cell: float) -> Part:
    """The part with one vertex for all in a cubic cell, at rest, that face the same way.

    Vertices stay where they are, so that shape, pose and texture are those of the part: of each
    cell the one nearest to the cell's mean is kept. Closed surfaces stay closed.
    """
    surface, rest = part.surface, part.model.v_template.astype(np.float64)
    kept = _kept(rest, vertex_normals(rest, surface.faces), cell)
    faces = kept[surface.faces]
    chosen = np.flatnonzero((faces != np.roll(faces, 1, axis=1)).all(axis=1))
    used, corners = np.unique(faces[chosen], return_inverse=True)
    uv = surface.texture_uv
    if uv is not None:
        uv = _moved_uv(surface.faces, uv, kept, len(rest))[chosen]
    triangles = corners.reshape(-1, 3).astype(np.int32)
    return replace(
        part,
        model=part.model.at_vertices(used),
        surface=Surface(len(used), triangles, texture_uv=uv),
    )


def _kept(rest: Array, normals: Array, cell: float) -> Index:
    """[V]: for each vertex the one that it is merged into."""
    keys = np.concatenate([np.floor(rest / cell), normals > 0], axis=1).astype(np.int64)
    _, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.ravel()
    sizes = np.bincount(group)
    means = np.stack([np.bincount(group, rest[:, k]) / sizes for k in range(3)], axis=1)
    order = np.lexsort((((rest - means[group]) ** 2).sum(axis=1), group))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return np.asarray(order[starts][group])


def _moved_uv(faces: NDArray[np.int32], uv: Array, kept: Index, count: int) -> NDArray[np.float32]:
    """[F, 3, 2]: for each corner that of the vertex it is merged into, on its own side of seams."""
    places = np.full((count, _SIDES, 2), np.inf, np.float32)
    flat = np.concatenate([faces.reshape(-1, 1), np.rint(uv.reshape(-1, 2) * 4096)], axis=1)
    _, index = np.unique(flat.astype(np.int64), axis=0, return_index=True)
    vertex = faces.reshape(-1)[index]
    side = np.arange(len(vertex)) - np.searchsorted(vertex, vertex)
    some = side < _SIDES
    places[vertex[some], side[some]] = uv.reshape(-1, 2)[index[some]]
    candidates = places[kept[faces]]
    distance = np.abs(candidates - uv[:, :, None]).sum(axis=-1)
    nearest = distance.argmin(axis=2)[..., None]
    moved = np.take_along_axis(candidates, nearest[..., None], axis=2)[:, :, 0]
    far = np.take_along_axis(distance, nearest, axis=2) > 0.1
    return np.asarray(np.where(far, uv, moved), np.float32)
