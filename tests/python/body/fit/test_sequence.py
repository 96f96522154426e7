# SPDX-License-Identifier: Apache-2.0
"""Motions of a known body, and the parts that fit them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bitpose.body.fit import View, fit_sequence
from bitpose.body.fit import sequence as module
from bitpose.body.fit.banded import step
from bitpose.body.fit.motion import MotionPrior, interpolated
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.prior import PosePrior
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError
from bitpose.metrics.points import acceleration_error, pa_mpjpe
from tests.python.body.fit.test_fit import CENTER, fitter

RATE, FOCAL = 30, 700.0


@cache
def motion(frames: int) -> tuple[np.ndarray, list[list[View]]]:
    """Keypoints in space [T, 17, 3] and with 2 pixels of noise in a picture, of somebody who goes
    from one mean of the prior to another and turns.
    """
    rng = np.random.default_rng(5)
    means = PosePrior.load().poses
    share = (0.5 - 0.5 * np.cos(np.linspace(0, 3, frames)))[:, None, None]
    poses = np.zeros((frames, 24, 3))
    poses[:, 1:] = (1 - share) * means[1] + share * means[3]
    rotations = axis_angle_to_matrix(poses)
    turned = axis_angle_to_matrix(share[:, 0] * np.array([0, 1.0, 0]))
    rotations[:, 0] = np.diag([1.0, -1.0, -1.0]) @ turned
    place = np.array([0.2, 0, 4.5]) + share[:, 0] * np.array([-0.5, 0, 0.3])
    model = fitter().model
    posed = model.with_shape(rng.normal(0, 0.7, 16)).with_pose(rotations, place)
    points = model.keypoints["COCO-17"].positions(posed.vertices())
    view = View(np.zeros((17, 2)), np.ones(17), CENTER, FOCAL, 2.0)
    pixels = view.project(points, np.full(frames, FOCAL))
    pixels = pixels + rng.normal(0, 2, pixels.shape)
    return points, [[replace(view, keypoints=frame)] for frame in pixels]


def keypoints(posed: object) -> np.ndarray:
    return fitter().model.keypoints["COCO-17"].positions(posed.vertices())  # type: ignore[attr-defined]


def test_smoother_and_nearer_than_frames_alone() -> None:
    points, frames = motion(24)
    together = keypoints(fit_sequence(fitter(), frames, RATE).posed())
    alone = np.array([keypoints(fitter().fit(views).posed()) for views in frames])
    assert pa_mpjpe(together, points) < 0.85 * pa_mpjpe(alone, points)
    assert acceleration_error(together, points) < 0.1 * acceleration_error(alone, points)


def test_missing_frames_and_keypoints_are_bridged() -> None:
    points, frames = motion(24)
    views = []
    for number, (view,) in enumerate(frames):
        views.append([replace(view, confidence=(np.arange(17) + number) % 3 > 0)])
    views[0] = views[9] = views[10] = views[11] = []
    views[5] = [replace(frames[5][0], confidence=np.arange(17) == 4)]
    fit = fit_sequence(fitter(), views, RATE)
    assert fit.translation.shape == (24, 3)
    whole = keypoints(fit_sequence(fitter(), frames, RATE).posed())
    assert pa_mpjpe(keypoints(fit.posed()), points) < pa_mpjpe(whole, points) + 10


def test_windows_agree_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    points, frames = motion(60)
    whole = keypoints(fit_sequence(fitter(), frames, RATE).posed())
    monkeypatch.setattr(module, "_WINDOW", 32)
    monkeypatch.setattr(module, "_OVERLAP", 12)
    pieces = keypoints(fit_sequence(fitter(), frames, RATE).posed())
    assert np.linalg.norm(whole - pieces, axis=-1).mean() < 0.005
    assert acceleration_error(pieces, points) < 2 * acceleration_error(whole, points)


def test_an_unknown_focal_length_is_the_same_in_all_frames() -> None:
    frames = [[replace(view, focal=None) for view in frame] for frame in motion(24)[1]]
    fit = fit_sequence(fitter(), frames, RATE)
    assert fit.focal == pytest.approx(FOCAL, rel=0.4)
    assert fit_sequence(fitter(), motion(24)[1][:4], RATE).focal is None


def test_gradient_of_smoothness() -> None:
    rng = np.random.default_rng(0)
    path = Guesses(
        axis_angle_to_matrix(rng.normal(0, 0.6, (5, 3))),
        rng.normal(0, 0.3, (5, 23, 3)),
        rng.normal(0, 1, (5, 3)),
        np.zeros((5, 16)),
        np.zeros(5),
    )
    prior = MotionPrior.of(PosePrior.load(), 30)
    gradient = prior.energy(path).gradient
    for frame in range(5):
        for parameter in (0, 1, 2, 3, 40, 72, 74):
            steps = np.zeros((5, path.layout.size))
            steps[frame, parameter] = 1e-6
            ahead, behind = (prior.energy(path.moved(s * steps)).energy for s in (1, -1))
            numeric = (ahead - behind) / 2e-6
            scale = np.abs(gradient[:, parameter]).max()
            assert gradient[frame, parameter] == pytest.approx(numeric, abs=1e-5 * scale)


@pytest.mark.parametrize(("count", "held"), [(1, 0), (2, 0), (3, 0), (9, 0), (9, 2)])
def test_banded_step_is_that_of_the_whole_matrix(count: int, held: int) -> None:
    rng = np.random.default_rng(count)
    rows, size = count - held, 4
    factors = rng.normal(0, 1, (rows, size, size + 1))
    hessian, gradient = factors @ np.swapaxes(factors, 1, 2), rng.normal(0, 1, (rows, size))
    precision = rng.uniform(1, 9, size)
    second = np.diff(np.eye(count), n=2, axis=0)
    whole = np.kron((second.T @ second)[held:, held:], np.diag(precision))
    for row in range(rows):
        part = slice(row * size, (row + 1) * size)
        whole[part, part] += hessian[row]
    whole += 0.3 * np.diag(np.diagonal(whole))
    found = step(gradient, hessian, MotionPrior.bands(count, held), precision, 0.3)
    np.testing.assert_allclose(found.ravel(), -np.linalg.solve(whole, gradient.ravel()), rtol=1e-5)


def test_between_key_frames() -> None:
    rng = np.random.default_rng(0)
    keys = Guesses(
        axis_angle_to_matrix(np.array([[0, 0, 0], [0, 0.9, 0]])),
        rng.normal(0, 0.3, (2, 23, 3)),
        rng.normal(0, 1, (2, 3)),
        np.zeros((2, 16)),
        np.zeros(2),
    )
    path = interpolated(keys, np.array([1, 4]), 6)
    np.testing.assert_allclose(path.R_world_root[2], axis_angle_to_matrix([0, 0.3, 0]), atol=1e-12)
    np.testing.assert_allclose(path.body_pose[[0, 1]], keys.body_pose[[0, 0]])
    np.testing.assert_allclose(path.translation[[4, 5]], keys.translation[[1, 1]])
    np.testing.assert_allclose(path.translation[3], keys.translation.T @ [1 / 3, 2 / 3])
    alone = interpolated(keys.of(slice(0, 1)), np.array([1]), 3)
    np.testing.assert_allclose(alone.translation, np.tile(keys.translation[0], (3, 1)))


def test_bad_sequences() -> None:
    frames = motion(24)[1]
    with pytest.raises(InputError, match="no frame"):
        fit_sequence(fitter(), [], RATE)
    with pytest.raises(InputError, match="too few points were seen for a fit in each of 2"):
        fit_sequence(fitter(), [[], [replace(frames[0][0], confidence=np.zeros(17))]], RATE)
    with pytest.raises(InputError, match="frames_per_second is 0"):
        fit_sequence(fitter(), frames, 0)
    with pytest.raises(InputError, match="5 keypoints"):
        fit_sequence(fitter(), [[View(np.zeros((5, 2)), np.ones(5), CENTER)]], RATE)
