# SPDX-License-Identifier: Apache-2.0
"""The default body before a camera: its joints lie inside of what is drawn, and behind its skin."""

from __future__ import annotations

import numpy as np
import pytest

from bitpose.body import BodyModel
from bitpose.render import Drawable, PerspectiveCamera, Surface, look_at, rasterize


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("degrees", [0.0, 75.0, 180.0])
def test_joints_are_inside(seed: int, degrees: float) -> None:
    body = BodyModel.load()
    rng = np.random.default_rng(seed)
    pose = rng.normal(0, 0.25, 72)
    posed = body.with_shape(rng.normal(size=5)).with_axis_angle(pose, [0.3, 1.0, -0.2])
    centre = posed.t_world_joint.mean(axis=0)
    camera = PerspectiveCamera(
        width=768,
        height=1024,
        fx=1280,
        fy=1280,
        T_camera_world=look_at(centre + np.array([0.6, 0.3, 3.2]), centre, [0, 1, 0]),
    ).around(centre, degrees)
    surface = Surface(len(body.v_template), body.faces)
    maps = rasterize([Drawable(surface, posed.vertices(), back_faces=False)], camera)
    xy, depth = camera.project(posed.t_world_joint)
    column, row = np.floor(xy).astype(int).T
    assert maps.mask[row, column].all()
    assert (maps.depth[row, column] < depth).all()
