# SPDX-License-Identifier: Apache-2.0
"""The arrays of `default_surface.npz`: charts and geodesic distances of the default body."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.default_surface import MIRRORED_PARTS, UV_WHOLE
from bitpose.body.make import geodesics
from bitpose.body.make.charts import LEFT_FOOT, LEFT_HAND, Halves, cut, slits
from bitpose.body.make.flatten import corners, flatten
from bitpose.body.model import BodyModel

Array = NDArray[Any]
Index = NDArray[np.int64]

_TORSO = (1, 2)
#: Where v grows: towards the head, or along an arm and a foot towards the trunk.
_UPWARDS = {LEFT_HAND: (-1, 0, 0), LEFT_FOOT: (0, 0, -1), 15: (-1, 0, 0), 17: (-1, 0, 0),
            19: (-1, 0, 0), 21: (-1, 0, 0)}  # fmt: skip


def surface(body: BodyModel) -> dict[str, Array]:
    """As body/default_surface.py describes them."""
    mesh = Halves(body.v_template, body.faces.astype(np.int64))
    parts, uv = charts(mesh, body.J_template)
    return {
        "parts": parts.astype(np.uint8),
        "uv": np.rint(uv * UV_WHOLE).astype(np.uint16),
    } | geodesics.table(mesh)


def charts(mesh: Halves, joints: Array) -> tuple[Index, Array]:
    """The parts [F/2] of the left half, and the layouts of its corners [F/2, 3, 2] in [0, 1]."""
    parts, sides = cut(mesh, joints)
    slit = slits(mesh, joints, parts, sides)
    uv = np.zeros((len(parts), 3, 2))
    whole = np.concatenate([parts, MIRRORED_PARTS[parts]])
    for part in np.unique(parts):
        mine = np.flatnonzero(whole == part)
        triangles = mesh.vertices[mesh.faces[mine]]
        points = corners(mesh.faces[mine], slit)
        flat = flatten(triangles, points)[points]
        flat = _turned(triangles, flat, np.array(_UPWARDS.get(int(part), (0, 1, 0))))
        if part in _TORSO:
            half = len(mine) // 2
            flat[:half, :, 0] = (flat[:half, :, 0] - flat[half:, ::-1, 0]) / 2
            flat[:half, :, 1] = (flat[:half, :, 1] + flat[half:, ::-1, 1]) / 2
            flat[half:] = flat[:half, ::-1] * (-1, 1)
        flat = _in_unit_square(flat)
        uv[parts == part] = flat[: int(np.sum(parts == part))]
    return parts, uv


def _turned(triangles: Array, flat: Array, upwards: Array) -> Array:
    """A layout turned about its middle, so that on the whole v grows along `upwards`."""
    height = np.einsum("fkc,c->fk", triangles, upwards)
    step = flat[:, 1:] - flat[:, :1]
    rise = height[:, 1:] - height[:, :1]
    area = step[:, 0, 0] * step[:, 1, 1] - step[:, 0, 1] * step[:, 1, 0]
    # The sum over triangles of area times the gradient of height in the layout.
    slope = np.array([
        np.sum(rise[:, 0] * step[:, 1, 1] - rise[:, 1] * step[:, 0, 1]),
        np.sum(rise[:, 1] * step[:, 0, 0] - rise[:, 0] * step[:, 1, 0]),
    ])  # fmt: skip
    a, b = slope / np.sqrt(np.sum(slope * slope))
    x, y = flat[..., 0], flat[..., 1]
    turned = np.stack([b * x - a * y, a * x + b * y], axis=-1)
    middle = np.sum(area[:, None] * turned.mean(axis=1), axis=0) / area.sum()
    return np.asarray(turned - middle)


def _in_unit_square(flat: Array) -> Array:
    """As large as fits, in the middle."""
    low, high = flat.min(axis=(0, 1)), flat.max(axis=(0, 1))
    return np.asarray((flat - (low + high) / 2) / (high - low).max() + 0.5)
