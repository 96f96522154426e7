# SPDX-License-Identifier: Apache-2.0
"""People of one photo, and what they say of its camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bitpose.body.fit import View, fit_scene
from bitpose.body.fit.make.cases import about
from bitpose.body.fit.prior import PosePrior
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError
from tests.python.body.fit.test_fit import CENTER, fitter

FOCAL, PITCH = 700.0, 20.0


def photo() -> tuple[np.ndarray, list[View]]:
    """Up, and four people as a camera sees them that looks down."""
    rng = np.random.default_rng(3)
    prior, model = PosePrior.load(), fitter().model
    down = about(0, np.deg2rad(PITCH)) @ np.diag([1.0, -1.0, -1.0])
    views = []
    for component in np.argsort(-prior.weights)[:4]:
        pose = np.concatenate([np.zeros((1, 3)), prior.poses[1 + component]])
        rotations = axis_angle_to_matrix(pose)
        up = prior.means[component, -3:]
        axis = np.cross(up, [0, 1, 0])
        upright = axis_angle_to_matrix(axis / np.linalg.norm(axis) * np.arccos(up[1]))
        rotations[0] = down @ about(1, rng.uniform(0, 2 * np.pi)) @ upright
        place = (rng.uniform(-1, 1), rng.uniform(-0.5, 0.5), rng.uniform(4, 8))
        posed = model.with_shape(rng.normal(0, 0.7, 16)).with_pose(rotations, place)
        points = model.keypoints["COCO-17"].positions(posed.vertices())
        view = View(np.zeros((17, 2)), np.ones(17), CENTER, None, 2.0)
        pixels = view.project(points[None], np.array([FOCAL]))[0]
        views.append(replace(view, keypoints=pixels + rng.normal(0, 2, pixels.shape)))
    return down[:, 1], views


def test_people_say_where_up_is() -> None:
    up, views = photo()
    scene = fit_scene(fitter(), views)
    assert len(scene.people) == len(views)
    assert np.rad2deg(np.arccos(scene.up @ up)) < PITCH / 2
    assert scene.tilt < 0.15
    assert scene.focal == pytest.approx(FOCAL, rel=0.4)
    known = fit_scene(fitter(), [replace(view, focal=FOCAL) for view in views[:2]])
    assert known.focal == FOCAL


@pytest.mark.parametrize("tilt", [1e-3, 0.15, 30.0])
def test_up_of_a_pose_lies_between_prior_and_expectation(tilt: float) -> None:
    prior = PosePrior.load()
    pose, own = prior.means[2, :-3], prior.means[2, -3:]
    other = own @ about(0, 0.3)
    mean, covariance = prior.up_given(pose, other, tilt)
    assert (np.linalg.eigvalsh(covariance) > 0).all()
    if tilt < 0.01:
        np.testing.assert_allclose(mean, other, atol=1e-3)
    else:
        assert np.linalg.norm(mean - own) <= np.linalg.norm(other - own) + 1e-9


def test_bad_scenes() -> None:
    views = photo()[1]
    with pytest.raises(InputError, match="no view"):
        fit_scene(fitter(), [])
    with pytest.raises(InputError, match="several cameras"):
        fit_scene(fitter(), [views[0], replace(views[1], focal=500.0)])
    with pytest.raises(InputError, match="too few points"):
        fit_scene(fitter(), [views[0], replace(views[1], confidence=np.zeros(17))])
    with pytest.raises(InputError, match="up is"):
        fit_scene(fitter(), views, up=(0, 0, 0))
