# SPDX-License-Identifier: Apache-2.0
"""Where fits start, against what geometry says."""

from __future__ import annotations

import numpy as np

from bitpose.body.fit import Fitter, SpacePoints, View, start
from bitpose.body.fit.likelihood import Sighting
from bitpose.body.fit.prior import PosePrior
from bitpose.body.rotations import axis_angle_to_matrix

LOG_FOCAL = float(np.log(700))


def test_start_follows_the_camera() -> None:
    fitter, poses = Fitter(), PosePrior.load().poses
    pixels = np.random.default_rng(0).uniform(100, 400, (17, 2))
    R, t = axis_angle_to_matrix(np.array([0.4, -1.0, 0.3])), np.array([0.3, 0.1, 2.0])
    plain = View(pixels, np.ones(17), (256, 256))
    turned = View(pixels, np.ones(17), (256, 256), R_view_world=R, t_view_world=t)
    sightings = [Sighting.of_keypoints(fitter.keypoints, view) for view in (plain, turned)]
    starts = [start.in_front_of(sighting, poses, LOG_FOCAL, 4) for sighting in sightings]
    skeleton = fitter.joints.skeleton
    here, there = (fitter.joints.positions(guesses.posed(skeleton)) for guesses in starts)
    np.testing.assert_allclose(there @ R.T + t, here, atol=1e-9)


def test_nobody_is_laid_over_points_as_a_mirror_image() -> None:
    fitter, poses = Fitter(), PosePrior.load().poses
    posed = fitter.joints.skeleton.with_shape(np.zeros(fitter.model.num_betas)).with_pose(
        axis_angle_to_matrix(np.concatenate([np.zeros((1, 3)), poses[0]])), np.zeros(3)
    )
    # Five times as deep, so that front and back matter most.
    mirrored = SpacePoints(posed.t_world_joint * np.array([1.0, 1.0, -5.0]), np.ones(24))
    R = start.around(mirrored, fitter.joints, poses, LOG_FOCAL).R_world_root
    np.testing.assert_allclose(
        R @ np.swapaxes(R, 1, 2), np.tile(np.eye(3), (len(R), 1, 1)), atol=1e-9
    )
    assert (np.linalg.det(R) > 0).all()
    same = start.around(SpacePoints(posed.t_world_joint, np.ones(24)), fitter.joints, poses[:1], 0)
    np.testing.assert_allclose(same.R_world_root[0], np.eye(3), atol=1e-9)
    np.testing.assert_allclose(same.translation[0], 0, atol=1e-9)


def test_rays_meet_where_the_point_is() -> None:
    points = np.random.default_rng(1).normal((0, 0, 5), 0.5, (17, 3))
    turns = axis_angle_to_matrix(np.array([[0, 0, 0], [0.1, -0.4, 0.0], [0, 0.3, 0.1]]))
    views = []
    for R, x in zip(turns, (-0.5, 0.1, 1.0), strict=True):
        seen = View(np.zeros((17, 2)), np.ones(17), (256, 200), 700.0, None, R, (x, 0.2, 1.0))
        pixels = seen.project(points[None], np.array([700.0]))[0]
        views.append(View(pixels, np.ones(17), (256, 200), 700.0, None, R, (x, 0.2, 1.0)))
    found = start.triangulated(tuple(views), LOG_FOCAL)
    np.testing.assert_allclose(np.asarray(found.positions), points, atol=1e-6)
    assert not np.asarray(start.triangulated(tuple(views[:1]), LOG_FOCAL).confidence).any()
