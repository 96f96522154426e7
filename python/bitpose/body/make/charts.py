# SPDX-License-Identifier: Apache-2.0
"""Where the surface is cut into DensePose's 24 parts.

Cuts follow edges of the mesh: around a joint they are as short as they can be near a plane, and
along a limb near the plane that holds its bone (minimum cuts of the graph of triangles). The left
half is cut, and the right half is its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from bitpose.body.layout import SMPL_JOINTS

Array = NDArray[Any]
Index = NDArray[np.int64]

LEFT_HAND, LEFT_FOOT = 4, 5

_UNITS = 1e6
_BAND = 0.02
#: Where a cut may stray further, to follow the loops of the mesh.
_WIDE = 0.035
#: A triangle that is turned by a right angle counts as so far from a cut between two sides.
_TURNED = 0.012


@dataclass(frozen=True, eq=False)
class Halves:
    """A mesh whose second half of triangles mirrors the first, the left one, corners reversed."""

    vertices: Array
    faces: Index

    @property
    def left(self) -> Index:
        return self.faces[: len(self.faces) // 2]

    @property
    def mirror(self) -> Index:
        """[V]: the vertex on the other side of each."""
        other = np.empty(len(self.vertices), np.int64)
        right = self.faces[len(self.faces) // 2 :, ::-1]
        other[self.left], other[right] = right, self.left
        return other


def cut(mesh: Halves, joints: Array) -> tuple[Index, Index]:
    """The part [F/2] of each triangle of the left half, and its side [F/2] within the part.

    Hands and feet have two sides, which are to be laid out beside each other.
    """
    return _Cutter(mesh, dict(zip(SMPL_JOINTS, joints, strict=True))).cut()


class _Cutter:
    def __init__(self, mesh: Halves, joint: dict[str, Array]) -> None:
        self.joint = joint
        a, b, c = (mesh.vertices[mesh.left[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        self.normal = normal / np.sqrt(np.sum(normal * normal, axis=1))[:, None]
        self.middle = (a + b + c) / 3
        self.near, self.length = neighbours(mesh.vertices, mesh.left)

    def cut(self) -> tuple[Index, Index]:
        j, everything = self.joint, np.ones(len(self.middle), np.bool_)
        head = self._beyond(everything, (0, 0.535, 0), (0, 1, 0.45))
        rest = everything & ~head
        above = self.middle[:, 1] > 0.5 * (j["spine2"][1] + j["spine3"][1])
        arm = self._beyond(rest & above, j["left_shoulder"] + (0.012, 0, 0), (1, 0, 0))
        forearm = self._beyond(arm, j["left_elbow"], (1, 0, 0))
        hand = self._beyond(forearm, j["left_wrist"] + (0.004, 0, 0), (1, 0, 0))
        below = self.middle[:, 1] < j["spine1"][1]
        leg = self._beyond(rest & below, (0, -0.116, 0), (0.6, -0.8, 0), _WIDE)
        shank = self._beyond(leg, j["left_knee"], (0, -1, 0))
        foot = self._beyond(shank, j["left_ankle"] + (0, 0.02, 0), (0, -1, 0))
        torso = rest & ~arm & ~leg
        parts = np.zeros(len(self.middle), np.int64)
        parts[head], parts[hand], parts[foot] = 24, LEFT_HAND, LEFT_FOOT
        for region, back, names in (
            (torso, 1, None),
            (leg & ~shank, 8, ("left_hip", "left_knee")),
            (shank & ~foot, 12, ("left_knee", "left_ankle")),
        ):
            front = self._split(region, self._before(names))
            parts[region] = np.where(front[region], back + (1 if back == 1 else 2), back)
        for region, inner, names in (
            (arm & ~forearm, 15, ("left_shoulder", "left_elbow")),
            (forearm & ~hand, 19, ("left_elbow", "left_wrist")),
        ):
            outer = self._split(region, self._above(names))
            parts[region] = np.where(outer[region], inner + 2, inner)
        sides = np.zeros(len(parts), np.int64)
        for region, upwards in ((hand, (0.3, 1, 0)), (foot, (0, 1, 0.35))):
            turned = np.sum(self.normal * upwards, axis=1) * _TURNED
            sides[self._split(region, turned, _TURNED / 2)] = 1
        return parts, sides

    def _beyond(
        self,
        region: NDArray[np.bool_],
        point: ArrayLike,
        normal: ArrayLike,
        band: float = _BAND,
    ) -> Any:
        direction = np.asarray(normal) / np.sqrt(np.sum(np.square(normal)))
        away = self.middle - np.asarray(point, np.float64)
        return self._split(region, np.sum(away * direction, axis=1), band)

    def _before(self, names: tuple[str, str] | None) -> Array:
        """How far in front of a bone, or of the middle of the trunk, each triangle is."""
        if names is None:
            return np.asarray(self.middle[:, 2])
        return self._off_bone(names, 1, 2)

    def _above(self, names: tuple[str, str]) -> Array:
        return self._off_bone(names, 0, 1)

    def _off_bone(self, names: tuple[str, str], along: int, across: int) -> Array:
        a, b = (self.joint[name] for name in names)
        share = (self.middle[:, along] - a[along]) / (b[along] - a[along])
        return np.asarray(self.middle[:, across] - a[across] - share * (b[across] - a[across]))

    def _split(self, region: NDArray[np.bool_], distance: Array, band: float = _BAND) -> Any:
        """The part of a region where `distance` is positive, up to a band, cut off shortly."""
        distance = np.round(distance, 9)
        count = len(distance)
        i, k = self.near[:, 0], self.near[:, 1]
        inside = region[i] & region[k]
        i, k = i[inside], k[inside]
        away = np.minimum((distance[i] + distance[k]) / 2 / band, 4.0)
        cost = np.rint(self.length[inside] * _UNITS * (0.4 + away**2)).astype(np.int64) + 1
        source = np.flatnonzero(region & (distance < -band))
        sink = np.flatnonzero(region & (distance > band))
        rows = np.concatenate([i, k, np.full(len(source), count), sink])
        columns = np.concatenate([k, i, source, np.full(len(sink), count + 1)])
        enough = np.full(len(source) + len(sink), 1 << 28)
        capacity = np.concatenate([cost, cost, enough]).astype(np.int32)
        graph = sp.csr_matrix((capacity, (rows, columns)), (count + 2, count + 2))
        left = graph - maximum_flow(graph, count, count + 1).flow
        left.data = np.maximum(left.data, 0)
        left.eliminate_zeros()
        reached = breadth_first_order(left, count, return_predecessors=False)
        below = np.zeros(count + 2, np.bool_)
        below[reached] = True
        return region & ~self._without_islands(region, region & below[:count])

    def _without_islands(self, region: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Any:
        """`chosen`, in one piece, and the rest of the region too: what is loose changes sides."""
        for side in (region & ~chosen, chosen):
            joined = self.near[side[self.near].all(axis=1)]
            ones = np.ones(len(joined), np.int8)
            graph = sp.csr_matrix((ones, (joined[:, 0], joined[:, 1])), (len(side), len(side)))
            label = connected_components(graph, directed=False)[1]
            largest = np.argmax(np.bincount(label[side]))
            chosen = chosen ^ (side & (label != largest))
        return chosen


def slits(mesh: Halves, joints: Array, parts: Index, sides: Index) -> set[tuple[int, int]]:
    """Edges of the left half, smaller vertex first, along which hands and feet are cut open.

    Both sides stay joined at the hand's outer edge, and at the foot's from the ankle to its middle.
    """
    joint = dict(zip(SMPL_JOINTS, joints, strict=True))
    knuckles = 0.9 * joint["left_hand"][0] + 0.1 * joint["left_wrist"][0]
    middle = 0.5 * joint["left_foot"][2] + 0.5 * joint["left_ankle"][2]
    pairs, _ = neighbours(mesh.vertices, mesh.left)
    one, other = pairs.T
    between = (parts[one] == parts[other]) & (sides[one] != sides[other])
    found = set()
    for i, k in pairs[between]:
        a, b = sorted(set(mesh.left[i].tolist()) & set(mesh.left[k].tolist()))
        x, _, z = (mesh.vertices[a] + mesh.vertices[b]) / 2
        hand = z < joint["left_wrist"][2] and x < knuckles
        foot = x > joint["left_ankle"][0] and z < middle
        if not (hand if parts[i] == LEFT_HAND else foot):
            found.add((a, b))
    return found


def neighbours(vertices: Array, faces: Index) -> tuple[Index, Array]:
    """Pairs [E, 2] of triangles with a common edge, and its length [E]."""
    edges = np.sort(np.concatenate([faces[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    owner = np.tile(np.arange(len(faces)), 3)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    edges, owner = edges[order], owner[order]
    same = (edges[1:] == edges[:-1]).all(axis=1)
    pairs = np.stack([owner[:-1][same], owner[1:][same]], axis=1)
    ends = edges[:-1][same]
    step = vertices[ends[:, 0]] - vertices[ends[:, 1]]
    return pairs, np.sqrt(np.sum(step * step, axis=1))
