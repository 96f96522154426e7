# SPDX-License-Identifier: Apache-2.0
"""Bodies that networks predict, and what becomes of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import bitpose
from bitpose.body import BodyModel
from bitpose.body.fit import Fitter
from bitpose.body.model import PosedBody
from bitpose.body.rotations import axis_angle_to_matrix, matrix_to_6d
from bitpose.errors import InputError
from bitpose.metrics.points import pa_mpjpe
from bitpose.pose.body_head import ESTIMATE, SeenBody, decode_body
from bitpose.pose.estimate import Estimator
from bitpose.pose.photo import Placement
from bitpose.pose.virtual_camera import towards
from bitpose.render import PerspectiveCamera
from tests.python.pose.test_estimate import movenet, photo
from tests.python.tiny import constants

Array = NDArray[Any]
SIDE, FOCAL, INPUT = 400, 600.0, 64


@cache
def truth() -> PosedBody:
    """Somebody off the middle of the photo, with an arm ahead."""
    pose = np.zeros((24, 3))
    pose[16], pose[17] = (0, -1.2, -0.3), (0, 0, 1.1)
    pose[1] = (-0.4, 0, 0)
    rotations = axis_angle_to_matrix(pose)
    rotations[0] = np.diag([1.0, -1.0, -1.0]) @ axis_angle_to_matrix(np.array([0, 0.4, 0]))
    model = BodyModel.load(dtype=np.float64)
    return model.with_shape([0.5, -0.7]).with_pose(rotations, (0.3, 0.1, 2.7))


def pixels(points: Array) -> Array:
    return points[:, :2] / points[:, 2:] * FOCAL + SIDE / 2


def estimate_of(body: PosedBody, off: float = 0.0) -> Array:
    """What a network says of a body in the photo, its joints `off` by so many radians."""
    rng = np.random.default_rng(0)
    root = body.t_world_joint[0]
    rotations = body.R_parent_joint @ axis_angle_to_matrix(rng.normal(0, off / 3**0.5, (24, 3)))
    # It looks at all of the photo, of whose middle both cameras look.
    shift = pixels(root[None])[0] / (SIDE / 2) - 1
    camera = [FOCAL / root[2] / (SIDE / 2), *shift]
    betas = body.shaped.coefficients
    return np.concatenate([matrix_to_6d(rotations).ravel(), betas, camera])[None]


def network(body: PosedBody | None, off: float = 0.0) -> bitpose.InferenceSession:
    """MoveNet's keypoints of the truth, and with them a body."""
    points = BodyModel.load(dtype=np.float64).keypoints["COCO-17"].positions(truth().vertices())
    seen = np.column_stack([pixels(points)[:, ::-1] / SIDE, np.full(17, 0.9)])[None, None]
    outputs = {"keypoints": seen}
    if body is not None:
        outputs = {"body": estimate_of(body, off)} | outputs
    return bitpose.InferenceSession(constants(outputs, INPUT).SerializeToString())


def found(session: bitpose.InferenceSession, **options: Any) -> Any:
    (person,) = Estimator(session, focal=FOCAL, **options)(Image.new("RGB", (SIDE, SIDE)))
    return person


def off_by(person: Any) -> float:
    return pa_mpjpe(person.posed.t_world_joint, truth().t_world_joint)


def test_a_predicted_body_is_that_of_the_photo() -> None:
    person = found(network(truth()), refine="none")
    assert person.body.covariance is None
    assert person.as_json()["uncertainty"] is None
    assert off_by(person) < 0.01
    np.testing.assert_allclose(
        pixels(person.posed.t_world_joint), pixels(truth().t_world_joint), atol=0.05
    )
    np.testing.assert_allclose(person.body.betas, truth().shaped.coefficients, atol=1e-6)


def test_a_refined_body_is_nearer() -> None:
    none, warm, full = (
        found(network(truth(), off=0.25), refine=refine) for refine in ("none", "warm", "full")
    )
    assert off_by(warm) < 0.7 * off_by(none)
    assert warm.body.covariance.shape == (24, 3, 3)
    without = found(network(None))
    np.testing.assert_array_equal(full.body.R_parent_joint, without.body.R_parent_joint)
    assert np.abs(warm.body.R_parent_joint - full.body.R_parent_joint).max() > 1e-3


def test_keypoints_alone_are_fitted_whatever_is_asked_for() -> None:
    bodies = [found(network(None), refine=refine).body for refine in ("none", "warm", "full")]
    for body in bodies[1:]:
        np.testing.assert_array_equal(body.R_parent_joint, bodies[0].R_parent_joint)


def test_what_is_no_start_is_fitted_from_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = found(network(None)).body.R_parent_joint

    def refine(*_: Any) -> None:
        raise InputError("no body is before all cameras that saw it")

    monkeypatch.setattr(Fitter, "refine", refine)
    np.testing.assert_array_equal(found(network(truth())).body.R_parent_joint, plain)
    monkeypatch.undo()
    near = truth().shaped.with_pose(truth().R_parent_joint, (0, 0, 0.3))
    assert found(network(near)).posed.t_world_joint[:, 2].min() > 0.1


def test_what_is_no_body() -> None:
    numbers = estimate_of(truth())
    for index, value in ((-3, 0.0), (-3, -1.0), (0, np.nan)):
        wrong = numbers.copy()
        wrong[0, index] = value
        assert decode_body(wrong, INPUT, INPUT) is None


@given(
    st.floats(0.1, 5), st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    st.tuples(st.floats(0.2, 4), st.floats(-50, 50), st.floats(-50, 50)),
)  # fmt: skip
def test_bodies_are_placed(
    scale: float, shift: tuple[float, float], place: tuple[float, float, float]
) -> None:
    numbers = np.zeros((1, ESTIMATE))
    numbers[0, :144] = np.tile([1, 0, 0, 0, 1, 0], 24)
    numbers[0, -3:] = scale, *shift
    body = decode_body(numbers, 80, 60)
    assert body is not None
    assert body.scale == pytest.approx(40 * scale)
    np.testing.assert_allclose(body.root, (30 + 40 * shift[0], 40 + 40 * shift[1]))
    placed = body.placed(Placement(*place))
    for name in ("root", "middle"):
        back = getattr(placed, name) * place[0] + place[1:]
        np.testing.assert_allclose(back, getattr(body, name), atol=1e-3)
    assert placed.scale * place[0] == pytest.approx(body.scale)


def test_a_crop_is_seen_by_a_camera_of_its_own() -> None:
    camera = PerspectiveCamera(width=SIDE, height=SIDE, fx=FOCAL, fy=FOCAL)
    middle = np.array([350.0, 120.0])
    rotations = np.tile(np.eye(3), (24, 1, 1))
    body = SeenBody(rotations, np.zeros(16), 150.0, middle, middle)
    prediction = body.prediction(camera)
    seen = towards(*((middle - SIDE / 2) / FOCAL)) @ np.asarray(prediction.R_parent_joint)[0]
    np.testing.assert_allclose(seen, np.eye(3), atol=1e-12)
    assert np.asarray(prediction.root)[2] == pytest.approx(FOCAL / 150)


def test_bad_refinement() -> None:
    with pytest.raises(InputError, match="refine is 'hot'"):
        Estimator(movenet(np.zeros((17, 2))), refine="hot")  # type: ignore[arg-type]
    assert Estimator(movenet(np.zeros((17, 2)), 0.0))(photo()) == []
