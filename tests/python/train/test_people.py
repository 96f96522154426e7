# SPDX-License-Identifier: Apache-2.0
"""People that are made up, and what is said of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.body import BodyModel, default_surface
from bitpose.body.rotations import axis_angle_to_matrix
from bitpose.errors import InputError
from bitpose.train.people import Sample, Studio
from bitpose.train.people.backdrops import Backdrops
from bitpose.train.people.effects import photographed
from bitpose.train.people.poses import Poses, mirrored
from bitpose.train.people.postures import Pose, Rest, composed
from bitpose.train.people.standing import grounded, settling

from .. import shared

Array = NDArray[Any]
SEEDS = range(12)
SIZE = 96


@pytest.fixture(scope="module")
def studio() -> Studio:
    """Without any files."""
    return Studio.load(None, None, "train")


@pytest.fixture(scope="module")
def samples(studio: Studio) -> list[Sample]:
    return [studio.sample(seed, SIZE) for seed in SEEDS]


def test_equal_seeds_give_equal_samples(studio: Studio, samples: list[Sample]) -> None:
    for seed in (3, 7):
        again = Studio.load(None, None, "train").sample(seed, SIZE)
        np.testing.assert_array_equal(again.picture, samples[seed].picture)
        np.testing.assert_array_equal(again.labels.iuv, samples[seed].labels.iuv)
    other = Studio.load(None, None, "test").sample(3, SIZE)
    assert (other.picture != samples[3].picture).any()
    assert studio.sample(3, 64).picture.shape == (64, 64, 3)


def test_some_have_several_people_and_some_one(samples: list[Sample]) -> None:
    assert len({len(sample.labels.people) for sample in samples}) >= 3


def posed(sample: Sample, number: int) -> Array:
    """[7000, 3]: a person's body in the camera's frame, from the labels alone."""
    person = sample.labels.people[number]
    model = BodyModel.load()
    shaped = model.with_shape(person.betas)
    root = shaped.rest_joints[0]
    return shaped.with_pose(person.R_parent_joint, person.translation - root).vertices()


def pixels(sample: Sample, points: Array) -> Array:
    camera = sample.camera
    return points[:, :2] / points[:, 2:] * camera.fx + (camera.cx, camera.cy)


def test_the_surface_lies_where_the_labels_say(samples: list[Sample]) -> None:
    """Part, u and v of each pixel are a point of the body that the camera sees there."""
    surface, model = default_surface.load(), BodyModel.load()
    count = 0
    for sample in samples:
        labels = sample.labels
        assert (labels.person[labels.known] >= 0).all()
        assert ((labels.part > 0) == labels.known).all()
        for number in range(len(labels.people)):
            rows, columns = np.nonzero(labels.known & (labels.person == number))
            if not len(rows):
                continue
            at = rows, columns
            points = surface.charts.locate(labels.part[at], labels.u[at], labels.v[at])
            seen = points.positions(posed(sample, number), model.faces)
            centres = np.stack([columns, rows], 1) + 0.5
            distance = np.linalg.norm(pixels(sample, seen) - centres, axis=1)
            assert np.median(distance) < 0.02
            assert np.quantile(distance, 0.98) < 0.5
            # Clothes are before it.
            off = np.abs(seen[:, 2] - labels.depth[at])
            assert np.median(off) < 0.06
            assert np.quantile(off, 0.9) < 0.3
            count += len(rows)
    assert count > 5000


def test_keypoints_boxes_and_joints(samples: list[Sample]) -> None:
    model = BodyModel.load()
    seen = 0
    for sample in samples:
        for number, person in enumerate(sample.labels.people):
            vertices = posed(sample, number)
            points = model.keypoints["COCO-17"].positions(vertices)
            before = points[:, 2] > 0.1
            expected = pixels(sample, points)
            np.testing.assert_allclose(
                person.keypoints[before, :2], expected[before], atol=1e-2, rtol=1e-4
            )
            inside = before & (expected >= 0).all(axis=1) & (expected < SIZE).all(axis=1)
            np.testing.assert_array_equal(person.keypoints[:, 2] > 0, inside)
            seen += int((person.keypoints[:, 2] == 2).sum())
            np.testing.assert_allclose(person.joints[0], person.translation)
            rows, columns = np.nonzero(sample.labels.person == number)
            if len(rows):
                box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                assert person.box.tolist() == box
            assert 0 <= person.seen <= 1
    assert seen > 60


def test_a_mirror_undoes_itself(studio: Studio) -> None:
    pose = studio.poses.draw(np.random.default_rng(1)).R_parent_joint
    np.testing.assert_allclose(mirrored(mirrored(pose)), pose, atol=1e-12)
    np.testing.assert_allclose(
        pose @ pose.swapaxes(1, 2), np.tile(np.eye(3), (24, 1, 1)), atol=1e-6
    )


def test_people_stand_on_the_ground(studio: Studio) -> None:
    random = np.random.default_rng(5)
    for _ in range(5):
        look = studio.outfits.draw(random)
        person = grounded(look, studio.poses.draw(random), studio.body)
        assert person.bare[:, 1].min() == pytest.approx(0, abs=1e-5)
        assert person.moved(np.array([1.0, 0, 2.0])).joints[0, 2] == person.joints[0, 2] + 2


def test_a_box_settles_on_a_face() -> None:
    """From any tilt up to 0.6 radians, on the face that was nearly down."""
    corners = np.stack(np.meshgrid([-0.5, 0.5], [-0.2, 0.2], [-0.3, 0.3]), -1).reshape(-1, 3)
    random = np.random.default_rng(2)
    for _ in range(20):
        axis = random.normal(0, 1, 3) * (1, 0, 1)
        tilt = axis_angle_to_matrix(axis / np.linalg.norm(axis) * random.uniform(0, 0.35))
        turn = settling(corners @ tilt.T, np.zeros(3))
        lowest = np.sort((corners @ tilt.T @ turn.T)[:, 1])
        assert lowest[3] - lowest[0] < 0.03


def test_who_lies_or_sits_is_borne(studio: Studio) -> None:
    """Seats are below pelvises, and who lies touches the ground at places far apart."""
    random = np.random.default_rng(11)
    rests = set()
    for _ in range(80):
        pose = composed(studio.poses.draw(random).R_parent_joint, random)
        person = grounded(studio.outfits.draw(random), pose, studio.body)
        rests.add(pose.rest)
        assert (person.seat is not None) == (pose.rest is Rest.SEAT)
        if person.seat is not None:
            below = person.joints[0, 1] - person.seat.at[1]
            assert 0.02 < below < 0.3
        posed = studio.body.with_shape(person.look.betas).with_pose(
            person.R_parent_joint, person.translation
        )
        np.testing.assert_allclose(posed.vertices(), person.bare, atol=2e-5)
    assert rests == set(Rest)
    lying = [person_on_the_back(studio, random) for _ in range(10)]
    assert np.median([np.ptp(low[:, [0, 2]], axis=0).max() for low in lying]) > 0.5


def person_on_the_back(studio: Studio, random: np.random.Generator) -> Array:
    """[N, 3]: the vertices within 3 cm of the ground."""
    down = np.tile(np.eye(3), (24, 1, 1))
    down[0] = axis_angle_to_matrix(np.array([-np.pi / 2 + random.normal(0, 0.3), 0, 0]))
    bare = grounded(studio.outfits.draw(random), Pose(down, Rest.GROUND), studio.body).bare
    return np.asarray(bare[bare[:, 1] < 0.03])


def test_a_camera_changes_pictures_but_not_their_extents() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    for seed in range(20):
        taken = photographed(picture, np.random.default_rng(seed))
        assert taken.dtype == np.uint8
        assert taken.shape == picture.shape


def test_splits_are_named() -> None:
    with pytest.raises(InputError, match="train, test"):
        Studio.load(None, None, "validation")


def test_splits_share_no_pose_and_no_scene() -> None:
    file = shared.mocap()
    train, test = Poses.of_motion(file, test=False), Poses.of_motion(file, test=True)
    assert len(train.rotations) > 3 * len(test.rotations) > 0
    assert len(train.categories) > 10
    scenes = shared.scenes()
    drawn = [Backdrops.of_folder(scenes, split) for split in ("train", "test")]
    names = [{*b.panoramas, *b.photos} for b in drawn]
    assert not names[0] & names[1]
    assert len(names[0]) > 60
