# SPDX-License-Identifier: Apache-2.0
"""Fits of bodies whose pose, shape and camera are known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.body import BodyModel
from bitpose.body.fit import Fit, Fitter, SpacePoints, View
from bitpose.body.fit.make.cases import Case, people
from bitpose.body.fit.prior import PosePrior
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError
from tests.python.body.bodies import random_arrays

Array = NDArray[Any]
CENTER = (256.0, 256.0)


@cache
def fitter() -> Fitter:
    return Fitter()


def cases(count: int) -> list[Case]:
    """People in poses near the means of the prior, upright."""
    rng = np.random.default_rng(11)
    means = PosePrior.load().poses[1:]
    poses = means[rng.integers(0, len(means), count)]
    poses = poses + rng.normal(0, 0.1, poses.shape)
    return people(np.concatenate([np.zeros((count, 1, 3)), poses], axis=1), seed=11)


def keypoint_error(fit: Fit, case: Case) -> float:
    keypoints = fitter().model.keypoints["COCO-17"].positions(fit.posed().vertices())
    return float(np.linalg.norm(keypoints - case.keypoints, axis=1).mean())


def test_joints_in_space() -> None:
    for case in cases(4):
        fit = fitter().fit(space=SpacePoints(case.joints, np.ones(24)), up=None)
        error = np.linalg.norm(fit.posed().t_world_joint - case.joints, axis=1).mean()
        assert error < 0.0005


def test_two_views() -> None:
    rng = np.random.default_rng(0)
    for case in cases(3):
        fit = fitter().fit([case.view(0, rng, second=second) for second in (False, True)])
        assert keypoint_error(fit, case) < 0.001


def test_one_view_explains_its_keypoints() -> None:
    rng = np.random.default_rng(0)
    for case in cases(2):
        view = case.view(2, rng)
        fit = fitter().fit([view])
        keypoints = fitter().model.keypoints["COCO-17"].positions(fit.posed().vertices())
        pixels = view.project(keypoints[None], np.array([case.focal]))[0]
        assert np.linalg.norm(pixels - np.asarray(view.keypoints), axis=1).mean() < 4


def test_a_view_without_the_person_changes_nothing() -> None:
    case, rng = cases(1)[0], np.random.default_rng(0)
    view = case.view(2, rng)
    empty = View(np.full((17, 2), np.nan), np.zeros(17), CENTER, 500.0)
    alone, together = fitter().fit([view]), fitter().fit([view, empty])
    np.testing.assert_allclose(together.R_parent_joint, alone.R_parent_joint, atol=1e-9)


def test_same_input_gives_same_bits() -> None:
    view = cases(1)[0].view(2, np.random.default_rng(0), known_focal=False)
    first, second = fitter().fit([view]), fitter().fit([view])
    np.testing.assert_array_equal(first.R_parent_joint, second.R_parent_joint)
    assert first.focal is not None
    assert first.focal == second.focal


def test_a_focal_length_is_fitted_where_none_is_known() -> None:
    rng = np.random.default_rng(0)
    case = cases(1)[0]
    known, unknown = case.view(0, rng), case.view(0, rng, second=True, known_focal=False)
    assert fitter().fit([known]).focal is None
    assert fitter().fit([known, unknown]).focal == pytest.approx(case.focal, rel=0.02)


def test_misplaced_and_missing_keypoints() -> None:
    case = cases(1)[0]
    views = [case.view(0, np.random.default_rng(0), second=second) for second in (False, True)]
    points, confidence = np.array(views[0].keypoints), np.ones(17)
    points[9] += [150, -100]  # The left wrist, somewhere else.
    points[0], confidence[0] = np.nan, 0
    spoiled = View(points, confidence, CENTER, case.focal, 0.05)
    fit = fitter().fit([spoiled, views[1]])
    assert keypoint_error(fit, case) < 0.02


def test_depth_is_less_sure_than_the_picture_plane() -> None:
    for case in cases(2):
        covariance = fitter().fit([case.view(2, np.random.default_rng(0))]).covariance
        assert covariance[0].max() == 0
        variance = np.diagonal(covariance[1:], axis1=1, axis2=2).mean(axis=0)
        assert variance[2] > 2 * variance[:2].max()
        assert (np.linalg.eigvalsh(covariance[1:]) > 0).all()


def test_second_view_makes_surer() -> None:
    case, rng = cases(1)[0], np.random.default_rng(0)
    views = [case.view(2, rng, second=second) for second in (False, True)]
    one, two = (np.trace(fitter().fit(v).covariance.sum(axis=0)) for v in (views[:1], views))
    assert two < one / 2


def test_turned_world_gives_the_same_body() -> None:
    case, rng = cases(1)[0], np.random.default_rng(0)
    R = axis_angle_to_matrix(np.array([0.4, -1.0, 0.3]))
    first = case.view(1, rng)
    turned = View(first.keypoints, first.confidence, CENTER, case.focal, 1.0, R, (0.3, 0.1, 2.0))
    plain, moved = fitter().fit([first]), fitter().fit([turned], up=R.T @ [0, -1, 0])
    expected = moved.posed().t_world_joint @ R.T + [0.3, 0.1, 2.0]
    np.testing.assert_allclose(expected, plain.posed().t_world_joint, atol=5e-3)


@pytest.mark.filterwarnings("error")
def test_cameras_of_one_place() -> None:
    view = cases(1)[0].view(2, np.random.default_rng(0))
    view = replace(view, t_view_world=(0.3, -0.2, 1.0))
    fit = fitter().fit([view, replace(view, keypoints=np.asarray(view.keypoints) + 3)])
    assert fit.translation[2] + 1 > 0.5
    assert np.isfinite(fit.energy)
    assert np.isfinite(fit.covariance).all()


@pytest.mark.filterwarnings("error")
def test_cameras_back_to_back_see_nobody() -> None:
    view = cases(1)[0].view(2, np.random.default_rng(0))
    behind = replace(view, R_view_world=np.diag([-1.0, 1.0, -1.0]), t_view_world=np.zeros(3))
    with pytest.raises(InputError, match="before all cameras"):
        fitter().fit([view, behind])


def test_people_beside_the_picture_are_fitted() -> None:
    case = cases(1)[0]
    view = case.view(2, np.random.default_rng(0))
    for shift in ((5000, 0), (0, -3000), (1e6, 1e6)):
        fit = fitter().fit([replace(view, keypoints=np.asarray(view.keypoints) + shift)])
        assert np.isfinite(fit.posed().vertices()).all()
        assert fit.translation[2] > 0.1


def test_noise_of_each_keypoint() -> None:
    view = replace(cases(1)[0].view(0, np.random.default_rng(0)), noise=2.0)
    points = np.array(view.keypoints)
    points[9] += 30
    loose = replace(view, keypoints=points, noise=np.where(np.arange(17) == 9, 300.0, 2.0))
    same, without = fitter().fit([replace(view, noise=np.full(17, 2.0))]), fitter().fit([loose])
    np.testing.assert_array_equal(same.R_parent_joint, fitter().fit([view]).R_parent_joint)
    unseen = replace(view, confidence=(np.arange(17) != 9).astype(float))
    blind = fitter().fit([unseen]).posed().t_world_joint
    assert np.linalg.norm(without.posed().t_world_joint - blind, axis=1).mean() < 0.01


def test_what_was_given_stays_the_callers() -> None:
    points, confidence = np.arange(34.0).reshape(17, 2), np.ones(17)
    view = View(points, confidence, CENTER)
    confidence[:], points[:] = 0, np.nan
    assert np.asarray(view.confidence).all()
    assert len(view.seen) == 17


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"confidence": np.zeros(17)}, "too few points"),
        ({"confidence": -np.ones(17)}, "negative"),
        ({"keypoints": np.full((17, 2), np.nan)}, "NaN, infinite or"),
        ({"keypoints": np.zeros((16, 2))}, r"must be \[K, 2\]"),
        ({"keypoints": np.zeros((16, 2)), "confidence": np.ones(16)}, "16 keypoints"),
        ({"keypoints": np.full((17, 2), 7.0)}, r"too few points were seen for a fit: \[1\]"),
        ({"keypoints": np.full((17, 2), 1e9)}, "beyond 1e"),
        ({"keypoints": [[1, 2], [3]]}, "no array of numbers"),
        ({"confidence": np.full(17, 1e300)}, "confidence holds a number beyond"),
        ({"focal": 0.0}, "focal is 0.0"),
        ({"focal": -5.0}, "focal is -5.0"),
        ({"focal": np.nan}, "focal holds NaN"),
        ({"focal": "wide"}, "focal is no array of numbers"),
        ({"noise": 0.0}, "noise is 0.0"),
        ({"noise": 1e-300}, "noise is 1e-300"),
        ({"noise": np.ones(16)}, r"noise of shape \(16,\)"),
        ({"noise": np.append(np.ones(16), -1)}, "must be positive"),
        ({"center": (1.0, np.inf)}, "center holds NaN"),
        ({"R_view_world": np.eye(2)}, "R_view_world of shape"),
        ({"R_view_world": 2 * np.eye(3)}, "no rotation"),
        ({"R_view_world": np.diag([1, 1, -1])}, "no rotation"),
    ],
)
def test_bad_views(change: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {
        "keypoints": np.zeros((17, 2)), "confidence": np.ones(17), "center": CENTER
    }  # fmt: skip
    with pytest.raises(InputError, match=message):
        fitter().fit([View(**(good | change))])


def test_other_bad_input() -> None:
    with pytest.raises(InputError, match="too few points"):
        fitter().fit()
    with pytest.raises(InputError, match="must be 24"):
        fitter().fit(space=SpacePoints(np.zeros((23, 3)), np.ones(23)))
    with pytest.raises(InputError, match="NaN, infinite or"):
        SpacePoints(np.full((24, 3), np.inf), np.ones(24))
    with pytest.raises(InputError, match="noise is 0"):
        SpacePoints(np.zeros((24, 3)), np.ones(24), 0)
    with pytest.raises(InputError, match="negative"):
        SpacePoints(np.zeros((24, 3)), -np.ones(24))
    with pytest.raises(InputError, match="no keypoints"):
        Fitter(keypoints="COCO-18")
    prior = PosePrior.load()
    with pytest.raises(InputError, match="a prior of 69 numbers, must be 72"):
        Fitter(prior=replace(prior, means=prior.means[:, 3:]))
    with pytest.raises(InputError, match="no keypoints"):
        Fitter(BodyModel.from_arrays(random_arrays(0), np.float64))
    with pytest.raises(InputError, match="in float64"):
        Fitter(BodyModel.load())
    view = View(np.arange(34.0).reshape(17, 2), np.ones(17), CENTER)
    with pytest.raises(InputError, match="up is"):
        fitter().fit([view], up=(0, 0, 0))
    with pytest.raises(InputError, match="tilt holds NaN"):
        fitter().fit([view], tilt=np.nan)
