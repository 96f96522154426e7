# SPDX-License-Identifier: Apache-2.0
"""Ways to see everyone in a photo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from bitpose.pose.feed import Pixels
from bitpose.pose.own_networks import Network, opened
from bitpose.pose.person_detector import PersonDetector
from bitpose.pose.photo import Box
from bitpose.pose.reading import PersonNetwork, Sighting
from bitpose.pose.scene_reader import SceneReader
from bitpose.pose.skeleton import Skeleton

#: A person who fills less than this of a photo's longer side is looked at again from nearer.
_NEAR_ENOUGH = 0.7


class Seer(Protocol):
    """Sees people."""

    @property
    def skeleton(self) -> Skeleton:
        """Of the keypoints that it gives."""

    def run(self, photo: Image.Image) -> list[Sighting]:
        """Everyone in a photo, the surest first."""


@dataclass(frozen=True, eq=False)
class Detected:
    """Boxes first, then a look into each."""

    detector: PersonDetector
    network: PersonNetwork

    @property
    def skeleton(self) -> Skeleton:
        return self.network.skeleton

    def run(self, photo: Image.Image) -> list[Sighting]:
        boxes = self.detector.run(photo)
        return [
            Sighting(corners, float(score), self.network.run(photo, _box(corners)))
            for corners, score in zip(boxes.corners, boxes.scores, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class Alone:
    """The only person of a photo."""

    network: PersonNetwork

    @property
    def skeleton(self) -> Skeleton:
        return self.network.skeleton

    def run(self, photo: Image.Image) -> list[Sighting]:
        found = self.network.run(photo, None)
        if found.box is not None and _extent(found.box) < _NEAR_ENOUGH * max(photo.size):
            found = self.network.run(photo, _box(found.box))
        return [] if found.box is None else [Sighting(np.array(found.box), found.score, found)]


def find_seer(
    network: Network | None,
    detector: Network | None,
    threads: int,
    threshold: float | None,
    kind: str | None,
    pixels: Pixels | None,
) -> Seer:
    """As `bitpose.Estimator` describes it. Raises InputError for networks of no known kind."""
    person, boxes = opened(network, detector, threads)
    if boxes is not None:
        found = PersonDetector.of(boxes, threshold)
        return Detected(found, PersonNetwork.of(person, kind, pixels))
    return SceneReader.of(person, threshold) or Alone(PersonNetwork.of(person, kind, pixels))


def _extent(corners: Sequence[float]) -> float:
    return max(corners[2] - corners[0], corners[3] - corners[1])


def _box(corners: Iterable[float]) -> Box:
    left, top, right, bottom = map(float, corners)
    return Box(left, top, right - left, bottom - top)
