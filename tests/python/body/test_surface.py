# SPDX-License-Identifier: Apache-2.0
"""The charts of the default body, and distances along its surface."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.body import SMPL_JOINTS, BodyModel, default_surface
from bitpose.body.charts import PART_NAMES, Charts, SurfacePoints
from bitpose.body.default_surface import MIRRORED_PARTS, BodySurface
from bitpose.errors import InputError
from bitpose.metrics.dense_pose import Points, Prediction, geodesic_errors, gps, part_accuracy
from bitpose.render import Drawable, PerspectiveCamera, look_at, rasterize

Array = NDArray[Any]
HAND, TORSO = 4, 2


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load(dtype=np.float64)


@pytest.fixture(scope="module")
def surface() -> BodySurface:
    return default_surface.load()


@pytest.fixture(scope="module")
def charts(surface: BodySurface) -> Charts:
    return surface.charts


def some_points(charts: Charts, count: int, seed: int) -> SurfacePoints:
    rng = np.random.default_rng(seed)
    triangles = rng.integers(0, len(charts.faces), count)
    return SurfacePoints(triangles, rng.dirichlet(np.ones(3), count))


def test_parts_are_where_their_names_say(body: BodyModel, charts: Charts) -> None:
    middle = body.v_template[charts.faces].mean(axis=1)
    at = {name: middle[charts.parts == i + 1].mean(axis=0) for i, name in enumerate(PART_NAMES)}
    assert len(at) == 24
    assert set(charts.parts) == set(range(1, 25))
    for name, place in at.items():
        if "left" in name or "right" in name:
            assert (place[0] > 0) == ("left" in name), name
    for front in (name for name in PART_NAMES if name.endswith("front")):
        assert at[front][2] > at[front.replace("front", "back")][2]
    for inner in (name for name in PART_NAMES if name.endswith("inner")):
        assert at[inner][1] < at[inner.replace("inner", "outer")][1]
    joint = dict(zip(SMPL_JOINTS, body.J_template, strict=True))
    assert joint["left_elbow"][0] < at["left_lower_arm_inner"][0] < joint["left_wrist"][0]
    assert at["left_hand"][0] > joint["left_wrist"][0]
    assert joint["left_knee"][1] < at["left_upper_leg_front"][1] < joint["left_hip"][1]
    assert at["left_foot"][1] < joint["left_ankle"][1]


def test_both_sides_are_alike(body: BodyModel, surface: BodySurface) -> None:
    charts, half = surface.charts, len(surface.charts.faces) // 2
    np.testing.assert_array_equal(charts.faces[half:], surface.mirror[charts.faces[:half, ::-1]])
    np.testing.assert_allclose(
        body.v_template[surface.mirror], body.v_template * (-1, 1, 1), atol=1e-9
    )
    np.testing.assert_array_equal(charts.parts[half:], MIRRORED_PARTS[charts.parts[:half]])
    np.testing.assert_allclose(charts.uv[half:, ::-1], charts.uv[:half] * (-1, 1) + (1, 0))


@pytest.mark.parametrize("part", range(1, 25))
def test_charts_are_disks_without_overlap(charts: Charts, part: int) -> None:
    corners = charts.uv[charts.parts == part]
    area = _areas(corners)
    assert area.min() > 0
    assert corners.min() == 0 or corners.max() == 1
    _, number = np.unique(
        np.concatenate([corners.reshape(-1, 2), _vertices(charts, part)], axis=1),
        axis=0,
        return_inverse=True,
    )
    points = number.reshape(-1, 3)
    edges = Counter((int(a), int(b)) for k in range(3) for a, b in points[:, [k, (k + 1) % 3]])
    assert set(edges.values()) == {1}
    rim = {a: b for a, b in edges if (b, a) not in edges}
    whole = {frozenset(edge) for edge in edges}
    assert len(np.unique(points)) - len(whole) + len(points) == 1
    start = end = next(iter(rim))
    length = 0
    while length == 0 or end != start:
        end, length = rim[end], length + 1
    assert length == sum((b, a) not in edges for a, b in edges)
    # Points in several triangles would be counted several times.
    places = np.random.default_rng(part).random((1500, 2))
    sides = [_areas(np.stack(np.broadcast_arrays(
                corners[:, None, k], corners[:, None, (k + 1) % 3], places), axis=2).reshape(
                -1, 3, 2)) for k in range(3)]  # fmt: skip
    count = (np.min(sides, axis=0) > 0).reshape(len(corners), -1).sum(axis=0)
    assert count.max() == 1


def _areas(corners: Array) -> Array:
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray((u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 2)


def _vertices(charts: Charts, part: int) -> Array:
    return np.asarray(charts.faces[charts.parts == part].reshape(-1, 1))


def test_charts_stretch_little(body: BodyModel, charts: Charts) -> None:
    """Nine tenths of the surface keep their lengths within 8 %; of heads and feet within 45 %."""
    corners = body.v_template[charts.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1)
    for part, name in enumerate(PART_NAMES, start=1):
        mine = charts.parts == part
        sizes = _singular_values(corners, charts, mine)
        bound = 1.45 if "head" in name or "foot" in name else 1.2 if "hand" in name else 1.08
        kept = (sizes.max(axis=1) < bound) & (sizes.min(axis=1) > 1 / bound)
        assert area[mine][kept].sum() > 0.9 * area[mine].sum()


def _singular_values(triangles: Array, charts: Charts, mine: Array) -> Array:
    a, b, c = (triangles[mine][:, k] for k in range(3))
    u, v = b - a, c - a
    along = np.linalg.norm(u, axis=1)
    x = u / along[:, None]
    normal = np.cross(u, v)
    y = np.cross(normal / np.linalg.norm(normal, axis=1)[:, None], x)
    flat = np.zeros((len(a), 2, 2))
    flat[:, 0, 0], flat[:, 0, 1], flat[:, 1, 1] = along, (v * x).sum(1), (v * y).sum(1)
    corners = charts.uv[mine]
    edges = (corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1)
    sizes = np.linalg.svd(edges @ np.linalg.inv(flat), compute_uv=False)
    area = np.linalg.norm(normal, axis=1) / 2
    scale = np.sqrt((sizes.prod(axis=1) * area).sum() / area.sum())
    return np.asarray(sizes / scale)


def test_there_and_back(body: BodyModel, charts: Charts) -> None:
    points = some_points(charts, 20000, seed=1)
    found = charts.locate(*charts.iuv(points))
    there = points.positions(body.v_template, charts.faces)
    back = found.positions(body.v_template, charts.faces)
    np.testing.assert_allclose(there, back, atol=5e-5)
    np.testing.assert_array_equal(charts.parts[found.triangles], charts.parts[points.triangles])


def test_there_and_back_in_bytes(body: BodyModel, charts: Charts) -> None:
    """As IUV maps store them: half a step of a chart at most, up to half a metre a chart."""
    points = some_points(charts, 20000, seed=2)
    part, u, v = charts.iuv(points)
    found = charts.locate(part, np.rint(255 * u) / 255, np.rint(255 * v) / 255)
    off = points.positions(body.v_template, charts.faces) - found.positions(
        body.v_template, charts.faces
    )
    assert np.percentile(np.linalg.norm(off, axis=1), 99) < 3e-3


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 24), st.floats(-0.5, 1.5), st.floats(-0.5, 1.5))
def test_points_beside_a_chart_go_to_its_rim(part: int, u: float, v: float) -> None:
    charts = default_surface.load().charts
    found = charts.locate([part], [u], [v])
    again, x, y = charts.iuv(found)
    assert again[0] == part
    corners = charts.uv[charts.parts == part]
    nearest = np.sqrt(((corners.reshape(-1, 2) - (u, v)) ** 2).sum(axis=1).min())
    assert np.hypot(x[0] - u, y[0] - v) <= nearest + 1e-6
    steps = np.linspace(0, 1, 9)[:, None, None, None]
    on_edges = corners * (1 - steps) + np.roll(corners, 1, axis=1) * steps
    nearest = np.sqrt(((on_edges.reshape(-1, 2) - (u, v)) ** 2).sum(axis=1).min())
    assert np.hypot(x[0] - u, y[0] - v) <= nearest + 1e-6


def test_nothing_is_found_in_the_background(charts: Charts) -> None:
    found = charts.locate([0, 25, 200], [0.5] * 3, [0.5] * 3)
    assert (found.triangles == -1).all()
    assert (found.nearest_vertices(charts.faces) == -1).all()
    assert np.isnan(found.positions(np.zeros((7000, 3)), charts.faces)).all()
    part, u, v = charts.iuv(found)
    assert not part.any()
    assert not u.any()
    assert not v.any()
    assert len(charts.locate([], [], []).triangles) == 0
    with pytest.raises(InputError, match="parts"):
        charts.locate([1, 2], [0.5], [0.5])
    with pytest.raises(InputError, match="parts"):
        charts.locate([1], [np.nan], [0.5])


def test_wrong_charts_are_refused(charts: Charts) -> None:
    with pytest.raises(InputError, match="faces"):
        Charts(7000, charts.faces, charts.parts[1:], charts.uv)
    with pytest.raises(InputError, match="uv"):
        Charts(7000, charts.faces, charts.parts, charts.uv + 1)


def test_distances_are_those_along_the_surface(body: BodyModel, surface: BodySurface) -> None:
    geodesic = pytest.importorskip("pygeodesic.geodesic")
    exact = geodesic.PyGeodesicAlgorithmExact(body.v_template, body.faces)
    rng = np.random.default_rng(7)
    off, relative, near = [], [], []
    for vertex in rng.choice(len(surface.mirror), 12, replace=False):
        want, _ = exact.geodesicDistances(np.array([vertex]), None)
        error = np.abs(surface.geodesic(int(vertex), np.arange(len(want))) - want)
        off.append(error)
        relative.append(error[want > 0.05] / want[want > 0.05])
        near.append(error[want < 0.05])
    errors = np.concatenate(off)
    assert errors.mean() < 1.5e-3
    assert np.percentile(errors, 99) < 0.012
    assert errors.max() < 0.06
    assert np.concatenate(relative).mean() < 0.005
    assert np.concatenate(near).mean() < 2.5e-3


def test_distances_are_a_distance(body: BodyModel, surface: BodySurface) -> None:
    a, b = np.random.default_rng(8).integers(0, len(surface.mirror), (2, 50000))
    there, back = surface.geodesic(a, b), surface.geodesic(b, a)
    np.testing.assert_array_equal(there, back)
    assert (surface.geodesic(a, a) == 0).all()
    straight = np.linalg.norm(body.v_template[a] - body.v_template[b], axis=1)
    assert (there > straight - 0.02).all()
    np.testing.assert_allclose(
        there, surface.geodesic(surface.mirror[a], surface.mirror[b]), atol=0.02
    )
    assert surface.geodesic(3, [[1, 2], [3, 4]]).shape == (2, 2)
    for wrong in (7000, -1, 0.5):
        with pytest.raises(InputError, match="vertices"):
            surface.geodesic([wrong], [0])


def test_a_drawn_body_scores_as_itself(body: BodyModel, surface: BodySurface) -> None:
    """Of a picture's own IUV map, each pixel's vertex is found again within millimetres."""
    charts = surface.charts
    pose = np.zeros(72)
    pose[50], pose[53] = -0.9, 0.9
    vertices = body.with_shape([0.5, -0.5]).with_axis_angle(pose).vertices()
    camera = PerspectiveCamera(
        width=256, height=256, T_camera_world=look_at((0.5, 0, 3), (0, 0, 0), (0, 1, 0)),
        fx=370, fy=370,
    )  # fmt: skip
    maps = rasterize([Drawable(charts.surface(), vertices)], camera)
    rows, columns = np.nonzero(maps.mask)
    chosen = np.random.default_rng(4).choice(len(rows), 150, replace=False)
    rows, columns = rows[chosen], columns[chosen]
    seen = maps.vertex[rows, columns].astype(np.int64)
    points = Points(np.stack([columns, rows], axis=1).astype(np.float64) + 0.5, seen)
    prediction = Prediction(maps.iuv)
    errors = geodesic_errors(prediction, points, charts.atlas(), surface.geodesic)
    assert gps(errors, 0.255) > 0.99
    assert part_accuracy(prediction, points, charts.atlas()) > 0.85
    iuv = maps.iuv[rows, columns]
    found = charts.locate(iuv[:, 0], iuv[:, 1] / 255, iuv[:, 2] / 255)
    again = found.positions(vertices, charts.faces)
    corners = vertices[charts.faces[maps.triangle[rows, columns]]]
    true = (corners * maps.barycentrics[rows, columns][..., None]).sum(axis=1)
    assert np.percentile(np.linalg.norm(again - true, axis=1), 95) < 4e-3
    wrong = maps.iuv.copy()
    wrong[..., 0][maps.mask] = MIRRORED_PARTS[maps.part[maps.mask]]
    assert gps(geodesic_errors(Prediction(wrong), points, charts.atlas(), surface.geodesic),
               0.255) < 0.6  # fmt: skip
