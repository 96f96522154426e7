# SPDX-License-Identifier: Apache-2.0
"""Keypoints over a photo."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from bitpose.pose.decode import Keypoints

_OUTLINE = (25, 25, 25)
_OPACITY = 0.9
#: Up to so many pixels a photo is drawn on at _FINE times its size, for smooth edges.
_SMALL = 4_000_000
_FINE = 3


def draw_keypoints(
    photo: Image.Image, people: Sequence[Keypoints], threshold: float
) -> Image.Image:
    """A copy of `photo` with limbs and joints over it.

    `people` are in pixels of the photo. A joint that scores below `threshold` is left out, and so
    is a limb with such an end.
    """
    fine = _FINE if photo.width * photo.height <= _SMALL else 1
    # Magnified without smoothing and shrunk by averaging, pixels that are not drawn on stay as
    # they are.
    size = (photo.width * fine, photo.height * fine)
    canvas = photo.resize(size, Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(canvas)
    for person in people:
        _draw_person(draw, person, threshold, fine, _thickness(photo, person, threshold))
    return Image.blend(photo, canvas.reduce(fine), _OPACITY)


def _thickness(photo: Image.Image, person: Keypoints, threshold: float) -> float:
    """Of a limb, in pixels: by the size of the person, in bounds by that of the photo."""
    longest = max(photo.size)
    box = person.box(threshold)
    extent = max(box[2] - box[0], box[3] - box[1]) if box is not None else 0.0
    return min(max(extent / 60, longest / 320, 1.5), longest / 90 + 1.5)


def _draw_person(
    draw: ImageDraw.ImageDraw, person: Keypoints, threshold: float, fine: int, thickness: float
) -> None:
    points = [(float(x) * fine, float(y) * fine) for x, y in person.xy]
    seen = [bool(s >= threshold) for s in person.score]
    skeleton = person.skeleton
    limbs = [limb for limb in skeleton.limbs if seen[limb.start] and seen[limb.end]]
    line, edge = thickness * fine, max(1.0, 0.25 * thickness) * fine
    for limb in limbs:
        _stroke(draw, points[limb.start], points[limb.end], line + 2 * edge, _OUTLINE)
    for limb in limbs:
        _stroke(draw, points[limb.start], points[limb.end], line, limb.colour)
    for i, point in enumerate(points):
        if seen[i]:
            _disc(draw, point, 0.85 * line + edge, _OUTLINE)
            _disc(draw, point, 0.85 * line, (255, 255, 255))
            _disc(draw, point, 0.55 * line, skeleton.colour(i))


Point = tuple[float, float]


def _stroke(
    draw: ImageDraw.ImageDraw, start: Point, end: Point, width: float, colour: tuple[int, int, int]
) -> None:
    draw.line([start, end], fill=colour, width=max(1, round(width)))
    _disc(draw, start, width / 2, colour)
    _disc(draw, end, width / 2, colour)


def _disc(
    draw: ImageDraw.ImageDraw, centre: Point, radius: float, colour: tuple[int, int, int]
) -> None:
    x, y = centre
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)
