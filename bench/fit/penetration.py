# SPDX-License-Identifier: Apache-2.0
"""How many of a mesh's vertices lie inside a part of the body that they do not belong to.

Parts are the triangles that one group of bones moves most, closed by a fan over each hole. A vertex
is inside where the winding number, the sum of the solid angles of the part's triangles over 4 pi,
is above a half. Parts that hang on each other are left out: their closed meshes meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.layout import SMPL_JOINTS
from bitpose.body.model import BodyModel

Array = NDArray[Any]

_TRUNK = ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar")
_LIMBS = (("hip",), ("knee", "ankle", "foot"), ("shoulder",), ("elbow", "wrist", "hand"))
PARTS: tuple[tuple[str, ...], ...] = (
    _TRUNK,
    ("neck", "head"),
    *(tuple(f"{side}_{bone}" for bone in limb) for side in ("left", "right") for limb in _LIMBS),
)
_JOINED = {(0, 1), (0, 2), (2, 3), (0, 4), (4, 5), (0, 6), (6, 7), (0, 8), (8, 9)}
_BATCH = 1 << 21


@dataclass(frozen=True, eq=False)
class ClosedParts:
    """The parts of one body."""

    part: Array
    """[V]."""
    faces: tuple[Array, ...]
    """Of each part [F, 3]: indices of vertices, from V on of the middles of `holes`."""
    holes: tuple[Array, ...]
    """The vertices around each hole."""

    @classmethod
    def of_body(cls, model: BodyModel) -> ClosedParts:
        """Of a body with SMPL's joints."""
        number = np.zeros(len(SMPL_JOINTS), int)
        for index, bones in enumerate(PARTS):
            number[[SMPL_JOINTS.index(bone) for bone in bones]] = index
        part = number[model.skin.bones[:, 0]]
        of_face = np.sort(part[model.faces], axis=1)[:, 1]  # That of two corners, if they agree.
        faces: list[Array] = []
        holes: list[Array] = []
        for index in range(len(PARTS)):
            inside = model.faces[of_face == index]
            fans = [inside]
            for edges in _rims(inside):
                middle = len(part) + len(holes)
                fans.append(np.column_stack([edges[:, ::-1], np.full(len(edges), middle)]))
                holes.append(np.unique(edges))
            faces.append(np.concatenate(fans))
        return cls(part, tuple(faces), tuple(holes))

    def inside(self, vertices: Array) -> NDArray[np.bool_]:
        """[V]: which vertices [V, 3] lie in a part that theirs does not hang on."""
        middles = [vertices[hole].mean(axis=0) for hole in self.holes]
        corners = np.concatenate([vertices, middles])
        found = np.zeros(len(vertices), bool)
        for index, faces in enumerate(self.faces):
            others = [k for k in range(len(PARTS)) if k != index]
            apart = [k for k in others if (min(k, index), max(k, index)) not in _JOINED]
            box = corners[faces].reshape(-1, 3)
            near = ((vertices > box.min(axis=0)) & (vertices < box.max(axis=0))).all(axis=1)
            asked = np.flatnonzero(near & np.isin(self.part, apart) & ~found)
            found[asked] = winding(vertices[asked], corners[faces]) > 0.5
        return found


def winding(points: Array, triangles: Array) -> Array:
    """[N]: how often triangles [F, 3, 3] go round points [N, 3] (van Oosterom, Strackee 1983)."""
    result = np.zeros(len(points))
    size = max(1, _BATCH // max(1, len(triangles)))
    for start in range(0, len(points), size):
        a, b, c = (triangles[:, k] - points[start : start + size, None] for k in range(3))
        la, lb, lc = (np.sqrt((x * x).sum(axis=-1)) for x in (a, b, c))
        above = (a * np.cross(b, c)).sum(axis=-1)
        below = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
        result[start : start + size] = np.arctan2(above, below).sum(axis=1) / (2 * np.pi)
    return result


def _rims(faces: Array) -> list[Array]:
    """Directed edges [E, 2] of each hole: those that no triangle has the other way round."""
    edges = np.concatenate([faces[:, [k, (k + 1) % 3]] for k in range(3)])
    there = {tuple(edge) for edge in edges.tolist()}
    left = [edge for edge in there if edge[::-1] not in there]
    label = {vertex: vertex for edge in left for vertex in edge}

    def root(vertex: int) -> int:
        while label[vertex] != vertex:
            vertex = label[vertex]
        return vertex

    for a, b in left:
        label[root(a)] = root(b)
    rims: dict[int, list[tuple[int, ...]]] = {}
    for edge in sorted(left):
        rims.setdefault(root(edge[0]), []).append(edge)
    return [np.array(rim) for rim in rims.values()]
