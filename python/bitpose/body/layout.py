# SPDX-License-Identifier: Apache-2.0
"""What a body model file must hold, by SMPL's names and in SMPL's shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InvalidModelError

Array = NDArray[Any]

#: The 24 joints of SMPL in its order, and the joint that each hangs on.
_SKELETON = (
    *(("pelvis", -1), ("left_hip", 0), ("right_hip", 0), ("spine1", 0)),
    *(("left_knee", 1), ("right_knee", 2), ("spine2", 3)),
    *(("left_ankle", 4), ("right_ankle", 5), ("spine3", 6)),
    *(("left_foot", 7), ("right_foot", 8), ("neck", 9), ("left_collar", 9), ("right_collar", 9)),
    *(("head", 12), ("left_shoulder", 13), ("right_shoulder", 14)),
    *(("left_elbow", 16), ("right_elbow", 17), ("left_wrist", 18), ("right_wrist", 19)),
    *(("left_hand", 20), ("right_hand", 21)),
)
SMPL_JOINTS = tuple(name for name, _ in _SKELETON)
SMPL_PARENTS = tuple(parent for _, parent in _SKELETON)
_OTHER_SIDE = {"left": "right", "right": "left"}
#: The joint that each becomes in a mirror.
SMPL_MIRRORED = tuple(
    SMPL_JOINTS.index(_OTHER_SIDE.get(side, side) + bar + rest)
    for side, bar, rest in (name.partition("_") for name in SMPL_JOINTS)
)

#: What a file must have, by the names in it.
NAMES = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")

_MOST_JOINTS = 1024


@dataclass(frozen=True, eq=False)
class BodyArrays:
    """A body for linear blend skinning: V vertices, J joints, B shape directions, F triangles."""

    v_template: Array
    """[V, 3], metres: the surface at rest of the shape with all betas 0."""
    shapedirs: Array
    """[V, 3, B], metres per unit of a beta."""
    posedirs: Array
    """[V, 3, 9 (J - 1)], metres per unit of an entry of R_parent_joint - I, row by row."""
    J_regressor: Array
    """[J, V]: the joints at rest as weighted means of vertices."""
    lbs_weights: Array
    """[V, J]: rows add up to 1."""
    parents: NDArray[np.int32]
    """[J]: -1 for the root, which is joint 0, and a lower index for every other joint."""
    faces: NDArray[np.int32]
    """[F, 3], counter-clockwise from outside."""
    expressions: int = 0
    """How many of the last shape directions are expressions of the face."""


def checked(arrays: Mapping[str, Array], expressions: int, source: str) -> BodyArrays:
    """The arrays of a file by SMPL's names, each checked on its own and against the others.

    Raises InvalidModelError that names everything missing, or the first array that is wrong.
    """
    missing = [name for name in NAMES if name not in arrays]
    if missing:
        raise InvalidModelError(
            f"{source}: no {', '.join(missing)}; a file of SMPL, SMPL-H or SMPL-X has "
            f"{', '.join(NAMES)}"
        )
    check = _Check(source)
    v_template = check.floats("v_template", arrays["v_template"], (None, 3))
    weights = check.floats("weights", arrays["weights"], (len(v_template), None))
    vertices, joints = weights.shape
    if not 1 <= joints <= _MOST_JOINTS or vertices == 0:
        raise InvalidModelError(f"{source}: {vertices} vertices and {joints} joints make no body")
    shapedirs = check.floats("shapedirs", arrays["shapedirs"], (vertices, 3, None))
    posedirs = check.floats("posedirs", arrays["posedirs"], (vertices, 3, 9 * (joints - 1)))
    regressor = check.floats("J_regressor", arrays["J_regressor"], (joints, vertices))
    if np.abs(weights.sum(axis=1) - 1).max() > 1e-3:
        raise InvalidModelError(f"{source}: weights of a vertex do not add up to 1")
    return BodyArrays(
        v_template,
        shapedirs,
        posedirs,
        regressor,
        weights,
        check.parents(arrays["kintree_table"], joints),
        check.faces(arrays["f"], vertices),
        expressions,
    )


@dataclass(frozen=True)
class _Check:
    source: str

    def floats(self, name: str, array: Array, shape: tuple[int | None, ...]) -> Array:
        """The array in float32 or float64, if its shape is as said and all of it is finite."""
        self._shape(name, array, shape)
        if array.dtype.kind not in "fiu":
            raise InvalidModelError(f"{self.source}: {name} is {array.dtype}, not numbers")
        array = array if array.dtype == np.float32 else array.astype(np.float64)
        if not np.isfinite(array).all():
            raise InvalidModelError(f"{self.source}: {name} holds NaN or infinity")
        return array

    def parents(self, table: Array, joints: int) -> NDArray[np.int32]:
        """The first row of a kintree_table; the root's entry may be anything that no joint is."""
        self._shape("kintree_table", table, (2, joints))
        if table.dtype.kind not in "iu":
            raise InvalidModelError(f"{self.source}: kintree_table is {table.dtype}, not integers")
        parents = table[0].astype(np.int64)
        for joint in range(1, joints):
            if not 0 <= parents[joint] < joint:
                raise InvalidModelError(
                    f"{self.source}: kintree_table says that joint {joint} hangs on joint "
                    f"{parents[joint]}; a parent comes before its children, so there is no cycle"
                )
        parents[0] = -1
        return np.asarray(parents, np.int32)

    def faces(self, faces: Array, vertices: int) -> NDArray[np.int32]:
        self._shape("f", faces, (None, 3))
        if faces.dtype.kind not in "iu":
            raise InvalidModelError(f"{self.source}: f is {faces.dtype}, not integers")
        if faces.size and not 0 <= int(faces.min()) <= int(faces.max()) < vertices:
            raise InvalidModelError(f"{self.source}: f names vertices beyond the {vertices}")
        return np.ascontiguousarray(faces, np.int32)

    def _shape(self, name: str, array: Array, shape: tuple[int | None, ...]) -> None:
        fits = array.ndim == len(shape) and all(
            wanted in (None, extent) for wanted, extent in zip(shape, array.shape, strict=True)
        )
        if not fits:
            wanted = ", ".join("any" if extent is None else str(extent) for extent in shape)
            raise InvalidModelError(
                f"{self.source}: {name} has shape {array.shape}, must have [{wanted}]"
            )
