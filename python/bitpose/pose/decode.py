# SPDX-License-Identifier: Apache-2.0
"""Known keypoint networks: what they take, and how their outputs are keypoints.

Every decoder gives points in pixels of the network's input, continuous, x to the right and y down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.pose.feed import IMAGENET, Pixels
from bitpose.pose.photo import MARGIN, Placement
from bitpose.pose.skeleton import COCO_17, MPII_16, NOTHING, PEM_14, Skeleton

Array = NDArray[Any]
Points = NDArray[np.float32]
Outputs = Sequence[Array]
Shapes = Sequence[tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Keypoints:
    """The keypoints of one person: xy [K, 2] in pixels and score [K]."""

    skeleton: Skeleton
    xy: Points
    score: Points

    @classmethod
    def none(cls) -> Keypoints:
        """Of a network that gives none."""
        return cls(NOTHING, np.zeros((0, 2), np.float32), np.zeros(0, np.float32))

    @property
    def rows(self) -> NDArray[np.float32]:
        """[K, 3]: x, y and score."""
        return np.column_stack([self.xy, self.score])

    def placed(self, placement: Placement) -> Keypoints:
        """The same keypoints in pixels of the photo."""
        return Keypoints(self.skeleton, placement.to_photo(self.xy), self.score)

    def box(self, threshold: float = 0.0) -> tuple[float, float, float, float] | None:
        """left, top, right, bottom around the keypoints that score at least `threshold`."""
        xy = self.xy[self.score >= threshold]
        if len(xy) == 0:
            return None
        (left, top), (right, bottom) = xy.min(0), xy.max(0)
        return float(left), float(top), float(right), float(bottom)


@dataclass(frozen=True)
class Convention:
    """A kind of keypoint network, which looks at one person.

    `matches(shapes, height, width)` recognises it by the shapes of its outputs and the extents of
    its input; `decode(outputs, height, width)` reads the outputs.
    """

    name: str
    skeleton: Skeleton
    pixels: Pixels
    threshold: float  # Scores below it mean: not seen.
    matches: Callable[[Shapes, int, int], bool]
    decode: Callable[[Outputs, int, int], Keypoints]
    margin: float  # Of a person's box, the part of a photo that it sees most in.


def decode_movenet(outputs: Outputs, height: int, width: int) -> Keypoints:
    """MoveNet single pose: [1, 1, 17, 3] of y, x (fractions of the input) and score."""
    y, x, score = outputs[0].reshape(17, 3).astype(np.float32).T
    return Keypoints(COCO_17, np.stack([x * width, y * height], 1).astype(np.float32), score)


def decode_pem(outputs: Outputs, height: int, width: int) -> Keypoints:
    """PoseEstimationForMobile: [1, h, w, 14], element (i, j) of which stands for the input point
    (i * height / h, j * width / w), as in its training.
    """
    heat = outputs[0][0]
    cells, score = _peaks(heat)
    rows, columns = heat.shape[:2]
    return Keypoints(PEM_14, _scaled(cells, width / columns, height / rows), score)


def decode_coco_heatmaps(outputs: Outputs, height: int, width: int) -> Keypoints:
    """Heatmaps [1, 17, h, w] of COCO's keypoints (SimpleBaselines, HRNet, ViTPose): the middle of
    the first element stands for the middle of the block of pixels that it covers.
    """
    heat = outputs[0][0].transpose(1, 2, 0)
    cells, score = _peaks(heat)
    rows, columns = heat.shape[:2]
    middle = _scaled(cells + np.float32(0.5), width / columns, height / rows)
    return Keypoints(COCO_17, middle, score)


def decode_own(outputs: Outputs, height: int, width: int) -> Keypoints:
    """Crop networks of `bitpose.train`: logits [1, h, w, 17] of where each of COCO's keypoints is.

    It is at the mean of the likeliest cell and two around it, as surely as it is in one of them.
    """
    logits = np.asarray(outputs[0][0], np.float32)
    rows, columns, count = logits.shape
    shares = np.exp(logits - logits.max(axis=(0, 1)))
    shares /= shares.sum(axis=(0, 1))
    best = shares.reshape(-1, count).argmax(axis=0)
    around = np.arange(-2, 3)
    row = (best // columns)[:, None, None] + around[:, None]
    column = (best % columns)[:, None, None] + around
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    at = np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)
    near = np.where(inside, shares[(*at, np.arange(count)[:, None, None])], 0)
    score = near.sum(axis=(1, 2))
    xy = np.stack([(near * (z + 0.5)).sum(axis=(1, 2)) / score for z in (column, row)], axis=1)
    middle = _scaled(xy.astype(np.float32), width / columns, height / rows)
    return Keypoints(COCO_17, middle, score.astype(np.float32))


def decode_efficientpose(outputs: Outputs, height: int, width: int) -> Keypoints:
    """EfficientPose (Groos et al. 2020): the last output is a map [1, height, width, 16] of MPII's
    keypoints as large as the input.
    """
    cells, score = _peaks(outputs[-1][0], step=0.0)
    return Keypoints(MPII_16, cells + np.float32(0.5), score)


def decode_bodypix(outputs: Outputs, height: int, width: int) -> Keypoints:
    """BodyPix (Papandreou et al. 2018, PersonLab): the best cell of heatmaps [1, h, w, 17] and what
    offsets [1, h, w, 34] say there, y of all keypoints and then x.
    """
    heat = next(x[0] for x in outputs if x.shape[-1] == 17)
    # The long offsets have as many channels; they come first.
    offsets = [x[0] for x in outputs if x.shape[-1] == 34][-1]
    cells, score = _peaks(heat, step=0.0)
    columns, rows = cells.astype(np.int64).T
    every = np.arange(len(score))
    shift = offsets[rows, columns].reshape(-1, 2, len(score))[every, :, every]
    stride = (height - 1) // (heat.shape[0] - 1)
    xy = (cells * stride + shift[:, ::-1]).astype(np.float32)
    return Keypoints(COCO_17, xy, np.asarray(1 / (1 + np.exp(-score)), np.float32))


def decode_simcc(outputs: Outputs, height: int, width: int) -> Keypoints:
    """SimCC (Li et al. 2022; RTMPose): for each keypoint a line of x [1, 17, w] and a line of y
    [1, 17, h], some elements a pixel; the score is the lower of the two peaks.
    """
    lines = [x[0].astype(np.float32) for x in outputs]
    peaks = np.stack([line.argmax(axis=1) for line in lines], 1).astype(np.float32)
    score = np.minimum(lines[0].max(axis=1), lines[1].max(axis=1))
    scales = width / lines[0].shape[1], height / lines[1].shape[1]
    return Keypoints(COCO_17, _scaled(peaks + np.float32(0.5), *scales), score)


def _scaled(xy: Points, x: float, y: float) -> Points:
    return np.asarray(xy * np.array([x, y], np.float32))


def _peaks(heat: Array, step: float = 0.25) -> tuple[Points, NDArray[np.float32]]:
    """Column and row of the largest element of each map [h, w, K], and its value.

    A `step` goes towards the larger of the two neighbours along each axis (Newell et al. 2016,
    "Stacked Hourglass Networks").
    """
    rows, columns, count = heat.shape
    flat = heat.reshape(-1, count)
    i, j = np.unravel_index(flat.argmax(axis=0), (rows, columns))
    k = np.arange(count)

    def shift(ahead: Array, behind: Array, at: NDArray[np.intp], most: int) -> Array:
        inside = (at > 0) & (at < most - 1)
        return np.where(inside, step * np.sign(ahead.astype(np.float64) - behind), 0.0)

    x = j + shift(
        heat[i, np.minimum(j + 1, columns - 1), k], heat[i, np.maximum(j - 1, 0), k], j, columns
    )
    y = i + shift(
        heat[np.minimum(i + 1, rows - 1), j, k], heat[np.maximum(i - 1, 0), j, k], i, rows
    )
    return np.stack([x, y], 1).astype(np.float32), heat[i, j, k].astype(np.float32)


def _is_movenet(shapes: Shapes, height: int, width: int) -> bool:
    return list(shapes) == [(1, 1, 17, 3)]


def _is_pem(shapes: Shapes, height: int, width: int) -> bool:
    return len(shapes) == 1 and len(shapes[0]) == 4 and shapes[0][3] == 14


def _is_efficientpose(shapes: Shapes, height: int, width: int) -> bool:
    return len(shapes) in (1, 4) and shapes[-1] == (1, height, width, 16)


def _is_bodypix(shapes: Shapes, height: int, width: int) -> bool:
    channels = [shape[-1] for shape in shapes if len(shape) == 4]
    return len(channels) >= 4 and channels.count(34) in (1, 2) and 17 in channels


def _is_coco_heatmaps(shapes: Shapes, height: int, width: int) -> bool:
    return len(shapes) == 1 and len(shapes[0]) == 4 and shapes[0][:2] == (1, 17)


def _is_own(shapes: Shapes, height: int, width: int) -> bool:
    return len(shapes) == 1 and len(shapes[0]) == 4 and shapes[0][::3] == (1, 17)


def _is_simcc(shapes: Shapes, height: int, width: int) -> bool:
    return (
        len(shapes) == 2
        and all(len(shape) == 3 and shape[:2] == (1, 17) for shape in shapes)
        and shapes[0][2] * height == shapes[1][2] * width
    )


_HALF = Pixels(offset=127.5, divisor=127.5)
#: Kinds that are recognised, first match wins.
CONVENTIONS = (
    Convention("MoveNet", COCO_17, Pixels(), 0.25, _is_movenet, decode_movenet, 1.0),
    Convention(
        "PoseEstimationForMobile",
        PEM_14,
        Pixels(bgr=True, divisor=1.0),
        0.2,
        _is_pem,
        decode_pem,
        1.12,
    ),
    Convention(
        "EfficientPose Lite",
        MPII_16,
        _HALF,
        0.3,
        lambda shapes, *size: len(shapes) == 1 and _is_efficientpose(shapes, *size),
        decode_efficientpose,
        1.12,
    ),
    Convention(
        "EfficientPose", MPII_16, IMAGENET, 0.3, _is_efficientpose, decode_efficientpose, 1.12
    ),
    Convention("BodyPix", COCO_17, _HALF, 0.3, _is_bodypix, decode_bodypix, 1.0),
    # As in their training.
    Convention(
        "COCO heatmaps", COCO_17, IMAGENET, 0.3, _is_coco_heatmaps, decode_coco_heatmaps, 1.25
    ),
    Convention("bitpose", COCO_17, Pixels(divisor=1.0), 0.3, _is_own, decode_own, MARGIN),
    Convention("SimCC", COCO_17, IMAGENET, 0.3, _is_simcc, decode_simcc, 1.25),
)


def find_convention(shapes: Shapes, height: int, width: int) -> Convention | None:
    """The kind of keypoint network with these outputs and an input of that size, or None."""
    return next((c for c in CONVENTIONS if c.matches(shapes, height, width)), None)
