# SPDX-License-Identifier: Apache-2.0
"""Sparse forms of a body's skinning weights and pose blend shapes.

SMPL's weights have four bones a vertex, and a good pose corrective reaches little beyond its
joint. A dense file packs as well and only loses the gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bitpose.body import _skinning

Array = NDArray[Any]
Index = NDArray[np.int32]

_LARGEST_CODE = 32767


@dataclass(frozen=True, eq=False)
class SkinWeights:
    """For each of V vertices up to K bones, largest weight first, padded with weights of 0."""

    bones: Index
    """[V, K] joint indices."""
    weights: Array
    """[V, K]."""

    @classmethod
    def from_dense(cls, lbs_weights: Array, dtype: DTypeLike) -> SkinWeights:
        """Of `lbs_weights` [V, J]."""
        most = max(1, int(np.count_nonzero(lbs_weights, axis=1).max(initial=0)))
        bones = np.argsort(-np.abs(lbs_weights), axis=1, kind="stable")[:, :most]
        weights = np.take_along_axis(lbs_weights, bones, axis=1)
        return cls(np.ascontiguousarray(bones, np.int32), np.ascontiguousarray(weights, dtype))

    def to_dense(self, joints: int) -> Array:
        """[V, joints]."""
        dense = np.zeros((len(self.bones), joints), self.weights.dtype)
        np.add.at(dense, (np.arange(len(self.bones))[:, None], self.bones), self.weights)
        return dense

    def mixed(self, references: NDArray[Any], shares: Array, joints: int) -> SkinWeights:
        """Those of means of vertices [N, k] by shares [N, k]; four bones, none negative."""
        dense = np.einsum("nk,nkj->nj", shares, self.to_dense(joints)[references])
        dense = np.maximum(dense, 0)
        dense[dense < np.sort(dense, axis=1)[:, -4:][:, :1]] = 0
        return self.from_dense(dense / dense.sum(axis=1, keepdims=True), self.weights.dtype)

    def fits(self, vertices: int, joints: int) -> bool:
        """Whether it is for a body of so many vertices and joints."""
        return (
            self.bones.shape == self.weights.shape
            and self.bones.shape[0] == vertices
            and self.bones.shape[1:] > (0,)
            and within(self.bones, joints)
        )

    def at(self, vertices: NDArray[Any]) -> SkinWeights:
        """Those of some vertices, in their order."""
        return SkinWeights(self.bones[vertices], self.weights[vertices])


@dataclass(frozen=True, eq=False)
class PoseBlend:
    """Displacements by the 9 features of each joint: the entries of R_parent_joint - I, row by row.

    Joint j moves `vertices[starts[j]:starts[j + 1]]`, which are sorted; the root moves none. Bodies
    in float32 keep directions in 16 bits: half the memory, through which a pose is blended, for an
    error below 1e-5 of the largest displacement nearby.
    """

    directions: Array
    """[9, N, 3]: float64 metres, or int16 in units of `steps`."""
    steps: Array
    """[blocks, 9] float32, metres, a row for each POSE_BLOCK vertices of a joint; or [0, 9]."""
    vertices: Index
    """[N]."""
    starts: Index
    """[J + 1]."""

    @classmethod
    def from_dense(cls, posedirs: Array, dtype: DTypeLike) -> PoseBlend:
        """Of SMPL's `posedirs` [V, 3, 9 (J - 1)]."""
        parts = [(np.empty(0, np.intp), np.empty((9, 0, 3)))]
        for j in range(posedirs.shape[2] // 9):
            of_joint = posedirs[:, :, 9 * j : 9 * j + 9]
            moved = np.flatnonzero(of_joint.any(axis=(1, 2)))
            parts.append((moved, of_joint[moved].transpose(2, 0, 1)))
        return cls.from_joints(parts, dtype)

    @classmethod
    def from_joints(
        cls, parts: Sequence[tuple[NDArray[Any], Array]], dtype: DTypeLike
    ) -> PoseBlend:
        """Of the vertices [n] that each joint moves, sorted, and their directions [9, n, 3]."""
        moved = [vertices for vertices, _ in parts]
        starts = np.concatenate([[0], np.cumsum([len(vertices) for vertices in moved])])
        directions = np.concatenate([part for _, part in parts], axis=1)
        vertices, starts = np.concatenate(moved).astype(np.int32), starts.astype(np.int32)
        if np.dtype(dtype) == np.float64:
            return cls(np.ascontiguousarray(directions, dtype), np.empty((0, 9)), vertices, starts)
        steps = []
        codes = np.empty(directions.shape, np.int16)
        for block in _blocks(starts):
            largest = np.abs(directions[:, block]).max(axis=(1, 2))
            steps.append((largest / _LARGEST_CODE).astype(np.float32))
            units = np.where(steps[-1] > 0, steps[-1], 1).astype(np.float64)
            codes[:, block] = np.rint(directions[:, block] / units[:, None, None])
        return cls(codes, np.array(steps, np.float32).reshape(-1, 9), vertices, starts)

    def fits(self, vertices: int, joints: int) -> bool:
        """Whether it is for a body of so many vertices and joints."""
        count = len(self.vertices)
        if self.starts.shape != (joints + 1,) or self.directions.shape != (9, count, 3):
            return False
        if self.starts[0] != 0 or self.starts[-1] != count or (np.diff(self.starts) < 0).any():
            return False
        blocks = int(_counts(self.starts).sum()) if self.directions.dtype == np.int16 else 0
        rises = np.diff(self.vertices) > 0
        rises[self.starts[(self.starts > 0) & (self.starts < count)] - 1] = True
        sound = within(self.vertices, vertices) and bool(rises.all())
        return sound and self.steps.shape == (blocks, 9)

    def add(self, features: Array, vertices: Array) -> None:
        """Adds to `vertices` [B, V, 3] what `features` [B, J, 9] do."""
        if self.directions.dtype == np.int16:
            _skinning.pose_blend_codes(
                self.directions, self.steps, self.vertices, self.starts, features, vertices
            )
        else:
            _skinning.pose_blend(self.directions, self.vertices, self.starts, features, vertices)

    def of_joint(self, joint: int) -> tuple[Index, Array]:
        """The vertices [n] that a joint moves, and their directions [9, n, 3] in metres."""
        part = slice(self.starts[joint], self.starts[joint + 1])
        directions = self.directions[:, part]
        if directions.dtype == np.int16:
            joints = np.repeat(np.arange(len(self.starts) - 1), _counts(self.starts))
            steps = np.repeat(self.steps[joints == joint], _skinning.POSE_BLOCK, axis=0)
            directions = directions * steps[: directions.shape[1]].T[:, :, None]
        return self.vertices[part], directions

    def to_dense(self, vertices: int) -> Array:
        """SMPL's [V, 3, 9 (J - 1)]."""
        joints = len(self.starts) - 1
        dense = np.zeros((vertices, 3, 9 * (joints - 1)))
        for j in range(1, joints):
            moved, directions = self.of_joint(j)
            dense[moved, :, 9 * j - 9 : 9 * j] = directions.transpose(1, 2, 0)
        return dense

    def at(self, vertices: NDArray[Any], total: int) -> PoseBlend:
        """What is left for some of `total` vertices, which get new numbers in their order."""
        number = np.full(total, -1)
        number[vertices] = np.arange(len(vertices))
        parts = []
        for j in range(len(self.starts) - 1):
            old, directions = self.of_joint(j)
            kept = np.flatnonzero(number[old] >= 0)
            kept = kept[np.argsort(number[old[kept]], kind="stable")]
            parts.append((number[old[kept]], directions[:, kept]))
        return self.from_joints(parts, self._dtype)

    def mixed(self, references: NDArray[Any], shares: Array, total: int) -> PoseBlend:
        """For means of vertices [N, k] by shares [N, k], out of `total` vertices."""
        parts = []
        for j in range(len(self.starts) - 1):
            old, directions = self.of_joint(j)
            whole = np.zeros((9, total, 3), directions.dtype)
            whole[:, old] = directions
            mixed = np.einsum("nk,fnkc->fnc", shares, whole[:, references])
            moved = np.flatnonzero(mixed.any(axis=(0, 2)))
            parts.append((moved, mixed[:, moved]))
        return self.from_joints(parts, self._dtype)

    @property
    def _dtype(self) -> type[np.floating[Any]]:
        return np.float32 if self.directions.dtype == np.int16 else np.float64


def within(indices: Index, end: int) -> bool:
    """Whether all indices are below `end`, and none is negative."""
    return indices.size == 0 or 0 <= int(indices.min()) <= int(indices.max()) < end


def _counts(starts: Index) -> NDArray[np.int64]:
    """[J]: in how many blocks each joint's vertices lie."""
    return np.asarray(-(-np.diff(starts.astype(np.int64)) // _skinning.POSE_BLOCK))


def _blocks(starts: Index) -> list[slice]:
    """The parts of N whose directions share their steps."""
    return [
        slice(first, min(first + _skinning.POSE_BLOCK, int(end)))
        for start, end in pairwise(starts)
        for first in range(int(start), int(end), _skinning.POSE_BLOCK)
    ]
