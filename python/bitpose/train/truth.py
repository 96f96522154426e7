# SPDX-License-Identifier: Apache-2.0
"""What is true of the people of a scene that was kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body import default_surface
from bitpose.metrics.dense_pose import Points
from bitpose.train.scenes import Scene

Array = NDArray[Any]

#: Points of the surface of each person; fewer than the least of visible pixels are none.
_POINTS, _FEWEST = 100, 20
#: Whoever is smaller, in pixels of the longer side, or less to be seen than this share of their
#: box, is neither asked for nor forbidden.
_SMALLEST, _LEAST_SEEN = 32, 0.25


@dataclass(frozen=True, eq=False)
class Truth:
    """Of one person."""

    box: Array
    """[4]: left, top, right, bottom of what is seen."""
    area: float
    """Pixels of them that are seen."""
    ignored: bool
    keypoints: Array
    """[17, 3] as COCO has them."""
    joints: Array
    """[24, 3] metres, camera frame."""
    points: Points
    """Of the surface, that are seen."""
    parts: NDArray[np.uint8]
    """[P]: DensePose's part of each."""


def truths(scene: Scene) -> list[Truth]:
    """Of everyone of whom a pixel is seen."""
    found = []
    for number, person in enumerate(scene.people):
        box = person.box.astype(np.float64)
        extent = float(max(box[2] - box[0], box[3] - box[1]))
        if extent < 1:
            continue
        mask = scene.owner == number + 1
        found.append(
            Truth(
                box,
                float(mask.sum()),
                extent < _SMALLEST or float(person.seen) < _LEAST_SEEN,
                person.keypoints,
                person.joints.astype(np.float64),
                *_points(scene, mask),
            )
        )
    return found


def _points(scene: Scene, mask: Array) -> tuple[Points, NDArray[np.uint8]]:
    """As spread as the visible pixels of the body are, at their middles; and their parts."""
    rows, columns = np.nonzero(mask & (scene.part > 0))
    if len(rows) < _FEWEST:
        return Points(np.zeros((0, 2)), np.zeros(0, np.int64)), np.zeros(0, np.uint8)
    chosen = np.linspace(0, len(rows) - 1, min(_POINTS, len(rows))).round().astype(np.int64)
    at = rows[chosen], columns[chosen]
    charts = default_surface.load().charts
    u, v = (scene.uv[i][at] / 255 for i in range(2))
    seen = charts.locate(scene.part[at], u, v)
    there = seen.triangles >= 0
    corner = seen.barycentrics[there].argmax(axis=1)
    vertices = charts.faces[seen.triangles[there], corner]
    xy = np.stack([at[1], at[0]], axis=1)[there].astype(np.float64) + 0.5
    return Points(xy, vertices.astype(np.int64)), scene.part[at][there]
