# SPDX-License-Identifier: Apache-2.0
"""The script that cuts and flattens the surface: its parts on small shapes, and the whole of it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.body import BodyModel

pytest.importorskip("scipy")

Array = NDArray[Any]


def sheet(bend: float, columns: int = 9, rows: int = 7) -> tuple[Array, Array]:
    """Vertices and triangles of a sheet 0.8 by 0.6 m, rolled up by `bend` radians."""
    x, y = (g.ravel() for g in np.meshgrid(np.linspace(0, 0.8, columns), np.linspace(0, 0.6, rows)))
    vertices = np.stack([x, y, 0 * x], axis=1)
    if bend:
        radius = 0.8 / bend
        vertices = np.stack([radius * np.sin(x / radius), y, radius * np.cos(x / radius)], axis=1)
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    lower = np.stack([first, first + 1, first + columns + 1], axis=1)
    upper = np.stack([first, first + columns + 1, first + columns], axis=1)
    return vertices, np.concatenate([lower, upper])


@pytest.mark.parametrize("bend", [0.0, 2.0])
def test_what_can_be_unrolled_keeps_its_lengths(bend: float) -> None:
    from bitpose.body.make.flatten import corners, flatten, stretch

    vertices, faces = sheet(bend)
    points = corners(faces, set())
    np.testing.assert_array_equal(np.unique(points), np.arange(len(vertices)))
    flat = flatten(vertices[faces], points)[points]
    l2, largest, area = stretch(vertices[faces], flat)
    assert l2 == pytest.approx(1, abs=1e-3)
    assert largest < 1.02
    np.testing.assert_allclose(area, 1, atol=0.02)
    size = flat.max(axis=(0, 1)) - flat.min(axis=(0, 1))
    assert np.hypot(*size) <= 0.8 + 0.6


def test_stretch_by_hand() -> None:
    """A layout twice as wide: lengths of the surface by those of the layout are 1/2 and 1."""
    from bitpose.body.make.flatten import stretch

    vertices, faces = sheet(0.0)
    l2, largest, area = stretch(vertices[faces], vertices[faces][..., :2] * (2, 1))
    assert l2 == pytest.approx(np.sqrt((1 / 4 + 1) / 2) * np.sqrt(2))
    assert largest == pytest.approx(np.sqrt(2))
    np.testing.assert_allclose(area, 1)


def test_slits_part_points() -> None:
    from bitpose.body.make.flatten import corners, outline

    _, faces = sheet(0.0, columns=3, rows=3)
    assert len(outline(corners(faces, set()))) == 8
    slit = corners(faces, {(1, 4)})
    assert slit.max() + 1 == 10
    assert len(outline(slit)) == 10
    ring = faces[~(faces == 4).any(axis=1)]
    with pytest.raises(ValueError, match="disk"):
        outline(corners(np.concatenate([faces, ring + 9]), set()))


def test_what_is_flat_never_overlaps() -> None:
    """A sheet rolled up by more than a turn, cut into a spiral, would lie over itself."""
    from bitpose.body.make.flatten import _Layout, corners

    vertices, faces = sheet(0.0, columns=40, rows=3)
    turn = 4 * np.pi * vertices[:, 0] / 0.8
    radius = 0.3 + vertices[:, 1] * 0.3
    cone = np.stack([radius * np.cos(turn), 0 * turn, radius * np.sin(turn)], axis=1)
    layout = _Layout(cone[faces[:, ::-1]], corners(faces[:, ::-1], set()))
    flat = layout.solve()
    assert np.isfinite(layout.energy(flat))
    assert not layout._crosses(flat)
    assert layout.energy(flat) < layout.energy(layout._tutte())


def test_cuts_are_short_and_in_their_band() -> None:
    from bitpose.body.make.charts import Halves, cut

    body = BodyModel.load(dtype=np.float64)
    mesh = Halves(body.v_template, body.faces.astype(np.int64))
    parts, _ = cut(mesh, body.J_template)
    assert set(parts) == {1, 2, 4, 5, 8, 10, 12, 14, 15, 17, 19, 21, 24}
    np.testing.assert_array_equal(mesh.mirror[mesh.mirror], np.arange(len(body.v_template)))
    middle = body.v_template[mesh.left].mean(axis=1)
    elbow = body.J_template[18, 0]
    upper, lower = np.isin(parts, (15, 17)), np.isin(parts, (19, 21))
    assert middle[upper, 0].max() < elbow + 0.03
    assert middle[lower, 0].min() > elbow - 0.03


def test_distances_on_a_sheet() -> None:
    from bitpose.body.make.geodesics import distances, steiner_graph

    vertices, faces = sheet(2.0)
    flat, _ = sheet(0.0)
    found = distances(steiner_graph(vertices, faces), 0, len(vertices))
    want = np.linalg.norm(flat - flat[0], axis=1)
    chord = np.linalg.norm(vertices - vertices[0], axis=1)
    assert (found >= chord - 1e-6).all()
    np.testing.assert_allclose(found, want, rtol=0.02)


@pytest.mark.slow
def test_script_makes_the_committed_surface(tmp_path: Path) -> None:
    """To the last byte, of the committed body."""
    pytest.importorskip("pygeodesic")
    from bitpose.body.make import atlas
    from bitpose.body.make.__main__ import write

    write(tmp_path / "made.npz", atlas.surface(BodyModel.load(dtype=np.float64)))
    committed = files("bitpose.body").joinpath("default_surface.npz").read_bytes()
    assert (tmp_path / "made.npz").read_bytes() == committed
