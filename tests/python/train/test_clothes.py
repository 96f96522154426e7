# SPDX-License-Identifier: Apache-2.0
"""What made-up people wear: loose layers, and coarser meshes for small people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.body import BodyModel, default_surface
from bitpose.body.wardrobe import Part
from bitpose.render import Drawable, PerspectiveCamera, Surface, Texture, look_at, rasterize
from bitpose.train.people import Studio, layers
from bitpose.train.people.coarse import CELLS, coarsened, level_for
from bitpose.train.people.outfit import Dressed, Outfit
from bitpose.train.people.standing import grounded
from bitpose.train.people.textures import pattern

Array = NDArray[Any]
STANDING = np.tile(np.eye(3), (24, 1, 1))
BETAS = np.zeros(1)


def body_part() -> Part:
    body = BodyModel.load()
    uv = default_surface.load().charts.texture_uv()
    return Part(
        "body", body, Surface(len(body.v_template), body.faces, texture_uv=uv), None, skin=True
    )


def open_edges(faces: Array) -> int:
    """Edges that are not gone along as often one way as the other."""
    a, b = np.concatenate([faces[:, [i, (i + 1) % 3]] for i in range(3)]).astype(np.int64).T
    low, high = np.minimum(a, b), np.maximum(a, b)
    _, edge = np.unique(low * len(faces) * 3 + high, return_inverse=True)
    return int(np.count_nonzero(np.bincount(edge, np.where(a < b, 1, -1))))


def outline(part: Part) -> NDArray[np.bool_]:
    """Seen from ahead."""
    camera = PerspectiveCamera(
        width=160,
        height=160,
        fx=200,
        fy=200,
        T_camera_world=look_at([0, 0, 2.5], [0] * 3, [0, 1, 0]),
    )
    return rasterize([part.drawable(BETAS, STANDING)], camera).mask


@pytest.mark.parametrize("cell", CELLS[1:])
def test_a_coarser_body_is_the_same_body(cell: float) -> None:
    whole = body_part()
    coarse = coarsened(whole, cell)
    assert len(coarse.surface.faces) < 0.9 * len(whole.surface.faces)
    assert open_edges(coarse.surface.faces) == open_edges(whole.surface.faces) == 0
    kept = {tuple(v) for v in whole.model.v_template.tolist()}
    assert all(tuple(v) in kept for v in coarse.model.v_template.tolist())
    masks = outline(whole), outline(coarse)
    differing = (masks[0] != masks[1]).sum() / masks[0].sum()
    assert differing < 2.0 * cell


def test_coarser_faces_keep_to_their_side_of_seams() -> None:
    """Their corners lie on the same charts, since charts are apart in the texture."""
    whole = body_part()
    coarse = coarsened(whole, CELLS[2])
    assert coarse.surface.texture_uv is not None
    extents = np.ptp(coarse.surface.texture_uv, axis=1).max(axis=1)
    assert np.quantile(extents, 0.99) < 0.12


def test_small_people_are_drawn_coarsely() -> None:
    levels = [level_for(pixel) for pixel in (0.0, 0.001, 0.01, 0.1)]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (0, len(CELLS) - 1)


def test_parts_posed_together_are_where_they_are_alone() -> None:
    random = np.random.default_rng(1)
    parts = [body_part(), layers.cut_from_body(layers.upper(random, True), random).part]
    parts.append(layers.skirt(random).part)
    texture = pattern(random)
    drawn = Dressed.of(parts).drawables([Texture(texture)] * 3, [0.5, -1.0], STANDING, (0.1, 0, 2))
    for part, drawable in zip(parts, drawn, strict=True):
        alone = part.drawable([0.5, -1.0], STANDING, (0.1, 0, 2))
        np.testing.assert_allclose(drawable.vertices_world, alone.vertices_world, atol=2e-5)


def test_loose_clothes_change_the_outline() -> None:
    """They lie outside the body, and hide of it what is far from their rims."""
    body = outline(body_part())
    random = np.random.default_rng(3)
    cut = layers.Cut(hem=-0.1, top=0.56, sleeve=0.6, off=0.04, flare=0.02, gap=0.0, legs=False)
    shirt = layers.cut_from_body(cut, random)
    dressed = outline(shirt.part)
    assert (dressed & ~body).sum() > 0.04 * dressed.sum()
    hidden = layers.without(body_part(), shirt.hides)
    assert 0.4 < len(hidden.surface.faces) / len(body_part().surface.faces) < 0.9
    rest = BodyModel.load().v_template
    assert rest[shirt.hides, 1].min() > -0.15
    assert np.abs(rest[shirt.hides, 0]).max() < 0.62


def test_an_open_jacket_shows_what_is_below() -> None:
    random = np.random.default_rng(3)
    cuts = [
        layers.Cut(hem=-0.1, top=0.56, sleeve=0.6, off=0.03, flare=0.0, gap=gap, legs=False)
        for gap in (0.0, 0.06)
    ]
    closed, opened = (outline(layers.cut_from_body(cut, random).part) for cut in cuts)
    middle = slice(75, 85)
    # Their back is behind the opening.
    front = [layers.cut_from_body(cut, np.random.default_rng(3)).part.surface.faces for cut in cuts]
    assert len(front[1]) < len(front[0])
    assert closed[:, middle].sum() >= opened[:, middle].sum()


def test_skirts_follow_both_legs() -> None:
    part = layers.skirt(np.random.default_rng(0)).part
    weights = part.model.skin.to_dense(24)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    left = part.model.v_template[:, 0] > 0.1
    assert (weights[left][:, 1] >= weights[left][:, 2]).all()
    assert open_edges(part.surface.faces) == 2 * 28


def test_everyone_is_dressed_without_any_files() -> None:
    """Of the trunk hardly anything is bare."""
    studio = Studio.load(None, None, "train")
    random = np.random.default_rng(9)
    for _ in range(6):
        look = studio.outfits.draw(random)
        assert isinstance(look.outfit, Outfit)
        names = [part.name for part in look.outfit.parts]
        assert sum(name.startswith("layers/") for name in names) >= 2
        skin = look.outfit.parts[0]
        rest = skin.model.v_template[np.unique(skin.surface.faces)]
        trunk = (np.abs(rest[:, 0]) < 0.12) & (rest[:, 1] > -0.05) & (rest[:, 1] < 0.35)
        assert trunk.sum() < 250
        person = grounded(look, studio.poses.draw(random), studio.body)
        camera = PerspectiveCamera(
            width=32,
            height=32,
            fx=40,
            fy=40,
            T_camera_world=look_at(person.joints[0] + [0, 0, 3], person.joints[0], [0, 1, 0]),
        )
        drawn = person.drawables(camera)
        assert all(isinstance(d, Drawable) for d in drawn)
        fine = look.drawables(person.R_parent_joint, person.translation)
        assert sum(len(d.surface.faces) for d in drawn) < sum(len(d.surface.faces) for d in fine)
