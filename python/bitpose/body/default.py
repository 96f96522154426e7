# SPDX-License-Identifier: Apache-2.0
"""The body that comes with the package: `default_body.npz`, derived from CC0 data.

The file is a stored (not compressed) zip of integers with their steps, so that it can be made again
to the last byte; `bitpose.body.make` makes it. K shape axes, V vertices, N moved vertices.

    v_template      [V, 3]     int32   times 1e-6: metres
    faces           [F, 3]     uint16
    shapedirs       [K, V, 3]  int16   times shapedirs_step [K]
    bones, weights  [V, 4]     uint8, uint16: weights of a vertex add up to 65535
    posedirs        [9, N, 3]  int16   times posedirs_step [J]: that of the joint
    moved, starts   [N], [J+1] uint16, int32: `PoseBlend.vertices` and `.starts`
    axes            [K] names and axes_matrix [K, K] float64
    joints, coco17, h36m17, lsp14: names [k]; ..._vertices and ..._weights [k, n] uint16
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bitpose.body.keypoints import KeypointRegressor, ShapeAxes
from bitpose.body.layout import SMPL_PARENTS
from bitpose.body.model import BodyModel
from bitpose.body.packing import PoseBlend, SkinWeights

Array = NDArray[Any]

TEMPLATE_STEP = 1e-6
WHOLE = 65535
#: The sets of keypoints by the names of their arrays.
KEYPOINTS = {"COCO-17": "coco17", "H36M-17": "h36m17", "LSP-14": "lsp14"}


def load(dtype: DTypeLike = np.float32) -> BodyModel:
    """The default body, in float32 or float64."""
    return from_file(_arrays(), dtype)


def joint_regressor() -> dict[str, Array]:
    """The arrays of the default body's joints."""
    return {name: array for name, array in _arrays().items() if name.startswith("joints")}


@cache
def _arrays() -> dict[str, Array]:
    with (
        files("bitpose.body").joinpath("default_body.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        return dict(archive)


def from_file(arrays: dict[str, Array], dtype: DTypeLike) -> BodyModel:
    """Of the arrays in the file."""
    v_template = arrays["v_template"] * TEMPLATE_STEP
    shapedirs = arrays["shapedirs"] * arrays["shapedirs_step"][:, None, None]
    joints = _regressor(arrays, "joints")
    return BodyModel(
        v_template=v_template.astype(dtype),
        shapedirs=shapedirs.astype(dtype),
        J_template=joints.positions(v_template).astype(dtype),
        J_shapedirs=joints.positions(shapedirs).astype(dtype),
        pose_blend=PoseBlend.from_joints(_pose_directions(arrays), dtype),
        skin=SkinWeights(
            arrays["bones"].astype(np.int32), (arrays["weights"] / WHOLE).astype(dtype)
        ),
        parents=np.array(SMPL_PARENTS, np.int32),
        faces=arrays["faces"].astype(np.int32),
        axes=ShapeAxes(tuple(map(str, arrays["axes"])), arrays["axes_matrix"]),
        keypoints={
            name: _regressor(arrays, key) for name, key in KEYPOINTS.items() if key in arrays
        },
    )


def _pose_directions(arrays: dict[str, Array]) -> list[tuple[Array, Array]]:
    """The vertices that each joint moves, and their directions in metres."""
    parts = [slice(start, end) for start, end in pairwise(arrays["starts"])]
    return [
        (arrays["moved"][part], arrays["posedirs"][:, part] * step)
        for part, step in zip(parts, arrays["posedirs_step"], strict=True)
    ]


def _regressor(arrays: dict[str, Array], name: str) -> KeypointRegressor:
    return KeypointRegressor(
        tuple(map(str, arrays[name])),
        arrays[f"{name}_vertices"].astype(np.int32),
        arrays[f"{name}_weights"] / WHOLE,
    )
