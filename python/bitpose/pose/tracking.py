# SPDX-License-Identifier: Apache-2.0
"""Who is who from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.pose.assignment import assigned
from bitpose.pose.boxes import overlap
from bitpose.pose.reading import Sighting

Array = NDArray[Any]

#: Two sightings that are less alike, of 1, are of two people.
_ALIKE = 0.2
#: Keypoints this share of a box's longer side apart are alike by exp(-1/2).
_APART = 0.12
#: The share of a track's movement that the last step makes.
_NEWEST = 0.5
#: Steps without a sighting after which a track is taken to move on no more.
_COASTS = 3


def likeness(before: Sighting, step: Array, now: Sighting) -> float:
    """Of somebody who moved by `step` [2] pixels and somebody else, 0 to 1: of their boxes
    (intersection over union), and of the keypoints that both showed.
    """
    box = before.box + np.tile(step, 2)
    boxes = float(overlap(box, now.box[None])[0])
    first, second = before.reading.keypoints, now.reading.keypoints
    seen = (first.score >= before.reading.threshold) & (second.score >= now.reading.threshold)
    if not seen.any():
        return boxes
    sides = np.concatenate([box[2:] - box[:2], now.box[2:] - now.box[:2]])
    apart = np.linalg.norm((first.xy + step - second.xy)[seen], axis=1)
    near = np.exp(-0.5 * (apart / (_APART * max(sides.max(), 1.0))) ** 2)
    return (boxes + float(near.mean())) / 2


@dataclass(frozen=True, eq=False)
class _Track:
    id: int
    last: Sighting
    frame: int
    step: Array
    """[2] pixels that it moves from frame to frame."""

    def likeness(self, sighting: Sighting, frame: int) -> float:
        """Of the track, if it goes on as it did, and somebody in that frame."""
        return likeness(self.last, self.step * min(frame - self.frame, _COASTS), sighting)

    def seen(self, sighting: Sighting, frame: int) -> _Track:
        step = (_middle(sighting) - _middle(self.last)) / (frame - self.frame)
        return _Track(self.id, sighting, frame, (1 - _NEWEST) * self.step + _NEWEST * step)


class Tracker:
    """Gives the people of each frame numbers, which stay theirs: 1 is who was seen first.

    Somebody who is missing for more than `patience` frames and comes back is somebody else.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._tracks: list[_Track] = []
        self._frame = 0
        self._count = 0

    def step(self, people: Sequence[Sighting]) -> list[int]:
        """The numbers of the people of the next frame, the surest of whom come first."""
        self._frame += 1
        tracks = [t for t in self._tracks if self._frame - t.frame <= self._patience + 1]
        alike = np.array([[track.likeness(p, self._frame) for p in people] for track in tracks])
        pairs = assigned(alike.reshape(len(tracks), len(people)), _ALIKE)
        owners = {person: tracks[row] for row, person in pairs}
        ids = []
        for person, sighting in enumerate(people):
            if person in owners:
                track = owners[person].seen(sighting, self._frame)
            else:
                self._count += 1
                track = _Track(self._count, sighting, self._frame, np.zeros(2))
            ids.append(track.id)
            tracks = [t for t in tracks if t.id != track.id] + [track]
        self._tracks = tracks
        return ids


def _middle(sighting: Sighting) -> Array:
    return np.asarray((sighting.box[:2] + sighting.box[2:]) / 2)
