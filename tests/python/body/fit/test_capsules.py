# SPDX-License-Identifier: Apache-2.0
"""Capsules against the mesh that they stand for, and against searches."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fit.penetration import ClosedParts, winding
from bitpose.body import SMPL_JOINTS, BodyModel
from bitpose.body.fit import capsules as module
from bitpose.body.fit.capsules import Capsules
from bitpose.body.fit.make.cases import people
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.prior import PosePrior
from tests.python.body.fit.test_fit import fitter

_SIDES, _JOINTS = ("left", "right"), ("shoulder", "elbow")


@cache
def capsules() -> Capsules:
    found = Capsules.of_body(BodyModel.load(dtype=np.float64), PosePrior.load().poses[:1])
    assert found is not None
    return found


def guess(pose: np.ndarray, betas: np.ndarray) -> Guesses:
    return Guesses(np.eye(3)[None], pose[None], np.zeros((1, 3)), betas[None], np.zeros(1))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_capsules_follow_the_shape(seed: int) -> None:
    model, count = BodyModel.load(dtype=np.float64), len(capsules().radius)
    betas = np.clip(np.random.default_rng(seed).normal(0, 1, model.num_betas), -2, 2)
    shaped = model.with_shape(betas)
    vertices = shaped.with_pose(np.tile(np.eye(3), (24, 1, 1))).vertices()
    ends = capsules().ends
    points = ends.positions(
        ends.skeleton.with_shape(betas).with_pose(np.tile(np.eye(3), (24, 1, 1)))
    )
    radius = capsules().radius + capsules().radius_by_shape @ betas
    for number, part in enumerate(module._PARTS):
        bones = [SMPL_JOINTS.index(name) for name in part]
        own = vertices[np.isin(model.skin.bones[:, 0], bones)]
        a, b = points[number], points[count + number]
        share = (own - a) @ (b - a) / np.sum((b - a) ** 2)
        side = (share > 0) & (share < 1)
        across = np.linalg.norm(own - a - share[:, None] * (b - a), axis=1)[side]
        assert across.mean() == pytest.approx(radius[number], rel=0.12)


def test_gradient() -> None:
    rng = np.random.default_rng(1)
    pose, betas = rng.normal(0, 0.7, (23, 3)), rng.normal(0, 1, 16)
    at = guess(pose, betas)
    quadratic = capsules().energy(at)
    assert quadratic.energy[0] > 10
    for parameter in range(at.layout.size):
        step = np.zeros((1, at.layout.size))
        step[0, parameter] = 1e-6
        ahead, behind = (capsules().energy(at.moved(sign * step)).energy[0] for sign in (1, -1))
        scale = 1 + np.abs(quadratic.gradient).max()
        numeric = (ahead - behind) / 2e-6
        assert quadratic.gradient[0, parameter] == pytest.approx(numeric, abs=1e-5 * scale)


def test_nothing_is_in_its_way_at_rest() -> None:
    for pose in (np.zeros((23, 3)), PosePrior.load().poses[0]):
        assert capsules().energy(guess(pose, np.zeros(16))).energy[0] < 1e-6


def test_bodies_of_other_makers() -> None:
    model, poses = BodyModel.load(dtype=np.float64), PosePrior.load().poses[:1]
    assert Capsules.of_body(model.at_vertices(np.zeros(0, np.int64)), poses) is None
    arms = np.flatnonzero(np.abs(model.v_template[:, 0]) > 0.25)
    few = Capsules.of_body(model.at_vertices(arms), poses)
    assert few is not None
    assert 4 <= len(few.radius) <= 6
    assert np.isfinite(few.energy(guess(np.zeros((23, 3)), np.zeros(16))).energy).all()


@given(st.integers(0, 2**32 - 1), st.sampled_from(["any", "parallel", "short"]))
def test_nearest_points_of_segments(seed: int, kind: str) -> None:
    p, q, a, b = np.random.default_rng(seed).normal(0, 1, (4, 3))
    if kind == "parallel":
        b = -0.7 * a
    if kind == "short":
        a = 1e-3 * a
    s, t = module._nearest(p - q, a, b)
    found = np.linalg.norm(p + s * a - q - t * b)
    grid = np.linspace(0, 1, 41)
    first, second = p + grid[:, None] * a, q + grid[:, None] * b
    assert found <= np.linalg.norm(first[:, None] - second[None], axis=-1).min() + 1e-9
    assert 0 <= s <= 1
    assert 0 <= t <= 1


def test_winding_number_of_a_box() -> None:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    quads = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    triangles = corners[[quad[i] for quad in quads for i in (0, 1, 2, 0, 2, 3)]].reshape(-1, 3, 3)
    points = np.array([[0.5, 0.5, 0.5], [0.01, 0.99, 0.5], [1.1, 0.5, 0.5], [5, 5, 5]])
    np.testing.assert_allclose(winding(points, triangles), [1, 1, 0, 0], atol=1e-9)


def test_limbs_come_out_of_each_other() -> None:
    model, rng = fitter().model, np.random.default_rng(0)
    parts, keypoints = ClosedParts.of_body(model), model.keypoints["COCO-17"]
    low, high = 0.8 * PosePrior.load().limits.reshape(2, 23, 3)
    arms = [SMPL_JOINTS.index(f"{side}_{joint}") for side in _SIDES for joint in _JOINTS]
    inside, away = np.zeros((7, 2)), np.zeros((7, 2))
    for number in range(len(inside)):
        pose = np.concatenate([np.zeros((1, 3)), PosePrior.load().poses[0]])
        for joint in arms:
            pose[joint] = rng.uniform(low[joint - 1], high[joint - 1])
        case = people(pose[None], number)[0]
        view = case.view(0, rng)
        for solid in (0, 1):
            vertices = fitter().fit([view], solid=bool(solid)).posed().vertices()
            inside[number, solid] = np.count_nonzero(parts.inside(vertices))
            pixels = view.project(keypoints.positions(vertices)[None], np.array([case.focal]))[0]
            away[number, solid] = np.abs(pixels - np.asarray(view.keypoints)).mean()
    assert inside[:, 0].sum() > 200
    assert inside[:, 1].sum() < 0.2 * inside[:, 0].sum()
    assert away.max() < 0.2
