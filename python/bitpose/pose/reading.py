# SPDX-License-Identifier: Apache-2.0
"""What networks say of one person, and how it is read from their outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bitpose.errors import InputError
from bitpose.pose.body_head import SeenBody, decode_body, is_body
from bitpose.pose.decode import CONVENTIONS, Convention, Keypoints, find_convention
from bitpose.pose.feed import PictureInput, Pixels
from bitpose.pose.photo import Box, Placement, crop, letterbox
from bitpose.pose.skeleton import NOTHING, Skeleton
from bitpose.pose.surface_scores import OwnHeads, SurfaceHeads, SurfaceScores, find_heads
from bitpose.session import InferenceSession

Array = NDArray[Any]

DENSEPOSE = "DensePose"
#: Names of the kinds of networks that look at one person.
KINDS = (*(convention.name for convention in CONVENTIONS), DENSEPOSE)
#: Of networks with DensePose's outputs alone: what detectron2 feeds them, and shows them of a box.
_PIXELS = Pixels(bgr=True, offset=(103.53, 116.28, 123.675), divisor=1.0)
_MARGIN = 1.0
#: Of networks of bitpose.train, such that fits do not spoil what they predict of the body:
#: points of a surface are wrong together, so a hundred of them tell less than a hundred.
OWN_NOISE = (0.05, 0.1)


@dataclass(frozen=True, eq=False)
class Reading:
    """What a network says of one person, in pixels of its input or, placed, of the photo."""

    keypoints: Keypoints
    """None of them where it gives none."""
    threshold: float
    """Keypoints that score less were not seen."""
    body: SeenBody | None = None
    surface: SurfaceScores | None = None
    noise: tuple[float, float] | None = None
    """Standard deviations of keypoints and of points of the surface, as shares of the person's
    extent; None for what fits take for exact networks."""

    def placed(self, placement: Placement) -> Reading:
        """In pixels of the photo."""
        return replace(
            self,
            keypoints=self.keypoints.placed(placement),
            body=None if self.body is None else self.body.placed(placement),
            surface=None if self.surface is None else self.surface.placed(placement),
        )

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """left, top, right, bottom of what was seen; None for nobody."""
        boxes = [self.keypoints.box(self.threshold)]
        if self.surface is not None:
            boxes.append(self.surface.box)
        seen = np.array([box for box in boxes if box is not None])
        if not len(seen):
            return None
        (left, top), (right, bottom) = seen[:, :2].min(axis=0), seen[:, 2:].max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def score(self) -> float:
        """Of somebody who was seen: the mean of the keypoints that were, or that of the surface."""
        seen = self.keypoints.score[self.keypoints.score >= self.threshold]
        if len(seen):
            return float(seen.mean())
        return 0.0 if self.surface is None else self.surface.score


@dataclass(frozen=True, eq=False)
class Sighting:
    """One person in a photo."""

    box: Array
    """[4] pixels: left, top, right, bottom."""
    score: float
    reading: Reading


@dataclass(frozen=True, eq=False)
class PersonNetwork:
    """A network that looks at one person, and which of its outputs say what."""

    session: InferenceSession
    source: PictureInput
    pixels: Pixels
    margin: float
    """Of a person's box, the part of a photo that it sees most in."""
    keypoints: Convention | None
    keypoint_outputs: Sequence[int]
    surface: SurfaceHeads | OwnHeads | None
    body: int | None

    @classmethod
    def of(
        cls, session: InferenceSession, kind: str | None = None, pixels: Pixels | None = None
    ) -> PersonNetwork:
        """Its kind is recognised by its outputs, or is `kind`: one of KINDS. `pixels` is the format
        of its input, if not that which is usual for the kind.

        Raises InputError for a network of no known kind, or not of that kind.
        """
        source = PictureInput.of(session.get_inputs())
        names, shapes = [y.name for y in session.get_outputs()], shapes_of(session)
        if kind is not None and kind not in KINDS:
            raise InputError(f"no kind {kind!r} of networks; there are {', '.join(KINDS)}")
        body = next((i for i, shape in enumerate(shapes) if is_body(shape)), None)
        surface = find_heads(names, shapes)
        taken = {body, *(surface.outputs if surface is not None else ())}
        rest = [i for i in range(len(shapes)) if i not in taken]
        convention = _convention([shapes[i] for i in rest], source, kind)
        if (convention is None and surface is None) or (kind == DENSEPOSE and surface is None):
            raise InputError(
                f"no known kind of keypoint network has the outputs {described(session)}"
                if kind is None
                else f"a network of kind {kind} does not have the outputs {described(session)}"
            )
        usual, margin = (
            (_PIXELS, _MARGIN) if convention is None else (convention.pixels, convention.margin)
        )
        return cls(session, source, pixels or usual, margin, convention, rest, surface, body)

    @property
    def skeleton(self) -> Skeleton:
        """Of the keypoints that it gives."""
        return NOTHING if self.keypoints is None else self.keypoints.skeleton

    def run(self, photo: Image.Image, box: Box | None) -> Reading:
        """Of the person in a box, or in the photo, in pixels of the photo."""
        size = self.source.height, self.source.width
        part, left, top = (
            (photo, 0, 0)
            if box is None
            else crop(photo, box.framed(self.source.width / self.source.height, self.margin))
        )
        picture, placement = letterbox(part, *size)
        outputs = self.session.run(None, self.source.feed(picture, self.pixels))
        return self._read(outputs, *size).placed(placement.shifted(left, top))

    def _read(self, outputs: Sequence[Array], height: int, width: int) -> Reading:
        found, threshold = Keypoints.none(), 0.0
        if self.keypoints is not None:
            threshold = self.keypoints.threshold
            own = [outputs[i] for i in self.keypoint_outputs]
            found = self.keypoints.decode(own, height, width)
        return Reading(
            found,
            threshold,
            None if self.body is None else decode_body(outputs[self.body], height, width),
            None if self.surface is None else self.surface.read(outputs, height, width),
            OWN_NOISE if isinstance(self.surface, OwnHeads) else None,
        )


def _convention(
    shapes: Sequence[tuple[int, ...]], source: PictureInput, kind: str | None
) -> Convention | None:
    """Of outputs that are nothing else."""
    if kind in (None, DENSEPOSE):
        return find_convention(shapes, source.height, source.width)
    named = next(convention for convention in CONVENTIONS if convention.name == kind)
    return named if named.matches(shapes, source.height, source.width) else None


def shapes_of(session: InferenceSession) -> list[tuple[int, ...]]:
    """Of the outputs."""
    return [tuple(y.extents) for y in session.get_outputs()]


def described(session: InferenceSession) -> str:
    """The outputs, for a message."""
    return ", ".join(str(y) for y in session.get_outputs())
