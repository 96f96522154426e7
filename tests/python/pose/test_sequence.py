# SPDX-License-Identifier: Apache-2.0
"""People in rendered sequences."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib as gltf
import pytest
from numpy.typing import NDArray
from PIL import Image

from bitpose.body.model import PosedBody
from bitpose.errors import InputError
from bitpose.metrics.points import acceleration_error, pa_mpjpe
from bitpose.pose.estimate import Estimator
from bitpose.pose.files import write_motions
from bitpose.pose.frames import Frame, Frames
from bitpose.pose.person import Person
from tests.python.pose import stage

Array = NDArray[Any]
FRAMES = 20
#: The detector does not find the second person in these frames.
MISSED = (8, 9, 10)


@cache
def people() -> list[PosedBody]:
    return [stage.moving(FRAMES, 0, -0.9, -0.5), stage.moving(FRAMES, 1, 0.8, 0.5)]


@cache
def frames() -> list[Image.Image]:
    return stage.pictures(people())


@cache
def followed() -> list[list[Person]]:
    finder = stage.Finder([(frame, 1) for frame in MISSED])
    return Estimator(stage.Poser(), finder, focal=stage.FOCAL).sequence(frames(), stage.RATE)


def joints(found: list[list[Person]], number: int) -> Array:
    """[T, 24, 3] of one person."""
    bodies = [p.posed for frame in found for p in frame if p.id == number]
    return np.stack([body.t_world_joint for body in bodies if body is not None])


def test_people_keep_their_numbers() -> None:
    found = followed()
    assert len(found) == FRAMES
    assert [sorted(p.id or 0 for p in frame) for frame in found] == [[1, 2]] * FRAMES
    for person, body in zip((1, 2), people(), strict=True):
        apart = np.linalg.norm(joints(found, person)[:, 0] - body.t_world_joint[:, 0], axis=1)
        assert apart.max() < 0.6


def test_somebody_who_is_missed_stays() -> None:
    for frame, row in enumerate(followed()):
        second = next(person for person in row if person.id == 2)
        assert (second.score == 0) == (frame in MISSED)
        assert row[-1] is second
        if frame in MISSED:
            left, top, right, bottom = second.box
            xy = stage.keypoints(people()[1])[frame]
            xy = xy[:, :2] / xy[:, 2:] * stage.FOCAL + (stage.WIDTH / 2, stage.HEIGHT / 2)
            np.testing.assert_allclose(second.keypoints.xy, xy, atol=12)
            assert not second.keypoints.score.any()
            assert 0 <= left < xy[:, 0].mean() < right <= stage.WIDTH
            assert 0 <= top < xy[:, 1].mean() < bottom <= stage.HEIGHT


def test_motion_is_smoother_and_nearer_than_frames_alone() -> None:
    alone = Estimator(stage.Poser(), stage.Finder(), focal=stage.FOCAL)
    each: list[list[Array]] = [[], []]
    some = 10
    for picture in frames()[:some]:
        found = alone(picture)
        assert len(found) == 2
        for person in found:
            assert person.id is None
            assert person.posed is not None
            right = int(person.box[0] > stage.WIDTH / 2)
            each[right].append(person.posed.t_world_joint)
    for number, (body, single) in enumerate(zip(people(), each, strict=True), 1):
        true, together = body.t_world_joint[:some], joints(followed(), number)[:some]
        assert pa_mpjpe(together, true) < pa_mpjpe(np.stack(single), true)
        assert acceleration_error(together, true) < 0.15 * acceleration_error(
            np.stack(single), true
        )


def test_bodies_of_a_sequence_have_one_shape() -> None:
    rows = [row for frame in followed() for row in frame if row.id == 1]
    for row in rows:
        assert row.body is not None
        assert row.body.shaped is rows[0].body.shaped  # type: ignore[union-attr]
    found = rows[0].as_json()
    assert found["id"] == 1
    assert found["uncertainty"] is None
    assert np.shape(found["joints"]) == (24, 3)


def test_motions_are_written(tmp_path: Path) -> None:
    first, second = write_motions(followed(), stage.RATE, tmp_path)
    assert (first.name, second.name) == ("person1.glb", "person2.glb")
    tree = gltf.GLTF2().load_binary(str(second))
    times = tree.accessors[tree.animations[0].samplers[0].input]
    assert times.count == FRAMES
    assert times.max == [pytest.approx((FRAMES - 1) / stage.RATE)]
    place = joints(followed(), 2)[0, 0] * [1, -1, -1]
    found = next(node for node in tree.nodes if node.name == "pelvis").translation
    np.testing.assert_allclose(found, place, atol=1e-3)


def test_frames_are_not_kept() -> None:
    alive: list[weakref.ref[Image.Image]] = []

    def film() -> Iterator[Image.Image]:
        for picture in frames()[:6]:
            assert sum(ref() is not None for ref in alive) <= 2
            copy = picture.copy()
            alive.append(weakref.ref(copy))
            yield copy

    shown: list[tuple[str, float | None]] = []

    def progress(sequence: Any, description: str, total: float | None) -> Any:
        shown.append((description, total))
        return sequence

    found = Estimator(stage.Poser(), stage.Finder()).sequence(film(), stage.RATE, progress)
    assert [len(row) for row in found] == [2] * 6
    assert shown == [("frames", None), ("people", 2)]


def test_who_is_never_seen_well_has_no_body() -> None:
    few = [picture.copy() for picture in frames()[:3]]
    for picture in few:
        picture.paste((90, 90, 90), (0, 60, stage.WIDTH, stage.HEIGHT))
    for row in Estimator(stage.Poser(), stage.Finder()).sequence(few):
        for person in row:
            seen = np.isfinite(person.keypoints.xy[person.keypoints.score > 0.3]).all(axis=1)
            assert (person.body is None) == (seen.sum() < 4)


def test_pauses_are_no_slow_motion() -> None:
    """A frame that is shown for minutes takes no more time to fit than the longest gap."""
    seconds = [0, 1 / 30, 300, 300 + 1 / 30]

    def read() -> Iterator[Frame]:
        for number, (time, picture) in enumerate(zip(seconds, frames(), strict=False)):
            yield Frame(str(number), time, picture)

    film = Frames(read, stage.RATE, None)
    found = Estimator(stage.Poser(), stage.Finder()).sequence(film)
    assert [[person.id for person in row] for row in found] == [[1, 2]] * 4
    assert all(person.body is not None for row in found for person in row)


def test_one_frame_is_a_sequence() -> None:
    (row,) = Estimator(stage.Poser(), stage.Finder()).sequence(frames()[:1])
    assert [person.id for person in row] == [1, 2]
    assert all(person.body is not None for person in row)


def test_bad_sequences() -> None:
    estimator = Estimator(stage.Poser(), stage.Finder())
    with pytest.raises(InputError, match="there is no frame"):
        estimator.sequence([])
    with pytest.raises(InputError, match="frame 00002 has 10 x 10 pixels, those before it 360 x"):
        estimator.sequence([frames()[0], Image.new("RGB", (10, 10))])
    with pytest.raises(InputError, match="frames_per_second is 0"):
        estimator.sequence(frames(), 0)
