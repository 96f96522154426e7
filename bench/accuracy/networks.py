# SPDX-License-Identifier: Apache-2.0
"""The float networks of ../shared/models: what they take, what their outputs mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.accuracy import boxes
from bench.accuracy.photos import (
    CALIBRATION,
    SHARED,
    TEST,
    Pixels,
    View,
    framings,
    hands,
    persons,
    scenes,
)
from bench.accuracy.tasks import Detections, Mask, Outputs, PersonKeypoints, Signal, Task
from bitpose.pose.decode import Keypoints, decode_heatmaps
from bitpose.pose.photo import views
from bitpose.pose.skeleton import COCO_17, MPII_16

Array = NDArray[Any]


@dataclass(frozen=True)
class Network:
    """A float network with its tasks. `parts` finds what it looks at, if not at whole photos."""

    name: str
    tasks: tuple[Task, ...]
    pixels: Pixels = field(default_factory=Pixels)
    parts: Callable[[tuple[str, ...]], list[View]] | None = None
    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return SHARED / "models" / f"{self.name}.onnx"

    def calibration(self) -> list[View]:
        """Three photos plus parts of them."""
        return scenes(CALIBRATION, views) + (self.parts(CALIBRATION) if self.parts else [])

    def test(self) -> list[View]:
        """The other photos."""
        return self.parts(TEST) if self.parts else scenes(TEST, framings)


def _peaks(scores: Array) -> tuple[Array, Array, Array]:
    """Row, column and value of the largest element of each map [rows, columns, maps]."""
    flat = scores.reshape(-1, scores.shape[-1])
    best = flat.argmax(0)
    rows, columns = np.unravel_index(best, scores.shape[:2])
    return rows, columns, flat.max(0)


def _efficientpose(outputs: Outputs, height: int, width: int) -> Keypoints:
    rows, columns, scores = _peaks(outputs[-1][0])
    return Keypoints(MPII_16, np.stack([columns + 0.5, rows + 0.5], 1).astype(np.float32), scores)


def _pem(outputs: Outputs, height: int, width: int) -> Keypoints:
    return decode_heatmaps(outputs[0], height, width)


def _bodypix(outputs: Outputs, height: int, width: int) -> Keypoints:
    """The best cell of each keypoint and the offset there (y of all keypoints, then x)."""
    heat, offsets = outputs[2][0], outputs[7][0]
    rows, columns, scores = _peaks(heat)
    count = heat.shape[-1]
    shift = offsets[rows, columns].reshape(count, 2, count)[np.arange(count), :, np.arange(count)]
    stride = (height - 1) // (heat.shape[0] - 1)
    xy = np.stack([columns, rows], 1) * stride + shift[:, ::-1]
    return Keypoints(COCO_17, xy.astype(np.float32), np.asarray(boxes.sigmoid(scores), np.float32))


#: ImageNet's pixels.
_IMAGENET = Pixels(mean=(123.675, 116.28, 103.53), deviation=(58.395, 57.12, 57.375))

NETWORKS = (
    Network(
        "EfficientPoseRT_LITE",
        (PersonKeypoints(_efficientpose, 0.3),),
        Pixels(mean=127.5, deviation=127.5),
        parts=persons,
    ),
    Network("EfficientPoseRT", (PersonKeypoints(_efficientpose, 0.3),), _IMAGENET, parts=persons),
    Network(
        "pem_hourglass",
        (PersonKeypoints(_pem, 0.2),),
        Pixels(bgr=True, deviation=1.0),
        parts=persons,
    ),
    Network(
        "pem_cpm", (PersonKeypoints(_pem, 0.2),), Pixels(bgr=True, deviation=1.0), parts=persons
    ),
    Network(
        "bodypix_mnv1_050_s16",
        (PersonKeypoints(_bodypix, 0.3), Mask(lambda outputs: outputs[6] > 0)),
        Pixels(mean=127.5, deviation=127.5),
        parts=persons,
        shapes={"input": (1, 257, 257, 3)},
    ),
    Network("mp_selfie_segmentation_landscape", (Mask(lambda outputs: outputs[0] > 0.5),)),
    Network(
        "ultraface_rfb320",
        (Detections(boxes.decode_ultraface, 0.6),),
        Pixels(mean=127.0, deviation=128.0),
    ),
    Network("fastestdet", (Detections(boxes.decode_fastestdet, 0.5),), Pixels(bgr=True)),
    Network(
        "nanodet_m_320",
        (Detections(boxes.decode_nanodet, 0.35, 0.6),),
        Pixels(bgr=True, mean=(103.53, 116.28, 123.675), deviation=(57.375, 57.12, 58.395)),
    ),
    Network(
        "kazuhito_person_yolox",
        (Detections(boxes.decode_yolox, 0.3),),
        Pixels(bgr=True, deviation=1.0),
    ),
    Network("yolox_nano", (Detections(boxes.decode_yolox, 0.3),), Pixels(bgr=True, deviation=1.0)),
    Network("mp_hand_landmark", (Signal(),), parts=hands),
    Network("tinycnn_cifar10_fp32", (Signal(),)),
)
