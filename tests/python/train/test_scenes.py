# SPDX-License-Identifier: Apache-2.0
"""What stands around made-up people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.render import PerspectiveCamera, look_at, rasterize
from bitpose.train.people import Studio, props, scene
from bitpose.train.people.backdrops import Backdrops, Panorama
from bitpose.train.people.materials import Materials
from bitpose.train.people.postures import Rest
from bitpose.train.people.standing import grounded

from .. import shared

Array = NDArray[Any]


@pytest.mark.parametrize("heading", [0.3, 2.0, np.pi, -2.5])
def test_a_panorama_is_seen_where_its_rays_go(heading: float) -> None:
    """Of one whose colours say the direction, also across its seam."""
    height, width = 256, 512
    row, column = np.mgrid[:height, :width] + 0.5
    azimuth, polar = (column / width - 0.5) * 2 * np.pi, row / height * np.pi
    directions = np.stack(
        [np.sin(polar) * np.sin(azimuth), np.cos(polar), -np.sin(polar) * np.cos(azimuth)], -1
    )
    picture = np.rint(127.5 + 127.5 * directions).astype(np.uint8)
    panorama = Panorama(picture, np.zeros((9, 3), np.float32), np.array([0, 1.0, 0]))
    ahead = np.array([np.sin(heading), 0.2, np.cos(heading)])
    camera = PerspectiveCamera(
        width=60, height=60, fx=50, fy=50, T_camera_world=look_at([0] * 3, ahead, [0, 1, 0])
    )
    x = (np.arange(60) + 0.5 - camera.cx) / camera.fx
    rays = np.stack([*np.meshgrid(x, x), np.ones((60, 60))], -1) @ camera.T_camera_world[:3, :3]
    expected = 127.5 + 127.5 * rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    seen = panorama.behind(camera)
    assert np.abs(seen - expected).max() < 6


def test_things_hide_about_as_many_people_as_they_should() -> None:
    """With and without them, 60 pictures."""
    studio = Studio.load(None, None, "train")
    shares = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        person = grounded(studio.outfits.draw(random), studio.poses.draw(random), studio.body)
        camera = scene.camera_for(person, 64, random)
        things = props.obstacles([person], camera, studio.materials, random)
        own = person.drawables(camera)
        alone, together = rasterize(own, camera), rasterize([*own, *things], camera)
        hidden = alone.mask & (together.item >= len(own))
        shares.append(hidden.sum() / max(1, alone.mask.sum()))
    partly = np.mean(np.array(shares) > 0.05)
    assert 0.2 < partly < 0.6
    assert np.mean(np.array(shares) > 0.9) < 0.1


def test_seats_reach_from_the_ground_to_the_pelvis() -> None:
    studio = Studio.load(None, None, "train")
    random = np.random.default_rng(4)
    found = 0
    while found < 8:
        pose = studio.poses.draw(random)
        if pose.rest is not Rest.SEAT:
            continue
        found += 1
        person = grounded(studio.outfits.draw(random), pose, studio.body)
        assert person.seat is not None
        (seat,) = props.seats([person], studio.materials, random)
        heights = seat.vertices_world[:, 1]
        assert heights.min() == pytest.approx(0, abs=1e-6)
        assert heights.max() >= person.seat.at[1] - 1e-6
        below = np.abs(seat.vertices_world[:, [0, 2]] - person.joints[0, [0, 2]]).max()
        assert below < 2.0


def test_some_pictures_show_the_upper_body_alone() -> None:
    studio = Studio.load(None, None, "train")
    random = np.random.default_rng(8)
    look = studio.outfits.draw(random)
    person = grounded(look, studio.poses.draw(random), studio.body)
    legs = person.joints[[4, 5, 7, 8]]
    outside = 0
    for _ in range(80):
        camera = scene.camera_for(person, 64, random)
        xy, _ = camera.project(legs)
        outside += bool(((xy < 0) | (xy > 64)).any(axis=1).all())
    assert 3 <= outside <= 30


def test_materials_are_kept_and_differ_between_splits() -> None:
    materials = [Materials(Backdrops.made_up(), test) for test in (False, True)]
    first, second = (m.draw(np.random.default_rng(0)).picture for m in materials)
    assert first.shape != second.shape or (first != second).any()
    again = materials[0].draw(np.random.default_rng(0))
    np.testing.assert_array_equal(again.picture, first)
    cut = materials[0].cutout(np.random.default_rng(0))
    assert cut.alpha is not None
    assert 0.1 < (cut.alpha > 0).mean() < 0.95


def test_textures_of_things_are_of_the_split() -> None:
    folders = [Backdrops.of_folder(shared.scenes(), split) for split in ("train", "test")]
    names = [{path.name for path in b.textures} for b in folders]
    assert len(names[0]) > 20
    assert names[1]
    assert not names[0] & names[1]
    assert not any(name.startswith("cloth") for name in names[0] | names[1])


def test_scenes_in_the_public_domain_can_be_had_alone() -> None:
    whole, free = (Backdrops.of_folder(shared.scenes(), "train", cc0=c) for c in (False, True))
    assert set(free.photos) < set(whole.photos)
    assert free.photos
    assert free.panoramas == whole.panoramas
