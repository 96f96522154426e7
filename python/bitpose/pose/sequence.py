# SPDX-License-Identifier: Apache-2.0
"""People in the frames of a sequence: seen frame by frame, tracked, and each fitted as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.body.fit import SequenceFit, View, fit_sequence
from bitpose.errors import InputError
from bitpose.pose.bodies import Bodies, enough
from bitpose.pose.frames import Frames
from bitpose.pose.person import Body, Person
from bitpose.pose.reading import Sighting
from bitpose.pose.tracking import Tracker
from bitpose.render import PerspectiveCamera

Array = NDArray[Any]

#: Seconds that somebody may be missing and still be the same.
_PATIENCE = 1.0


class Progress(Protocol):
    """Walks through things and shows how far it is; rich.progress.track is one."""

    def __call__(self, sequence: Iterable[Any], description: str, total: float | None) -> Any: ...


def plain(sequence: Iterable[Any], description: str, total: float | None) -> Iterable[Any]:
    """Progress that shows nothing."""
    return sequence


@dataclass(frozen=True, eq=False)
class _Watched:
    """What was seen of everyone, without pictures."""

    camera: PerspectiveCamera
    ticks: list[int]
    """Of each frame: when it is, in steps of the sequence's usual time between frames."""
    people: list[dict[int, Sighting]]
    """Of each frame, by their numbers, the surest first."""
    views: list[dict[int, View]]
    """What the fitter is told of them."""


def follow(
    frames: Frames,
    see: Callable[[Image.Image], list[Sighting]],
    camera_of: Callable[[Image.Image], PerspectiveCamera],
    bodies: Bodies,
    progress: Progress = plain,
) -> list[list[Person]]:
    """The people of each frame, the surest first. `camera_of` tells that of the first frame, which
    took the others too. Raises InputError for frames of several sizes, or none.
    """
    watched = _watched(frames, see, camera_of, bodies, progress)
    tracks: dict[int, list[int]] = {}
    for frame, people in enumerate(watched.people):
        for number in people:
            tracks.setdefault(number, []).append(frame)
    found: list[dict[int, Person]] = [{} for _ in watched.people]
    for number, shown in progress(tracks.items(), "people", len(tracks)):
        moving = _moving(watched, number, shown, bodies, frames.frames_per_second)
        for frame in range(shown[0], shown[-1] + 1):
            sighting = watched.people[frame].get(number)
            body = moving(frame)
            if sighting is not None:
                found[frame][number] = bodies.person(sighting, watched.camera, body, number)
            elif body is not None:
                found[frame][number] = bodies.missed(watched.camera, body, number)
    return [sorted(people.values(), key=lambda person: -person.score) for people in found]


def _watched(
    frames: Frames,
    see: Callable[[Image.Image], list[Sighting]],
    camera_of: Callable[[Image.Image], PerspectiveCamera],
    bodies: Bodies,
    progress: Progress,
) -> _Watched:
    rate = frames.frames_per_second
    patience = max(2, round(rate * _PATIENCE))
    tracker = Tracker(patience)
    camera: PerspectiveCamera | None = None
    ticks: list[int] = []
    people: list[dict[int, Sighting]] = []
    views: list[dict[int, View]] = []
    total = None if frames.names is None else len(frames.names)
    for frame in progress(frames, "frames", total):
        camera = camera or camera_of(frame.photo)
        if frame.photo.size != (camera.width, camera.height):
            raise InputError(
                f"frame {frame.name} has {frame.photo.width} x {frame.photo.height} pixels, those "
                f"before it {camera.width} x {camera.height}; frames of a sequence have one size"
            )
        whole = see(frame.photo)
        seen = [_without_maps(sighting) for sighting in whole]
        numbers = tracker.step(seen)
        people.append(dict(zip(numbers, seen, strict=True)))
        told = [bodies.view(sighting.reading, camera) for sighting in whole]
        views.append(dict(zip(numbers, told, strict=True)))
        # A frame that is shown for long is a pause, not minutes of motion.
        last = ticks[-1] if ticks else -1
        ticks.append(int(np.clip(round(frame.seconds * rate), last + 1, last + patience)))
    if camera is None:
        raise InputError("there is no frame")
    return _Watched(camera, ticks, people, views)


def _without_maps(sighting: Sighting) -> Sighting:
    """What is kept of each frame."""
    return replace(sighting, reading=replace(sighting.reading, surface=None))


def _moving(
    watched: _Watched, number: int, shown: list[int], bodies: Bodies, rate: float
) -> Callable[[int], Body | None]:
    """The body of one person in each frame from the first to the last that show them; None where
    they never show enough for one.
    """
    start = watched.ticks[shown[0]]
    views: list[list[View]] = [[] for _ in range(watched.ticks[shown[-1]] - start + 1)]
    for frame in shown:
        views[watched.ticks[frame] - start] = [watched.views[frame][number]]
    if not any(enough(view) for at_once in views for view in at_once):
        return lambda frame: None
    fit = fit_sequence(bodies.fitter, views, rate)
    return lambda frame: _body(fit, watched.ticks[frame] - start)


def _body(fit: SequenceFit, tick: int) -> Body:
    return Body(fit.shaped, fit.R_parent_joint[tick], fit.translation[tick])
