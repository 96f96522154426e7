# SPDX-License-Identifier: Apache-2.0
"""Errors of joints and vertices: by hand, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.metrics import acceleration_error, mpjpe, pa_mpjpe, pa_pve, pve
from bitpose.metrics.points import aligned_errors, joint_errors, similarity

Array = NDArray[np.float64]
SEED = st.integers(0, 2**32)


def random_pair(seed: int, frames: int = 3, joints: int = 14) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    target = rng.normal(0, 0.4, (frames, joints, 3))
    return target + rng.normal(0, 0.05, target.shape), target


def random_rotation(rng: np.random.Generator) -> Array:
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    return np.asarray(q * np.sign(np.linalg.det(q)))


def test_mpjpe_by_hand() -> None:
    target = np.zeros((1, 3, 3))
    predicted = np.array([[[0.1, 0, 0], [0.1, 0.003, 0.004], [0.1, 0, 0.001]]])
    np.testing.assert_allclose(joint_errors(predicted, target, 0), [[0, 5, 1]], atol=1e-9)
    assert mpjpe(predicted, target, 0) == pytest.approx(2.0)
    # The middle of joints 0 and 1 lies at (0.1, 0.0015, 0.002), 2.5 mm from both.
    expected = (2.5 + 2.5 + np.hypot(1.5, 1.0)) / 3
    assert mpjpe(predicted, target, [0, 1]) == pytest.approx(expected)


def test_pve_by_hand() -> None:
    target = np.zeros((2, 3))
    predicted = np.array([[0.01, 0, 0], [0.01, 0, 0.002]])
    assert pve(predicted, target, [0, 0, 0], [0, 0, 0]) == pytest.approx((10 + np.hypot(10, 2)) / 2)
    assert pve(predicted, target, [0.01, 0, 0], [0, 0, 0]) == pytest.approx(1.0)


def test_acceleration_by_hand() -> None:
    time = np.arange(6.0)[:, None, None]
    target = np.zeros((6, 2, 3))
    # 3 t^2 mm has a second difference of 6 mm; lines have none.
    predicted = target + np.array([3e-3, 0, 0]) * time**2 + np.array([0, 0.2, 0.1]) * time + 5
    assert acceleration_error(predicted, target) == pytest.approx(6.0)
    assert acceleration_error(predicted, target, frames_per_second=50) == pytest.approx(15000)


@given(seed=SEED)
def test_mpjpe_does_not_see_where_each_body_is(seed: int) -> None:
    predicted, target = random_pair(seed)
    rng = np.random.default_rng(seed)
    moved = [x + rng.normal(size=(len(x), 1, 3)) for x in (predicted, target)]
    assert mpjpe(moved[0], moved[1], 0) == pytest.approx(mpjpe(predicted, target, 0))
    together = random_rotation(rng)
    turned = [x @ together.T for x in (predicted, target)]
    assert mpjpe(turned[0], turned[1], 0) == pytest.approx(mpjpe(predicted, target, 0))
    assert mpjpe(2 * predicted, 2 * target, 0) == pytest.approx(2 * mpjpe(predicted, target, 0))
    assert mpjpe(target, predicted, 0) == pytest.approx(mpjpe(predicted, target, 0))


@given(seed=SEED)
def test_mpjpe_does_not_see_the_order_of_joints(seed: int) -> None:
    predicted, target = random_pair(seed)
    order = np.random.default_rng(seed).permutation(predicted.shape[1])
    root = int(np.flatnonzero(order == 4)[0])
    shuffled = mpjpe(predicted[:, order], target[:, order], root)
    assert shuffled == pytest.approx(mpjpe(predicted, target, 4))


@given(seed=SEED, scale=st.floats(0.1, 10))
def test_pa_mpjpe_does_not_see_similarities_of_the_prediction(seed: int, scale: float) -> None:
    predicted, target = random_pair(seed)
    rng = np.random.default_rng(seed)
    moved = scale * predicted @ random_rotation(rng).T + rng.normal(size=3)
    assert pa_mpjpe(moved, target) == pytest.approx(pa_mpjpe(predicted, target))
    assert pa_mpjpe(moved, predicted) == pytest.approx(0, abs=1e-6)
    assert pa_pve(moved, target) == pytest.approx(pa_mpjpe(predicted, target))


@given(seed=SEED)
def test_reflections_are_no_similarities(seed: int) -> None:
    _, target = random_pair(seed, frames=1)
    mirrored = target * [-1, 1, 1]
    _, rotation, _ = similarity(mirrored, target)
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert pa_mpjpe(mirrored, target) > 1


@given(seed=SEED)
def test_no_other_similarity_has_less_squared_error(seed: int) -> None:
    predicted, target = random_pair(seed, frames=1)
    rng = np.random.default_rng(seed)
    least = (aligned_errors(predicted, target) ** 2).sum()
    scale, rotation, translation = (x[0] for x in similarity(predicted, target))
    angle = 0.01 * rng.normal(size=3)
    skew = np.cross(np.eye(3), angle)
    turned, _ = np.linalg.qr(rotation @ (np.eye(3) + skew))
    turned *= np.sign((turned * rotation).sum(axis=0))
    for s, r, t in [
        (scale * 1.01, rotation, translation),
        (scale, turned, translation),
        (scale, rotation, translation + 0.01 * rng.normal(size=3)),
    ]:
        error = 1000 * (s * predicted @ r.T + t - target)
        assert (error**2).sum() >= least * (1 - 1e-9)


def test_mean_error_may_grow_by_alignment() -> None:
    """The least sum of squares is not the least mean: one limb that is off pulls all joints."""
    target = np.random.default_rng(0).normal(0, 0.4, (1, 14, 3))
    predicted = target.copy()
    predicted[0, 13] += 1.5
    assert pa_mpjpe(predicted, target) > mpjpe(predicted, target, 0)


@pytest.mark.parametrize("source", [np.zeros((2, 5, 3)), np.ones((2, 5, 3))])
def test_all_joints_in_one_point(source: Array) -> None:
    target = np.random.default_rng(0).normal(size=(2, 5, 3))
    scale, rotation, translation = similarity(source, target)
    np.testing.assert_array_equal(scale, 1)
    np.testing.assert_array_equal(rotation, np.broadcast_to(np.eye(3), (2, 3, 3)))
    np.testing.assert_allclose(source[:, 0] + translation, target.mean(axis=1))


def test_joints_in_a_plane_or_line() -> None:
    rng = np.random.default_rng(0)
    for flat in ([1, 1, 0], [1, 0, 0]):
        source = rng.normal(size=(4, 6, 3)) * flat
        turn = random_rotation(rng)
        assert pa_mpjpe(source, 1.7 * source @ turn.T + 2) == pytest.approx(0, abs=1e-6)


@given(seed=SEED, rate=st.floats(1, 120))
def test_acceleration_does_not_see_steady_motion(seed: int, rate: float) -> None:
    predicted, target = random_pair(seed, frames=8)
    rng = np.random.default_rng(seed)
    steady = rng.normal(size=3) + np.arange(8)[:, None, None] * rng.normal(size=3)
    before = acceleration_error(predicted, target, rate)
    assert acceleration_error(predicted + steady, target, rate) == pytest.approx(before, rel=1e-6)
    assert before == pytest.approx(rate**2 * acceleration_error(predicted, target))
    backwards = acceleration_error(predicted[::-1], target[::-1], rate)
    assert backwards == pytest.approx(before)


def test_what_does_not_fit() -> None:
    a = np.zeros((2, 4, 3))
    with pytest.raises(InputError, match="must be equal"):
        mpjpe(a, a[:, :3], 0)
    with pytest.raises(InputError, match="no points"):
        mpjpe(a[:0], a[:0], 0)
    with pytest.raises(InputError, match="must be finite"):
        pa_mpjpe(a * np.nan, a)
    with pytest.raises(InputError, match="root is 4"):
        mpjpe(a, a, 4)
    with pytest.raises(InputError, match="root is -1"):
        mpjpe(a, a, -1)
    with pytest.raises(InputError, match="3 or more"):
        acceleration_error(a, a)
    with pytest.raises(InputError, match="must be finite"):
        pve(a, a, np.full((2, 3), np.nan), np.zeros((2, 3)))
    with pytest.raises(InputError, match="roots have shapes"):
        pve(a, a, np.zeros((3, 3)), np.zeros((2, 3)))
