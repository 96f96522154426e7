# SPDX-License-Identifier: Apache-2.0
"""Outputs of DensePose's kind, written as a network would for somebody who is known."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import bitpose
from bitpose.body import default_surface
from bitpose.errors import InputError
from bitpose.metrics.points import pa_mpjpe
from bitpose.pose.estimate import Estimator
from bitpose.pose.files import write_people
from bitpose.pose.iuv_map import IuvMap
from bitpose.pose.photo import Placement
from bitpose.pose.surface_scores import SurfaceHeads
from bitpose.render import Drawable, PerspectiveCamera, rasterize
from tests.python.pose.test_bodies import FOCAL, INPUT, SIDE, estimate_of, pixels, truth
from tests.python.tiny import constants

Array = NDArray[Any]
CELLS = 100
SHAPES = [(1, 2, 8, 6), *[(1, 25, 8, 6)] * 3]


@cache
def exact(side: int = SIDE) -> IuvMap:
    """What a photo of `side` pixels shows of somebody."""
    focal = FOCAL * side / SIDE
    camera = PerspectiveCamera(width=side, height=side, fx=focal, fy=focal)
    surface = default_surface.load().charts.surface()
    drawn = rasterize([Drawable(surface, truth().vertices(), back_faces=False)], camera)
    return IuvMap(drawn.part, drawn.u, drawn.v)


def outputs(coarse: int = 2) -> dict[str, Array]:
    """Of cells of a hundredth of the photo's side."""
    seen = exact(CELLS)
    fine = np.where(np.arange(25)[:, None, None] == seen.part, 5.0, -5.0)
    person = np.where(seen.mask, 4.0, -4.0)
    segments = np.stack([-person, *[person] * (coarse - 1)])
    maps = {"coarse_segm": segments, "fine_segm": fine}
    maps |= {name: np.tile(x, (25, 1, 1)) for name, x in (("u", seen.u), ("v", seen.v))}
    return {name: x[None].astype(np.float32) for name, x in maps.items()}


def network(maps: dict[str, Array]) -> bitpose.InferenceSession:
    return bitpose.InferenceSession(constants(maps, INPUT).SerializeToString())


def keypoints(noise: float) -> dict[str, Array]:
    """MoveNet's, to so many pixels of the photo."""
    model = truth().shaped.model
    xy = pixels(model.keypoints["COCO-17"].positions(truth().vertices()))
    xy = xy + np.random.default_rng(1).normal(0, noise, xy.shape)
    return {"keypoints": np.column_stack([xy[:, ::-1] / SIDE, np.full(17, 0.9)])[None, None]}


def found(maps: dict[str, Array], **options: Any) -> Any:
    photo = Image.new("RGB", (SIDE, SIDE))
    (person,) = Estimator(network(maps), focal=FOCAL, **options)(photo)
    return person


@given(st.permutations(["coarse_segm", "fine_segm", "u", "v"]), st.sampled_from([2, 15]))
def test_heads_are_told_apart_by_names(order: list[str], classes: int) -> None:
    shapes = [(1, classes if name == "coarse_segm" else 25, 8, 6) for name in order]
    heads = SurfaceHeads.of(order, shapes)
    assert heads is not None
    assert [order[i] for i in heads.outputs] == ["coarse_segm", "fine_segm", "u", "v"]


def test_heads_without_names_are_in_order() -> None:
    heads = SurfaceHeads.of(["a", "b", "c", "d"], [*SHAPES[1:3], SHAPES[0], SHAPES[3]])
    assert heads == SurfaceHeads(2, 0, 1, 3)
    paper = SurfaceHeads.of(["head.S", "head.V", "head.I", "head.U"], SHAPES)
    assert paper == SurfaceHeads(0, 2, 3, 1)


@pytest.mark.parametrize("shapes", [
    SHAPES[:3],
    [*SHAPES, (1, 25, 8, 6)],
    [(1, 3, 8, 6), *SHAPES[1:]],
    [(1, 2, 8, 5), *SHAPES[1:]],
    [SHAPES[0], (1, 25, 4, 3), *SHAPES[2:]],
    [SHAPES[0], *[(2, 25, 8, 6)] * 3],
])  # fmt: skip
def test_other_outputs_are_no_heads(shapes: list[tuple[int, ...]]) -> None:
    assert SurfaceHeads.of([str(i) for i in range(len(shapes))], shapes) is None


def bilinear(maps: Array, y: float, x: float) -> Array:
    """[C] of maps [C, h, w] at a place in cells from the middle of the first."""
    y, x = (float(np.clip(p, 0, n - 1)) for p, n in ((y, maps.shape[1]), (x, maps.shape[2])))
    across = [
        np.interp(x, np.arange(maps.shape[2]), row) for row in maps.reshape(-1, maps.shape[2])
    ]
    rows = np.reshape(across, maps.shape[:2])
    return np.array([np.interp(y, np.arange(len(row)), row) for row in rows])


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(2, 5), st.integers(2, 5)),
    st.tuples(st.floats(0.2, 3), st.floats(-9, 9), st.floats(-9, 9)),
)
def test_maps_over_a_photo_are_linear_between_cells(
    seed: int, cells: tuple[int, int], place: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(seed)
    coarse, (fine, u, v) = rng.normal(0, 1, (2, *cells)), rng.normal(0.5, 0.5, (3, 25, *cells))
    maps = [x[None].astype(np.float32) for x in (coarse, fine, u, v)]
    scores = SurfaceHeads(0, 1, 2, 3).read(maps, 12, 10).placed(Placement(*place))
    found = scores.over(14, 9)
    for row in range(9):
        for column in range(14):
            # Where the pixel is in the input, and there in cells.
            x = ((column + 0.5) * place[0] + place[1]) * cells[1] / 10
            y = ((row + 0.5) * place[0] + place[2]) * cells[0] / 12
            if min(x, y, cells[1] - x, cells[0] - y) < 1e-3:
                if min(x, y, cells[1] - x, cells[0] - y) < -1e-3:
                    assert found.part[row, column] == 0
                continue
            there, parts = (bilinear(m[0], y - 0.5, x - 0.5) for m in maps[:2])
            if np.abs(there[0] - there[1]) < 1e-3 or np.diff(np.sort(parts))[-1] < 1e-3:
                continue
            part = int(parts.argmax()) if there[1] > there[0] else 0
            assert found.part[row, column] == part
            for got, m in ((found.u, u), (found.v, v)):
                expected = np.clip(bilinear(m, y - 0.5, x - 0.5)[part], 0, 1) if part else 0
                assert got[row, column] == pytest.approx(expected, abs=2e-3)


def test_the_photo_shows_the_surface_that_the_network_sees() -> None:
    scores = SurfaceHeads(0, 1, 2, 3).read(list(outputs().values()), INPUT, INPUT)
    placed = scores.placed(Placement(INPUT / SIDE, 0, 0))
    over = placed.over(SIDE, SIDE)
    assert (over.part == exact().part).mean() > 0.98
    # Between parts U and V jump, so they are compared inside.
    both = (over.part == exact().part) & over.mask
    assert np.median(np.abs(over.u - exact().u)[both]) < 0.01
    assert np.median(np.abs(over.v - exact().v)[both]) < 0.01
    rows, columns = np.nonzero(exact().mask)
    box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    np.testing.assert_allclose(np.array(placed.box), box, atol=SIDE / CELLS)
    assert placed.score == pytest.approx(1 / (1 + np.exp(-8)), abs=1e-6)


def test_a_body_is_fitted_to_surface_alone() -> None:
    person = found(outputs())
    seen = pixels(person.posed.t_world_joint) - pixels(truth().t_world_joint)
    assert np.linalg.norm(seen, axis=1).mean() < 10
    assert pa_mpjpe(person.posed.t_world_joint, truth().t_world_joint) < 45
    assert person.keypoints.xy.shape == (17, 2)
    assert person.score > 0.99
    assert person.body.covariance.shape == (24, 3, 3)
    again = found(outputs(coarse=15), kind="DensePose")
    np.testing.assert_array_equal(again.body.R_parent_joint, person.body.R_parent_joint)


def test_maps_of_a_box_lie_where_the_box_is() -> None:
    left, top, size = 250, 130, (800, 600)
    # The photo lies in the middle of the detector's input, which is a square.
    box = np.array([top + 100, left, top + 100 + SIDE, left + SIDE]) / 800
    detector = network(
        {
            "boxes": np.tile(box, (1, 10, 1)),
            "classes": np.zeros((1, 10)),
            "scores": np.full((1, 10), 0.9),
            "count": np.array([1.0]),
        }
    )
    (person,) = Estimator(network(outputs()), detector)(Image.new("RGB", size))
    np.testing.assert_allclose(person.box, (left, top, left + SIDE, top + SIDE), atol=0.01)
    assert person.maps is not None
    part = np.zeros(size[::-1], np.uint8)
    part[top : top + SIDE, left : left + SIDE] = exact().part
    assert (person.maps.part == part).mean() > 0.99


def own() -> dict[str, Array]:
    """Of a crop network of bitpose.train: maps with channels last, and an estimate."""
    maps = {name: x[0] for name, x in outputs().items()}
    model = truth().shaped.model
    xy = pixels(model.keypoints["COCO-17"].positions(truth().vertices())) * CELLS / SIDE
    inside = ((xy > 0) & (xy < CELLS)).all(axis=1)
    row, column = np.indices((CELLS, CELLS)) + 0.5
    away = (row[..., None] - xy[:, 1]) ** 2 + (column[..., None] - xy[:, 0]) ** 2
    return {
        "part": np.moveaxis(maps["fine_segm"], 0, -1)[None],
        "uv": np.moveaxis(np.concatenate([maps["u"][1:], maps["v"][1:]]), 0, -1)[None],
        "heat": (np.maximum(-away / (2 * 1.25**2), -60) * inside)[None],
        "estimate": estimate_of(truth(), 0.2),
    }


def test_networks_of_our_own_say_everything_at_once() -> None:
    none, warm, full = (found(own(), refine=refine) for refine in ("none", "warm", "full"))
    off = [pa_mpjpe(p.posed.t_world_joint, truth().t_world_joint) for p in (none, warm, full)]
    # These are exact, which fits of such networks do not count on.
    assert off[1] < 0.9 * off[0]
    assert off[1] < off[2]
    np.testing.assert_array_equal(warm.maps.part, found(outputs()).maps.part)
    xy = truth().shaped.model.keypoints["COCO-17"].positions(truth().vertices())
    seen = warm.keypoints.score > 0.3
    assert np.flatnonzero(~seen).tolist() == [15, 16]  # The photo ends above the ankles.
    off = np.abs(warm.keypoints.xy - pixels(xy))[seen]
    # At the photo's rim cells around a peak are missing on one side.
    assert off.max() < SIDE / CELLS
    assert np.median(off) < 0.1 * SIDE / CELLS


def test_surface_helps_keypoints() -> None:
    seen = keypoints(noise=4)
    alone, both = found(seen), found(outputs() | seen)
    errors = [pa_mpjpe(p.posed.t_world_joint, truth().t_world_joint) for p in (alone, both)]
    assert errors[1] < 0.8 * errors[0]
    np.testing.assert_array_equal(both.keypoints.xy, alone.keypoints.xy)
    without = found(outputs() | seen, fit_surface=False)
    np.testing.assert_array_equal(without.body.R_parent_joint, alone.body.R_parent_joint)
    assert without.surface is not None


def test_pictures_are_of_the_networks_own_surface(tmp_path: Path) -> None:
    person = found(outputs())
    np.testing.assert_array_equal(person.maps.iuv, person.surface.over(SIDE, SIDE).iuv)
    photo = Image.new("RGB", (SIDE, SIDE))
    write_people([person], photo, tmp_path)
    written = np.asarray(Image.open(tmp_path / "iuv.png"))
    np.testing.assert_array_equal(written, person.maps.iuv)
    drawn = found(keypoints(0))
    write_people([drawn], photo, tmp_path)
    assert (np.asarray(Image.open(tmp_path / "iuv.png")) != written).any()


def test_frames_keep_no_maps() -> None:
    estimator = Estimator(network(outputs()), focal=FOCAL)
    for (person,) in estimator.sequence([Image.new("RGB", (SIDE, SIDE))] * 3):
        assert person.surface is None
        assert person.posed is not None
        assert pa_mpjpe(person.posed.t_world_joint, truth().t_world_joint) < 50


def test_nobody() -> None:
    maps = outputs()
    maps["coarse_segm"] = maps["coarse_segm"][:, ::-1]
    maps["coarse_segm"][:, 0] = 9
    assert Estimator(network(maps))(Image.new("RGB", (SIDE, SIDE))) == []


def test_named_kinds() -> None:
    with pytest.raises(InputError, match="no kind 'HRNet' of networks; there are MoveNet"):
        Estimator(network(keypoints(0)), kind="HRNet")
    with pytest.raises(InputError, match="of kind DensePose does not have the outputs"):
        Estimator(network(keypoints(0)), kind="DensePose")
    with pytest.raises(InputError, match="of kind BodyPix does not have"):
        Estimator(network(keypoints(0)), kind="BodyPix")
    assert found(keypoints(0), kind="MoveNet").body is not None
