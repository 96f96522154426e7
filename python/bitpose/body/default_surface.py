# SPDX-License-Identifier: Apache-2.0
"""The surface of the default body: 24 charts in DensePose's order, and geodesic distances.

`default_surface.npz` has what only work on the surface needs. Like `default_body.npz`, it is a
stored zip of integers that `bitpose.body.make` makes to the last byte. F triangles, of which the
second half mirrors the first with its corners reversed, V vertices, K landmarks, N near pairs.

    parts               [F/2]        uint8   of the left half, and of the torso's left half
    uv                  [F/2, 3, 2]  uint16  times 1 / 65534
    mirror              [V]          uint16  the vertex on the other side
    landmark_distances  [K(K-1)/2]   uint16  times 1e-4: metres, the upper triangle by rows
    around              [V, n]       uint16  landmarks around a vertex
    around_weights      [V, n]       int16   times 1 / 4096
    near_starts         [V + 1]      int32   where the near pairs of each first vertex start
    near_vertices       [N]          uint16  the second vertex, of a larger number
    near_steps          [V]          uint16  times 1e-6: metres
    near_distances      [N]          uint8   times the step of the first vertex

Of two near pairs that mirror each other, the file has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import default
from bitpose.body.charts import Charts
from bitpose.body.geodesics import GeodesicTable

Array = NDArray[Any]

#: Even, so that the middle of the torso is at u = 1/2.
UV_WHOLE = 65534
DISTANCE_STEP = 1e-4
NEAR_STEP = 1e-6
WEIGHT_STEP = 1 / 4096
#: The part on the other side of the body of each part; 0, the background, stays.
MIRRORED_PARTS = np.array([0, 1, 2, 4, 3, 6, 5, *(p + (1 if p % 2 else -1) for p in range(7, 25))])


@dataclass(frozen=True, eq=False)
class BodySurface:
    """What is known of a body's surface whatever its shape and pose."""

    charts: Charts
    geodesic: GeodesicTable
    """Along the surface of the mean body in the zero pose."""
    mirror: NDArray[np.int32]
    """[V]: the vertex on the other side of each."""


@cache
def load() -> BodySurface:
    """The surface of the default body."""
    with (
        files("bitpose.body").joinpath("default_surface.npz").open("rb") as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        return from_file(dict(archive), default.load().faces)


def from_file(arrays: dict[str, Array], faces: NDArray[np.int32]) -> BodySurface:
    """Of the arrays in the file, and the triangles [F, 3] that they belong to."""
    mirror = arrays["mirror"].astype(np.int32)
    left, uv = arrays["parts"], arrays["uv"] / UV_WHOLE
    other = uv[:, ::-1] * (-1, 1) + (1, 0)
    charts = Charts(
        vertex_count=len(mirror),
        faces=faces,
        parts=np.concatenate([left, MIRRORED_PARTS[left].astype(np.uint8)]),
        uv=np.concatenate([uv, other]),
    )
    first = np.repeat(np.arange(len(mirror)), np.diff(arrays["near_starts"]))
    second = arrays["near_vertices"].astype(np.int64)
    near = arrays["near_distances"] * (arrays["near_steps"] * NEAR_STEP)[first]
    count = int(arrays["around"].max()) + 1
    between = np.zeros((count, count), np.float32)
    between[np.triu_indices(count, 1)] = arrays["landmark_distances"] * DISTANCE_STEP
    geodesic = GeodesicTable.from_pairs(
        landmark_distances=between + between.T,
        around=arrays["around"].astype(np.int32),
        weights=arrays["around_weights"] * WEIGHT_STEP,
        pairs=np.stack(
            [np.concatenate([first, mirror[first]]), np.concatenate([second, mirror[second]])]
        ),
        near=np.concatenate([near, near]),
    )
    return BodySurface(charts, geodesic, mirror)
