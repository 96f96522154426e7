# SPDX-License-Identifier: Apache-2.0
"""Points of the surface: where they are, how they are sampled, and what they do for a fit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose.body import BodyModel, default_surface
from bitpose.body.charts import SurfacePoints
from bitpose.body.fit import DensePoints, Fitter, View, sample_iuv
from bitpose.body.fit.landmarks import Landmarks
from bitpose.body.fit.make.cases import SIDE
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError
from bitpose.metrics.points import pa_mpjpe
from tests.python.body.fit.test_fit import cases, fitter

CENTER = (SIDE / 2, SIDE / 2)


@cache
def charts() -> Any:
    return default_surface.load().charts


def test_surface_points_are_where_the_mesh_has_them() -> None:
    model, rng = BodyModel.load(dtype=np.float64), np.random.default_rng(0)
    points = SurfacePoints(rng.integers(0, len(model.faces), 60), rng.dirichlet(np.ones(3), 60))
    landmarks = Landmarks.of_surface(model, points)
    betas = rng.normal(0, 1, (2, model.num_betas))
    pose = axis_angle_to_matrix(rng.normal(0, 0.7, (2, 24, 3)))
    posed = model.with_shape(betas).with_pose(pose)
    bare = landmarks.skeleton.with_shape(betas).with_pose(pose)
    np.testing.assert_allclose(
        landmarks.positions(bare), points.positions(posed.vertices(), model.faces), atol=1e-12
    )


def test_surface_points_tell_where_limbs_are() -> None:
    errors = []
    for case in cases(4):
        for count, wrong in ((0, 0.0), (100, 0.0), (100, 0.1)):
            rng = np.random.default_rng(0)
            view = case.view(2, rng)
            if count:
                view = replace(view, dense=case.dense(2, rng, count, wrong))
            vertices = fitter().fit([view]).posed().vertices()
            keypoints = fitter().model.keypoints["COCO-17"].positions(vertices)
            errors.append(pa_mpjpe(keypoints, case.keypoints))
    without, dense, partly_wrong = np.array(errors).reshape(4, 3).mean(axis=0)
    assert dense < 0.8 * without
    assert partly_wrong < without


def test_surface_points_alone() -> None:
    case, rng = cases(1)[0], np.random.default_rng(0)
    dense = case.dense(1, rng, 200)
    view = View(np.zeros((17, 2)), np.zeros(17), CENTER, case.focal, dense=dense)
    fit = fitter().fit([view])
    keypoints = fitter().model.keypoints["COCO-17"].positions(fit.posed().vertices())
    pixels = view.project(keypoints[None], np.array([case.focal]))[0]
    true = view.project(case.keypoints[None], np.array([case.focal]))[0]
    assert np.median(np.linalg.norm(pixels - true, axis=1)) < 4


def test_points_that_were_not_seen_change_nothing() -> None:
    case, rng = cases(1)[0], np.random.default_rng(0)
    view, dense = case.view(2, rng), case.dense(2, rng, 40)
    none = SurfacePoints(np.append(dense.points.triangles, [-1, 0]), np.zeros((42, 3)))
    none.barycentrics[:40], none.barycentrics[41] = dense.points.barycentrics, (1, 0, 0)
    pixels = np.concatenate([np.asarray(dense.pixels), np.full((2, 2), np.nan)])
    more = DensePoints(none, pixels, np.append(np.ones(41), 0), 2.0)
    first, second = (fitter().fit([replace(view, dense=d)]) for d in (dense, more))
    np.testing.assert_array_equal(first.R_parent_joint, second.R_parent_joint)


@given(
    st.lists(st.integers(1, 24), min_size=1, max_size=5, unique=True),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
)
def test_samples_are_spread_over_parts(present: list[int], count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    part = rng.choice([0, *present], (12, 9)).astype(np.uint8)
    u, v = rng.random((2, 12, 9))
    dense = sample_iuv(charts(), part, u, v, count, corner=(100, 50), pixel_size=2)
    at = (np.asarray(dense.pixels) - (100, 50)) / 2 - 0.5
    columns, rows = at.astype(int).T
    np.testing.assert_array_equal(at, np.stack([columns, rows], axis=1))
    assert len(set(zip(columns.tolist(), rows.tolist(), strict=True))) == len(at)
    sizes = np.bincount(part[part > 0], minlength=25)
    got = np.bincount(part[rows, columns], minlength=25)
    assert got.sum() == min(count, sizes.sum())
    short = got < sizes
    assert got[0] == 0
    if short.any():
        assert np.ptp(got[short]) <= 1
        assert got.max() <= got[short].max() + 1
    np.testing.assert_array_equal(charts().parts[dense.points.triangles], part[rows, columns])


def test_bad_surface_points() -> None:
    good = SurfacePoints(np.zeros(2, np.int64), np.full((2, 3), 1 / 3))
    pixels, sure = np.zeros((2, 2)), np.ones(2)
    wrong: list[tuple[Any, str]] = [
        ((good, np.full((2, 2), np.nan), sure), "NaN, infinite or"),
        ((good, np.zeros((3, 2)), sure), r"must be \[K, 2\]"),
        ((good, pixels, -sure), "negative"),
        ((good, pixels, np.ones(3)), "2 points with confidence"),
        ((good, pixels, sure, 0.0), "noise is 0.0"),
        ((good, pixels, sure, np.ones(3)), r"noise of shape \(3,\)"),
        ((SurfacePoints(np.zeros(2, np.int64), np.ones((2, 3))), pixels, sure), "barycentrics"),
        ((SurfacePoints(np.zeros(2, np.int64), np.ones((3, 3))), pixels, sure), "barycentrics of"),
    ]
    for arguments, message in wrong:
        with pytest.raises(InputError, match=message):
            DensePoints(*arguments)
    beyond = SurfacePoints(np.full(2, 99999), np.full((2, 3), 1 / 3))
    view = View(np.arange(34.0).reshape(17, 2), np.ones(17), CENTER)
    with pytest.raises(InputError, match="triangle 99999"):
        Fitter().fit([replace(view, dense=DensePoints(beyond, pixels, sure))])
    with pytest.raises(InputError, match="too few points"):
        Fitter().fit(
            [replace(view, confidence=np.zeros(17), dense=DensePoints(good, pixels, sure))]
        )
    with pytest.raises(InputError, match=r"must be \[H, W\]"):
        sample_iuv(charts(), np.ones((2, 2)), np.ones((2, 3)), np.ones((2, 2)), 5)
    with pytest.raises(InputError, match="0 points"):
        sample_iuv(charts(), np.ones((2, 2)), np.ones((2, 2)), np.ones((2, 2)), 0)
    with pytest.raises(InputError, match="NaN or inf"):
        sample_iuv(charts(), np.ones((2, 2)), np.full((2, 2), np.nan), np.ones((2, 2)), 4)
    empty = sample_iuv(charts(), np.zeros((2, 2)), np.ones((2, 2)), np.ones((2, 2)), 4)
    assert len(np.asarray(empty.pixels)) == 0
