# SPDX-License-Identifier: Apache-2.0
"""Fits that start from a body that a network predicted."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.body.fit import Prediction, View
from bitpose.body.fit.make.cases import Case
from bitpose.body.model import PosedBody
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError
from bitpose.metrics.points import pa_mpjpe
from tests.python.body.fit.test_fit import CENTER, cases, fitter

Array = NDArray[Any]


def predicted(case: Case, rng: np.random.Generator) -> Prediction:
    """The truth as a network errs: 0.2 radians a joint, a deviation of the betas, 5 % in depth."""
    off = axis_angle_to_matrix(rng.normal(0, 0.2 / np.sqrt(3), (24, 3)))
    betas = case.betas + rng.normal(0, 1, len(case.betas))
    return Prediction(case.R_parent_joint @ off, betas, case.joints[0] * 1.05)


@cache
def problems(count: int) -> list[tuple[Case, View, Prediction]]:
    """People with keypoints and 100 points of the surface to 3 pixels."""
    rng = np.random.default_rng(2)
    return [
        (case, case.view(3, rng, dense=case.dense(3, rng, 100)), predicted(case, rng))
        for case in cases(count)
    ]


def body_of(prediction: Prediction) -> PosedBody:
    guess = prediction.guess(fitter().model, 0)
    return fitter().model.with_shape(guess.betas[0]).with_pose(
        prediction.R_parent_joint, guess.translation[0]
    )  # fmt: skip


def errors(case: Case, posed: PosedBody) -> tuple[float, float]:
    """PA-MPJPE of the joints in millimetres, and pixels that keypoints are off."""
    points = fitter().model.keypoints["COCO-17"].positions(posed.vertices())
    pixels, true = (x[:, :2] / x[:, 2:] * case.focal for x in (points, case.keypoints))
    return pa_mpjpe(posed.t_world_joint, case.joints), np.linalg.norm(pixels - true, axis=1).mean()


def mean_errors(dense: bool) -> tuple[Array, Array]:
    """Of the predictions, and of what becomes of them."""
    before, behind = [], []
    for case, view, prediction in problems(12):
        seen = view if dense else replace(view, dense=None)
        before.append(errors(case, body_of(prediction)))
        behind.append(errors(case, fitter().refine([seen], prediction).posed()))
    return np.mean(before, axis=0), np.mean(behind, axis=0)


def test_refined_bodies_are_nearer() -> None:
    before, with_keypoints = mean_errors(dense=False)
    _, with_surface = mean_errors(dense=True)
    assert with_keypoints[0] < 0.55 * before[0]
    assert with_keypoints[1] < 0.2 * before[1]
    assert with_surface[0] < 0.4 * before[0]
    assert with_surface[1] < 0.12 * before[1]


def test_it_takes_milliseconds() -> None:
    """On one core; a second call sets nothing up again."""
    _, view, prediction = problems(1)[0]
    seconds = []
    for _ in range(8):
        start = time.process_time()
        fitter().refine([view], prediction)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.025  # 9 ms on a Zen 5.


def test_what_is_not_seen_stays_as_predicted() -> None:
    case, _, prediction = problems(1)[0]
    nothing = View(np.zeros((17, 2)), np.zeros(17), CENTER, case.focal)
    prediction = replace(prediction, deviation=1e-3)
    fit = fitter().refine([nothing], prediction)
    expected = np.asarray(prediction.R_parent_joint)
    np.testing.assert_allclose(fit.R_parent_joint[1:], expected[1:], atol=0.01)


def test_a_mere_start_is_forgotten() -> None:
    case, view, _ = problems(1)[0]
    bent = np.array(case.R_parent_joint)
    bent[15] = bent[15] @ axis_angle_to_matrix(np.array([0.3, 0, 0]))  # The head: nearly unseen.
    held = Prediction(bent, case.betas, case.joints[0], 0.01)
    near, far = (fitter().refine([view], p) for p in (held, replace(held, deviation=None)))
    apart = [np.linalg.norm(fit.R_parent_joint[15] - bent[15]) for fit in (near, far)]
    assert apart[0] < 0.2 * apart[1]


def test_covariance_is_that_of_what_was_seen_and_predicted() -> None:
    _, view, prediction = problems(1)[0]
    whole = np.trace(fitter().fit([view]).covariance.sum(axis=0))
    refined = fitter().refine([view], prediction).covariance
    assert refined.shape == (24, 3, 3)
    assert 0 < np.trace(refined.sum(axis=0)) < whole


def test_same_input_gives_same_bits() -> None:
    _, view, prediction = problems(1)[0]
    first, second = (fitter().refine([view], prediction) for _ in range(2))
    np.testing.assert_array_equal(first.R_parent_joint, second.R_parent_joint)
    np.testing.assert_array_equal(first.covariance, second.covariance)


@settings(deadline=None)
@given(
    st.floats(20, 400), st.tuples(st.floats(0, 512), st.floats(0, 512)), st.floats(200, 2000)
)  # fmt: skip
def test_weak_perspective(scale: float, pixel: tuple[float, float], focal: float) -> None:
    """The root is seen where it was predicted, as large as it was predicted."""
    rotations = np.tile(np.eye(3), (24, 1, 1))
    prediction = Prediction.weak_perspective(rotations, [1.0], scale, pixel, CENTER, focal)
    posed = body_of(prediction)
    x, y, z = posed.t_world_joint[0]
    np.testing.assert_allclose([focal * x / z + 256, focal * y / z + 256], pixel, atol=1e-6)
    assert focal / z == pytest.approx(scale)
    assert posed.shaped.coefficients[0] == 1
    assert not posed.shaped.coefficients[1:].any()
    again = Prediction.of_body(posed)
    np.testing.assert_allclose(np.asarray(again.root), np.asarray(prediction.root))


def test_an_unknown_focal_length_is_refined() -> None:
    case, view, prediction = problems(1)[0]
    assert fitter().refine([view], prediction).focal is None
    fit = fitter().refine([replace(view, focal=None)], prediction)
    assert fit.focal == pytest.approx(case.focal, rel=0.5)


def test_bad_predictions() -> None:
    _, view, good = problems(1)[0]
    R, betas, root = (np.asarray(x) for x in (good.R_parent_joint, good.betas, good.root))
    for arguments, message in (
        ((2 * R, betas, root), "no rotation"),
        ((R[..., 0], betas, root), r"must be \[..., 3, 3\]"),
        ((R, np.ones((2, 3)), root), r"betas of shape \(2, 3\)"),
        ((R, [np.nan], root), "betas holds NaN"),
        ((R, betas, root[:2]), "root of shape"),
        ((R, betas, root, 0.0), "deviation is 0"),
    ):
        with pytest.raises(InputError, match=message):
            Prediction(*arguments)
    with pytest.raises(InputError, match="scale is 0"):
        Prediction.weak_perspective(R, betas, 0, (1, 1), CENTER, 500)
    for wrong, message in (
        (Prediction(R[:23], betas, root), "23 predicted joints, the model has 24"),
        (Prediction(R, np.ones(17), root), r"betas of shape \(17,\)"),
        (Prediction(R, betas, (0, 0, -3)), "before all cameras"),
    ):
        with pytest.raises(InputError, match=message):
            fitter().refine([view], wrong)
