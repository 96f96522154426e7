# SPDX-License-Identifier: Apache-2.0
"""A detector of a user's, and the people it finds in a photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from bitpose.errors import InputError
from bitpose.pose.boxes import Boxes, suppressed
from bitpose.pose.detectors import Detector, find_detector
from bitpose.pose.feed import PictureInput
from bitpose.pose.photo import letterbox
from bitpose.pose.reading import described, shapes_of
from bitpose.session import InferenceSession


@dataclass(frozen=True, eq=False)
class PersonDetector:
    """A network that finds people."""

    session: InferenceSession
    source: PictureInput
    kind: Detector
    threshold: float
    """Least score of a box."""

    @classmethod
    def of(cls, session: InferenceSession, threshold: float | None) -> PersonDetector:
        """With the threshold that is usual for its kind, or another. Raises InputError for a
        network of no known kind, or one that finds no people.
        """
        source = PictureInput.of(session.get_inputs())
        kind = find_detector(shapes_of(session), source.height, source.width)
        if kind is None:
            raise InputError(f"no known kind of detector has the outputs {described(session)}")
        if kind.person is None:
            raise InputError(f"{kind.name} does not find people; give a detector of persons")
        return cls(session, source, kind, kind.threshold if threshold is None else threshold)

    def run(self, photo: Image.Image) -> Boxes:
        """The boxes of people, in pixels of the photo."""
        size = self.source.height, self.source.width
        picture, placement = letterbox(photo, *size)
        outputs = self.session.run(None, self.source.feed(picture, self.kind.pixels))
        found = self.kind.decode(outputs, *size).above(self.threshold)
        people = suppressed(found[found.classes == self.kind.person], self.kind.most_overlap)
        corners = placement.to_photo(people.corners.reshape(-1, 2, 2).astype(np.float32))
        inside = np.clip(corners, 0, photo.size).reshape(-1, 4)
        real = (inside[:, 2:] - inside[:, :2] >= 1).all(axis=1)
        return Boxes(inside, people.scores, people.classes)[real]
