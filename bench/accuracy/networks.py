# SPDX-License-Identifier: Apache-2.0
"""The float networks of ../shared/models: what they take, what their outputs mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.accuracy.photos import (
    CALIBRATION,
    SHARED,
    TEST,
    View,
    framings,
    hands,
    persons,
    scenes,
)
from bench.accuracy.tasks import Detections, Mask, PersonKeypoints, Signal, Task
from bitpose.pose.decode import CONVENTIONS
from bitpose.pose.detectors import DETECTORS
from bitpose.pose.feed import Pixels
from bitpose.pose.photo import views


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


def _keypoints(kind: str) -> tuple[PersonKeypoints, Pixels]:
    """The task of a kind of keypoint network that the package knows, and the pixels it takes."""
    known = next(convention for convention in CONVENTIONS if convention.name == kind)
    return PersonKeypoints(known.decode, known.threshold), known.pixels


def _detections(kind: str) -> tuple[Detections, Pixels]:
    known = next(detector for detector in DETECTORS if detector.name == kind)
    return Detections(known.decode, known.threshold, known.most_overlap), known.pixels


def _posing(name: str, kind: str, *more: Task, **shapes: Sequence[int]) -> Network:
    task, pixels = _keypoints(kind)
    return Network(name, (task, *more), pixels, persons, shapes)


def _detecting(name: str, kind: str) -> Network:
    task, pixels = _detections(kind)
    return Network(name, (task,), pixels)


NETWORKS = (
    _posing("EfficientPoseRT_LITE", "EfficientPose Lite"),
    _posing("EfficientPoseRT", "EfficientPose"),
    _posing("pem_hourglass", "PoseEstimationForMobile"),
    _posing("pem_cpm", "PoseEstimationForMobile"),
    _posing(
        "bodypix_mnv1_050_s16",
        "BodyPix",
        Mask(lambda outputs: outputs[6] > 0),
        input=(1, 257, 257, 3),
    ),
    Network("mp_selfie_segmentation_landscape", (Mask(lambda outputs: outputs[0] > 0.5),)),
    _detecting("ultraface_rfb320", "UltraFace"),
    _detecting("fastestdet", "FastestDet"),
    _detecting("nanodet_m_320", "NanoDet"),
    _detecting("kazuhito_person_yolox", "YOLOX"),
    _detecting("yolox_nano", "YOLOX"),
    Network("mp_hand_landmark", (Signal(),), parts=hands),
    Network("tinycnn_cifar10_fp32", (Signal(),)),
)
