# SPDX-License-Identifier: Apache-2.0
"""What networks say of one person, and how it is read from their outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from bitpose.errors import InputError
from bitpose.pose.body_head import SeenBody, decode_body, is_body
from bitpose.pose.decode import Convention, Keypoints, find_convention
from bitpose.pose.feed import PictureInput
from bitpose.pose.photo import Box, Placement, crop, letterbox
from bitpose.session import InferenceSession

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Reading:
    """What a network says of one person, in pixels of its input or, placed, of the photo."""

    keypoints: Keypoints
    threshold: float
    """Keypoints that score less were not seen."""
    body: SeenBody | None = None

    def placed(self, placement: Placement) -> Reading:
        """In pixels of the photo."""
        return replace(
            self,
            keypoints=self.keypoints.placed(placement),
            body=None if self.body is None else self.body.placed(placement),
        )

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """left, top, right, bottom of what was seen; None for nobody."""
        return self.keypoints.box(self.threshold)

    @property
    def score(self) -> float:
        """Of somebody who was seen: the mean of what was seen."""
        score = self.keypoints.score
        return float(score[score >= self.threshold].mean())


@dataclass(frozen=True, eq=False)
class Sighting:
    """One person in a photo."""

    box: Array
    """[4] pixels: left, top, right, bottom."""
    score: float
    reading: Reading


@dataclass(frozen=True, eq=False)
class PersonNetwork:
    """A network that looks at one person."""

    session: InferenceSession
    source: PictureInput
    kind: Convention
    heads: Sequence[int]
    """Which outputs are those of `kind`."""
    body_head: int | None
    """Which is an estimate of the body."""

    @classmethod
    def of(cls, session: InferenceSession) -> PersonNetwork:
        """Raises InputError for a network of no known kind."""
        source = PictureInput.of(session.get_inputs())
        shapes = shapes_of(session)
        body = next((i for i, shape in enumerate(shapes) if is_body(shape)), None)
        heads = [i for i in range(len(shapes)) if i != body]
        kind = find_convention([shapes[i] for i in heads], source.height, source.width)
        if kind is None:
            raise InputError(
                f"no known kind of keypoint network has the outputs {described(session)}"
            )
        return cls(session, source, kind, heads, body)

    def run(self, photo: Image.Image, box: Box | None) -> Reading:
        """Of the person in a box, or in the photo, in pixels of the photo."""
        size = self.source.height, self.source.width
        part, left, top = (
            (photo, 0, 0)
            if box is None
            else crop(photo, box.framed(self.source.width / self.source.height, self.kind.margin))
        )
        picture, placement = letterbox(part, *size)
        outputs = self.session.run(None, self.source.feed(picture, self.kind.pixels))
        found = self.kind.decode([outputs[i] for i in self.heads], *size)
        body = None if self.body_head is None else decode_body(outputs[self.body_head], *size)
        reading = Reading(found, self.kind.threshold, body)
        return reading.placed(placement.shifted(left, top))


def shapes_of(session: InferenceSession) -> list[tuple[int, ...]]:
    """Of the outputs."""
    return [tuple(y.extents) for y in session.get_outputs()]


def described(session: InferenceSession) -> str:
    """The outputs, for a message."""
    return ", ".join(str(y) for y in session.get_outputs())
