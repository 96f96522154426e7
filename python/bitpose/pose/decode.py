# SPDX-License-Identifier: Apache-2.0
"""What known networks expect as input and how their outputs are keypoints.

Every decoder gives points in pixels of the network's input, continuous, x to the right and y down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.pose.photo import Picture, Placement
from bitpose.pose.skeleton import COCO_17, PEM_14, Skeleton

Array = NDArray[Any]
Points = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Keypoints:
    """The keypoints of one person: xy [K, 2] in pixels and score [K]."""

    skeleton: Skeleton
    xy: Points
    score: Points

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
class Pixels:
    """How pixels 0..255 become the numbers of a float input: (pixel - offset) / divisor."""

    bgr: bool = False
    offset: float = 0.0
    divisor: float = 255.0

    def apply(self, picture: Picture, dtype: np.dtype[Any]) -> Array:
        """A picture [H, W, 3] as an input [1, H, W, 3]; integer inputs take the pixels as is."""
        pixels: Array = picture[..., ::-1] if self.bgr else picture
        if dtype.kind == "f":
            pixels = (pixels.astype(np.float32) - np.float32(self.offset)) / np.float32(
                self.divisor
            )
        return np.ascontiguousarray(pixels[None].astype(dtype, copy=False))


@dataclass(frozen=True)
class Convention:
    """A kind of keypoint network.

    `decode(output, height, width)` reads the only output for a network input of that size.
    """

    name: str
    pixels: Pixels
    threshold: float  # Scores below it mean: not seen.
    matches: Callable[[tuple[int, ...]], bool]
    decode: Callable[[Array, int, int], Keypoints]


def decode_movenet(output: Array, height: int, width: int) -> Keypoints:
    """MoveNet single pose: [1, 1, 17, 3] of y, x (fractions of the input) and score."""
    y, x, score = output.reshape(17, 3).astype(np.float32).T
    return Keypoints(COCO_17, np.stack([x * width, y * height], 1).astype(np.float32), score)


def decode_heatmaps(output: Array, height: int, width: int) -> Keypoints:
    """One map per keypoint, [1, h, w, 14]: the largest element, moved a quarter to the neighbour.

    Element (i, j) stands for the input point (i * height / h, j * width / w), as in the training of
    PoseEstimationForMobile. The quarter step (Newell et al. 2016, "Stacked Hourglass Networks")
    goes towards the larger of the two neighbours along each axis.
    """
    _, rows, columns, count = output.shape
    xy = np.empty((count, 2), np.float32)
    score = np.empty(count, np.float32)
    for k in range(count):
        heat = output[0, :, :, k]
        i, j = np.unravel_index(int(np.argmax(heat)), heat.shape)
        score[k] = heat[i, j]
        xy[k] = (
            (j + _quarter(heat[i], int(j))) * width / columns,
            (i + _quarter(heat[:, j], int(i))) * height / rows,
        )
    return Keypoints(PEM_14, xy, score)


def _quarter(line: Array, peak: int) -> float:
    """+0.25 or -0.25 towards the larger neighbour of `peak`, 0 at the ends and between equals."""
    if not 0 < peak < len(line) - 1:
        return 0.0
    return 0.25 * float(np.sign(float(line[peak + 1]) - float(line[peak - 1])))


#: Kinds that are recognised by the shape of their output, first match wins.
CONVENTIONS = (
    Convention(
        "MoveNet", Pixels(), 0.25, lambda shape: shape[-2:] == (17, 3) and len(shape) == 4,
        decode_movenet,
    ),
    Convention(
        "PoseEstimationForMobile", Pixels(bgr=True, divisor=1.0), 0.2,
        lambda shape: len(shape) == 4 and shape[-1] == 14,
        decode_heatmaps,
    ),
)  # fmt: skip


def find_convention(output_shapes: Sequence[tuple[int, ...]]) -> Convention | None:
    """The kind of keypoint network with these outputs, or None."""
    if len(output_shapes) != 1:
        return None
    return next((c for c in CONVENTIONS if c.matches(output_shapes[0])), None)
