# SPDX-License-Identifier: Apache-2.0
"""Known detectors: what they take, and how their outputs are boxes.

Every decoder gives boxes in pixels of the network's input, continuous, x to the right and y down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.pose.boxes import Boxes
from bitpose.pose.feed import Pixels

Array = NDArray[Any]
Outputs = Sequence[Array]
Shapes = Sequence[tuple[int, ...]]

_STRIDES = (8, 16, 32)


@dataclass(frozen=True)
class Detector:
    """A kind of detector. `person` is the class of people, None for one that finds other things.

    `matches(shapes, height, width)` recognises it by the shapes of its outputs and the extents of
    its input; `decode(outputs, height, width)` reads the outputs. Of boxes that overlap by more
    than `most_overlap` the best stays.
    """

    name: str
    pixels: Pixels
    threshold: float
    matches: Callable[[Shapes, int, int], bool]
    decode: Callable[[Outputs, int, int], Boxes]
    most_overlap: float = 0.5
    person: int | None = 0


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _cells(height: int, width: int, stride: int) -> Array:
    """Column and row of every cell, [cells, 2]."""
    rows, columns = np.mgrid[: height // stride, : width // stride]
    return np.stack([columns, rows], -1).reshape(-1, 2).astype(np.float64)


def _counts(height: int, width: int) -> list[int]:
    """Cells of each stride."""
    return [(height // stride) * (width // stride) for stride in _STRIDES]


def _centred(centre: Array, size: Array) -> Array:
    return np.concatenate([centre - size / 2, centre + size / 2], axis=-1)


def _is_yolox(shapes: Shapes, height: int, width: int) -> bool:
    return (
        len(shapes) == 1
        and len(shapes[0]) == 3
        and shapes[0][1] == sum(_counts(height, width))
        and shapes[0][2] > 5
    )


def decode_yolox(outputs: Outputs, height: int, width: int) -> Boxes:
    """YOLOX (Ge et al. 2021): [1, cells, 5 + classes] of x, y, log w, log h in strides, objectness
    and class scores."""
    (output,) = outputs
    grids = [(_cells(height, width, stride), stride) for stride in _STRIDES]
    origin = np.concatenate([grid for grid, _ in grids])
    stride = np.concatenate([np.full((len(grid), 1), s) for grid, s in grids])
    centre = (output[0, :, :2] + origin) * stride
    size = np.exp(np.minimum(output[0, :, 2:4], 10)) * stride
    scores = output[0, :, 4:5] * output[0, :, 5:]
    return Boxes(_centred(centre, size), scores.max(1), scores.argmax(1))


def _is_nanodet(shapes: Shapes, height: int, width: int) -> bool:
    cells = _counts(height, width)
    return (
        len(shapes) == 6
        and [shape[1:2] for shape in shapes] == [(count,) for count in cells + cells]
        and all(shape[2:] == (32,) for shape in shapes[3:])
    )


def decode_nanodet(outputs: Outputs, height: int, width: int) -> Boxes:
    """NanoDet: per stride class scores [1, cells, classes] and [1, cells, 4 * 8] of distances to
    the four sides, each a distribution over 0..7 strides (Li et al. 2020, Generalized focal
    loss)."""
    parts = []
    for stride, scores, sides in zip(_STRIDES, outputs[:3], outputs[3:], strict=True):
        logits = sides[0].reshape(-1, 4, 8).astype(np.float64)
        share = np.exp(logits - logits.max(-1, keepdims=True))
        reach = (share / share.sum(-1, keepdims=True)) @ np.arange(8) * stride
        centre = (_cells(height, width, stride) + 0.5) * stride
        corners = np.concatenate([centre - reach[:, :2], centre + reach[:, 2:]], axis=1)
        parts.append(Boxes(corners, scores[0].max(1), scores[0].argmax(1)))
    return Boxes.joined(parts)


def _is_fastestdet(shapes: Shapes, height: int, width: int) -> bool:
    return len(shapes) == 1 and len(shapes[0]) == 4 and shapes[0][1:] == (
        85, height // 16, width // 16,
    )  # fmt: skip


def decode_fastestdet(outputs: Outputs, height: int, width: int) -> Boxes:
    """FastestDet: [1, 1 + 4 + classes, rows, columns] of objectness, x, y, w, h and class
    scores."""
    (output,) = outputs
    rows = output.shape[2]
    values = output[0].reshape(output.shape[1], -1).T.astype(np.float64)
    stride = height // rows
    centre = (_cells(height, width, stride) + np.tanh(values[:, 1:3])) * stride
    size = sigmoid(values[:, 3:5]) * (width, height)
    kinds = values[:, 5:]
    scores = values[:, 0] ** 0.6 * kinds.max(1) ** 0.4
    return Boxes(_centred(centre, size), scores, kinds.argmax(1))


def _is_ultraface(shapes: Shapes, height: int, width: int) -> bool:
    return (
        len(shapes) == 2
        and [shape[2:] for shape in shapes] == [(2,), (4,)]
        and shapes[0][1] == shapes[1][1]
    )


def decode_ultraface(outputs: Outputs, height: int, width: int) -> Boxes:
    """Ultra-Light-Fast-Generic-Face-Detector: scores [1, N, 2] of nothing and a face, and corners
    [1, N, 4] as shares of the input."""
    scores, corners = outputs
    return Boxes(
        corners[0].astype(np.float64) * (width, height, width, height),
        scores[0, :, 1],
        np.zeros(len(scores[0]), np.int64),
    )


def _is_ssd(shapes: Shapes, height: int, width: int) -> bool:
    return (
        len(shapes) == 4
        and len(shapes[0]) == 3
        and shapes[0][2] == 4
        and shapes[1] == shapes[2] == shapes[0][:2]
    )


def decode_ssd(outputs: Outputs, height: int, width: int) -> Boxes:
    """TFLite_Detection_PostProcess: top, left, bottom, right [1, N, 4] as shares of the input,
    classes [1, N], scores [1, N], and how many of them count."""
    corners, classes, scores, count = outputs
    n = int(count.reshape(-1)[0])
    box = corners[0, :n].astype(np.float64)[:, [1, 0, 3, 2]] * (width, height, width, height)
    return Boxes(box, scores[0, :n], classes[0, :n].astype(np.int64))


_OWN_STRIDE = 8


def _is_own(shapes: Shapes, height: int, width: int) -> bool:
    cells = height // _OWN_STRIDE, width // _OWN_STRIDE
    return [tuple(shape) for shape in shapes[:2]] == [(1, *cells, 1), (1, *cells, 4)]


def decode_own(outputs: Outputs, height: int, width: int) -> Boxes:
    """Networks of `bitpose.train`: logits [1, h, w, 1] of the middles of boxes, and distances
    [1, h, w, 4] to left, top, right and bottom over the input's longer side. A middle is a cell
    that is likelier than its neighbours (Zhou et al. 2019, CenterNet)."""
    middle, sides = (y[0].astype(np.float64) for y in outputs[:2])
    logits = np.pad(middle[..., 0], 1, constant_values=-np.inf)
    rows, columns = middle.shape[:2]
    around = [logits[i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
    peaks = (middle[..., 0] >= np.max(around, axis=0)).ravel()
    centre = (_cells(height, width, _OWN_STRIDE)[peaks] + 0.5) * _OWN_STRIDE
    reach = sides.reshape(-1, 4)[peaks] * max(height, width)
    corners = np.concatenate([centre - reach[:, :2], centre + reach[:, 2:]], axis=1)
    scores = sigmoid(middle.reshape(-1)[peaks])
    return Boxes(corners, scores, np.zeros(len(scores), np.int64))


#: Kinds that are recognised, first match wins. Classes are COCO's but for faces.
DETECTORS = (
    Detector("YOLOX", Pixels(bgr=True, divisor=1.0), 0.3, _is_yolox, decode_yolox),
    Detector(
        "NanoDet",
        Pixels(True, (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)),
        0.35,
        _is_nanodet,
        decode_nanodet,
        most_overlap=0.6,
    ),
    Detector("FastestDet", Pixels(bgr=True), 0.5, _is_fastestdet, decode_fastestdet),
    Detector("SSD", Pixels(), 0.4, _is_ssd, decode_ssd),
    Detector("bitpose", Pixels(), 0.3, _is_own, decode_own),
    Detector(
        "UltraFace",
        Pixels(offset=127.0, divisor=128.0),
        0.6,
        _is_ultraface,
        decode_ultraface,
        person=None,
    ),
)


def find_detector(shapes: Shapes, height: int, width: int) -> Detector | None:
    """The kind of detector with these outputs and an input of that size, or None."""
    return next((d for d in DETECTORS if d.matches(shapes, height, width)), None)
