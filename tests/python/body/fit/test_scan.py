# SPDX-License-Identifier: Apache-2.0
"""Bodies beneath clothes, in scans of bodies that are known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("scipy")

from bench.scan.__main__ import errors
from bench.scan.cases import Frame, field, person
from bitpose.body import BodyModel
from bitpose.body.fit import Fitter, SpacePoints
from bitpose.body.fit.parameters import Guesses
from bitpose.body.fit.prior import PosePrior
from bitpose.body.fit.scan import Scan, ScanFitter, fitter
from bitpose.body.fit.scan.closest import Fans
from bitpose.body.fit.scan.cloth import Bare, Clothed, Distance
from bitpose.body.fit.scan.scans import ScanProblem
from bitpose.body.fit.scan.shared_shape import minimize
from bitpose.body.fit.solve import Quadratic
from bitpose.body.model import PosedBody
from bitpose.errors import InputError
from bitpose.render._shade import vertex_normals
from tests.python.body.bodies import random_arrays

Array = NDArray[Any]


@cache
def scan_fitter() -> ScanFitter:
    return ScanFitter()


@cache
def people(count: int, frames: int = 1) -> list[list[Frame]]:
    """In poses near the means of the prior."""
    rng = np.random.default_rng(3)
    means = PosePrior.load().poses[1:]
    poses = means[rng.integers(0, len(means), count * frames)]
    poses = poses + rng.normal(0, 0.1, poses.shape)
    poses = np.concatenate([np.zeros((len(poses), 1, 3)), poses], axis=1)
    moves = poses.reshape(count, frames, 24, 3)
    return [person(pose, (3, number)) for number, pose in enumerate(moves)]


def all_skin(scan: Scan) -> Scan:
    return replace(scan, skin=np.ones(len(np.asarray(scan.points)), bool))


@pytest.mark.parametrize("distance", [Bare(0.002), Clothed(0.002, 0.04), Clothed(0.02, 0.04, 0.03)])
def test_derivatives_of_densities(distance: Distance) -> None:
    s = np.linspace(-0.06, 0.12, 901)
    step = 1e-6
    energy, slope, curvature = distance(s)
    expected = (distance(s + step)[0] - distance(s - step)[0]) / (2 * step)
    np.testing.assert_allclose(slope, expected, atol=1e-5 * np.abs(slope).max())
    assert np.isfinite(energy).all()
    assert (curvature >= 0).all()


@given(st.floats(0.001, 0.02), st.floats(0.005, 0.1), st.floats(0.02, 1.0))
def test_density_is_that_of_cloth_and_noise(noise: float, thickest: float, falloff: float) -> None:
    """It adds up to 1 with the share of stray points left out, and is that of draws."""
    s = np.linspace(-0.2, 0.4, 60001)
    density = np.exp(-Clothed(noise, thickest, falloff)(s)[0]) - 1e-3
    width = s[1] - s[0]
    assert density.sum() * width == pytest.approx(1, abs=1e-4)
    d = np.linspace(0, thickest, 20001)
    weights = np.exp(-d / falloff)
    mean = float(np.sum(weights * d) / np.sum(weights))
    assert np.sum(density * s) * width == pytest.approx(mean, abs=1e-4)


def test_cloth_may_only_be_outside() -> None:
    inside, skin, cloth, far = Clothed(0.002, 0.04)(np.array([-0.01, 0.002, 0.03, 0.08]))[0]
    assert inside > skin + 5
    assert abs(cloth - skin) < 0.5
    assert far > cloth + 5
    assert Clothed(0.002, 0.04)(np.array([-1.0, 1.0]))[1] == pytest.approx([0, 0])


def test_nearest_points_are_those_of_trimesh() -> None:
    import trimesh

    closest_point: Any = trimesh.triangles.closest_point
    model = BodyModel.load(dtype=np.float64)
    vertices = model.with_shape().with_axis_angle(np.full(72, 0.1)).vertices()
    normals = vertex_normals(vertices, model.faces).astype(np.float64)
    rng = np.random.default_rng(5)
    some = rng.choice(len(vertices), 60)
    height = rng.choice([-0.004, 0.0, 0.01, 0.03], 60)
    points = vertices[some] + height[:, None] * normals[some] + rng.normal(0, 0.002, (60, 3))
    near = Fans.of(model.faces, len(vertices)).nearest(points, vertices, normals)
    triangles = vertices[model.faces]
    exact = [
        np.linalg.norm(closest_point(triangles, [point] * len(triangles)) - point, axis=1).min()
        for point in points
    ]
    np.testing.assert_allclose(np.abs(near.distance), exact, atol=2e-4)
    assert np.mean(np.abs(np.abs(near.distance) - exact) < 1e-9) > 0.9
    at = np.einsum("nk,nkc->nc", near.barycentrics, vertices[near.corners])
    far = np.abs(near.distance) > 5e-4
    moved = at + near.distance[:, None] * near.direction
    np.testing.assert_allclose(moved[far], points[far], atol=1e-9)
    assert (near.distance[height > 0.005] > 0).all()


def test_normals_tell_sides_apart() -> None:
    """Of two sheets 1 cm apart, a point is taken to the one that looks its way."""
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float64) * 0.02
    vertices = np.concatenate([square, square + np.array([0, 0, 0.01])])
    up = np.tile([0.0, 0.0, 1.0], (4, 1))
    normals = np.concatenate([-up, up])
    faces = np.array([[0, 2, 1], [0, 3, 2], [4, 5, 6], [4, 6, 7]], np.int32)
    fans = Fans.of(faces, 8)
    point = np.array([[0.01, 0.005, 0.004]])
    assert fans.nearest(point, vertices, normals).distance == pytest.approx([-0.004])
    assert fans.nearest(point, vertices, normals, up[:1]).distance == pytest.approx([-0.006])
    assert fans.nearest(point, vertices, normals, -up[:1]).distance == pytest.approx([-0.004])


def _problem(frames: list[Frame], points: int) -> tuple[ScanProblem, Guesses]:
    of = scan_fitter()
    scans = tuple(frame.scan.sample(points) for frame in frames)
    before = tuple(of.fitter.problem(space=scan.joints, up=None) for scan in scans)
    rng = np.random.default_rng(8)
    guesses = Guesses(
        np.array([frame.body.R_parent_joint[0] for frame in frames]),
        rng.normal(0, 0.3, (len(frames), 23, 3)),
        np.array([frame.body.t_world_joint[0] for frame in frames]),
        np.tile(rng.normal(0, 1, 16), (len(frames), 1)),
        np.full(len(frames), before[0].log_focal),
    )
    return ScanProblem(of.fitter.model, of.fans, scans, before, 0.002, 0.04), guesses


def test_gradient_of_the_energy() -> None:
    """Along steps that move all frames' betas alike, against finite differences."""
    problem, guesses = _problem(people(1, 2)[0], 300)
    at = problem.energy(guesses, 0.02)
    layout = guesses.layout
    rng = np.random.default_rng(9)
    for _ in range(4):
        step = rng.normal(0, 1, (2, layout.size))
        step[:, layout.shape] = step[0, layout.shape]
        step[:, layout.focal] = 0
        h = 1e-6
        above, below = (problem.energy(guesses.moved(sign * h * step), 0.02) for sign in (1, -1))
        numeric = (above.energy.sum() - below.energy.sum()) / (2 * h)
        assert np.sum(at.gradient * step) == pytest.approx(numeric, rel=2e-3)


def test_frames_share_betas_alone() -> None:
    """Of a quadratic in translations and betas: the least squares over all of it."""
    rng = np.random.default_rng(10)
    frames, betas = 3, 4
    guesses = Guesses(
        np.tile(np.eye(3), (frames, 1, 1)), np.zeros((frames, 1, 3)), np.zeros((frames, 3)),
        np.zeros((frames, betas)), np.zeros(frames),
    )  # fmt: skip
    at = guesses.layout
    free = np.arange(at.size)[at.translation.start : at.shape.stop]
    rows, goals = rng.normal(0, 1, (frames, 12, 3 + betas)), rng.normal(0, 1, (frames, 12))

    def energy(guesses: Guesses) -> Quadratic:
        x = np.concatenate([guesses.translation, guesses.betas], axis=1)
        off = np.einsum("frp,fp->fr", rows, x) - goals
        gradient, hessian = np.zeros((frames, at.size)), np.zeros((frames, at.size, at.size))
        gradient[:, free] = np.einsum("frp,fr->fp", rows, off)
        hessian[:, free[:, None], free] = np.swapaxes(rows, 1, 2) @ rows
        return Quadratic(0.5 * np.sum(off**2, axis=1), gradient, hessian)

    result, there = minimize(energy, guesses, free, 60, tolerance=1e-15)
    whole = np.zeros((frames * 12, frames * 3 + betas))
    for frame in range(frames):
        whole[12 * frame : 12 * frame + 12, 3 * frame : 3 * frame + 3] = rows[frame, :, :3]
        whole[12 * frame : 12 * frame + 12, -betas:] = rows[frame, :, 3:]
    best, rest, *_ = np.linalg.lstsq(whole, goals.ravel())
    np.testing.assert_allclose(result.betas, np.tile(best[-betas:], (frames, 1)), atol=1e-5)
    np.testing.assert_allclose(result.translation.ravel(), best[:-betas], atol=1e-5)
    assert there.energy.sum() == pytest.approx(rest[0] / 2)


def test_finds_the_body_beneath(monkeypatch: pytest.MonkeyPatch) -> None:
    """With few points, from where the body is, which a fit that takes cloth for skin leaves."""
    monkeypatch.setattr(fitter, "_STAGES", ((0.006, 800, 8), (0.0, 800, 16)))
    monkeypatch.setattr(fitter, "_ROLLS", ())
    frames = people(1)[0]
    scan = frames[0].scan
    start = frames[0].body
    beneath = errors(scan_fitter().fit([scan], [start]), frames)
    symmetric = errors(scan_fitter().fit([all_skin(scan)], [start]), frames)
    assert beneath.posed < 6
    assert symmetric.posed > 10


@pytest.mark.slow
def test_errors_of_several_people() -> None:
    beneath, symmetric = [], []
    for frames in people(5):
        beneath.append(errors(scan_fitter().fit([frames[0].scan]), frames).posed)
        symmetric.append(errors(scan_fitter().fit([all_skin(frames[0].scan)]), frames).posed)
    assert np.mean(beneath) < 5
    assert np.mean(symmetric) > 10


@pytest.mark.slow
def test_ten_frames_say_more_of_the_shape() -> None:
    frames = people(1, 10)[0]
    alone = [errors(scan_fitter().fit([frame.scan]), [frame]) for frame in frames[:4]]
    together = errors(scan_fitter().fit([frame.scan for frame in frames]), frames)
    assert together.shape < 0.75 * np.mean([error.shape for error in alone])


def test_same_scan_same_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitter, "_STAGES", ((0.02, 200, 2), (0.006, 200, 2)))
    monkeypatch.setattr(fitter, "_ROLL_ROUNDS", 1)
    scan = people(1)[0][0].scan
    first, second = (ScanFitter(scan_fitter().fitter).fit([scan]) for _ in range(2))
    np.testing.assert_array_equal(first.R_parent_joint, second.R_parent_joint)
    np.testing.assert_array_equal(first.betas, second.betas)
    assert first.posed().batch == (1,)


def test_hands_come_back_from_the_wrong_side() -> None:
    """A hand that starts rolled by half a turn finds its palm."""
    frame = people(1)[0][0]
    of = scan_fitter()
    problem, guesses = _problem([frame], 800)
    guesses = of._guesses([frame.body], guesses.log_focal[0])
    rolled = of._rolled(guesses, np.pi)
    skeleton = of.fitter.joints.skeleton

    def turned(guesses: Guesses) -> Array:
        """Radians, of each wrist against the truth."""
        wrists = [20, 21]
        R = guesses.posed(skeleton).R_world_joint[0, wrists]
        between = np.swapaxes(frame.body.R_world_joint[wrists], 1, 2) @ R
        return np.asarray(np.arccos((np.trace(between, axis1=1, axis2=2) - 1) / 2))

    assert (turned(rolled) > 2.5).all()
    back, _ = of._roll_hands(problem, rolled, 0.006)
    assert (turned(back) < 0.5).all()


def test_distances_of_points(body: PosedBody) -> None:
    frame = people(1)[0][0]
    distances = scan_fitter().distances(frame.scan, frame.body)
    skin = np.asarray(frame.scan.skin)
    assert np.abs(distances[skin]).mean() < 0.003
    assert np.quantile(distances, 0.005) > -0.01
    assert 0.03 < distances[~skin].max() < 0.06
    with pytest.raises(InputError, match="must be one"):
        scan_fitter().distances(frame.scan, body)


@pytest.fixture
def body() -> PosedBody:
    return scan_fitter().fitter.model.with_shape().with_axis_angle(np.zeros((2, 72)))


def test_cloth_of_the_benchmark() -> None:
    rest = BodyModel.load().v_template
    values = field(rest, np.random.default_rng(0))
    assert values.min() == 0
    assert values.max() == 1
    assert np.histogram(values, 10, (0, 1))[0].min() > len(rest) / 11


POINTS = np.random.default_rng(0).normal(0, 1, (100, 3))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"points": POINTS[:99]}, "at least 100"),
        ({"points": POINTS[:, :2]}, r"must be \[N, 3\]"),
        ({"points": np.full((100, 3), np.nan)}, "NaN"),
        ({"points": POINTS * 1e6}, "metres"),
        ({"points": POINTS, "normals": POINTS[:50]}, "normals of shape"),
        ({"points": POINTS, "normals": POINTS * 0}, "length 0"),
        ({"points": POINTS, "skin": np.zeros(100)}, "must be bool"),
        ({"points": POINTS, "skin": np.zeros(99, bool)}, "must be bool"),
    ],
)
def test_refuses_what_is_no_scan(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Scan(**arguments)


def test_refuses_what_cannot_be_fitted(body: PosedBody) -> None:
    of = scan_fitter()
    with pytest.raises(InputError, match="0 scans"):
        of.fit([])
    with pytest.raises(InputError, match="1 scans and 0 starts"):
        of.fit([Scan(POINTS)], [])
    with pytest.raises(InputError, match="needs a body to start from"):
        of.fit([Scan(POINTS)])
    with pytest.raises(InputError, match="one body of the model"):
        of.fit([Scan(POINTS)], [body])
    with pytest.raises(InputError, match="too few points"):
        of.fit([Scan(POINTS, joints=SpacePoints(np.zeros((24, 3)), np.ones(24)))])
    for wrong in ({"noise": 0.0}, {"thickest": -1.0}, {"thickest": float("nan")}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            ScanFitter(of.fitter, **wrong)


def test_refuses_bodies_with_loose_vertices() -> None:
    arrays = random_arrays(0)
    loose = replace(arrays, faces=arrays.faces[:3])
    model = BodyModel.from_arrays(loose, np.float64)
    regressor = BodyModel.load().keypoints["COCO-17"]
    small = replace(regressor, vertices=regressor.vertices % 40)
    with pytest.raises(InputError, match="all have triangles"):
        ScanFitter(Fitter(model, small))
