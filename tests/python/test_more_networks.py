# SPDX-License-Identifier: Apache-2.0
"""The other shared networks on photos, against onnxruntime without graph optimisations.

How far onnxruntime's own optimised run is from that is what the distances are measured by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.pose.boxes import overlap
from bitpose.pose.photo import letterbox, load_photo
from bitpose.session import InferenceSession, NodeArg

from . import shared
from .test_whole_networks import FARTHEST, PHOTOS, peers

# ruff: noqa: T201

Array = NDArray[Any]
Results = list[list[Array]]

#: What pixels are divided by.
FLOAT = {
    "EfficientPoseRT": 255,
    "EfficientPoseRT_LITE": 255,
    "bodypix_mnv1_050_s16": 255,
    "fastestdet": 255,
    "kazuhito_person_yolox": 1,
    "mp_hand_landmark": 255,
    "mp_selfie_segmentation_landscape": 255,
    "nanodet_m_320": 255,
    "pem_hourglass": 1,
    "tinycnn_cifar10_fp32": 255,
    "ultraface_rfb320": 128,
    "yolox_nano": 1,
}
#: Detections are compared from this score on.
LEAST_SCORE = 0.3
#: Networks whose input has free extents, and those that are taken.
SHAPES = {"bodypix_mnv1_050_s16": {"input": [1, 257, 257, 3]}}


def feeds(source: NodeArg, divisor: float, photos: Sequence[str]) -> Iterator[dict[str, Array]]:
    channels_last = source.shape[3] == 3
    height, width = source.extents[1:3] if channels_last else source.extents[2:4]
    for name in photos:
        picture = letterbox(load_photo(shared.image(name)), height, width)[0][None]
        real = picture if source.dtype == np.uint8 else picture.astype(np.float32) / divisor
        x = real if channels_last else real.transpose(0, 3, 1, 2)
        yield {source.name: np.ascontiguousarray(x.astype(source.dtype))}


def results(
    name: str, divisor: float, photos: Sequence[str] = PHOTOS[:3]
) -> tuple[Results, Results, Results]:
    """Outputs of the reference, of bitpose and of optimised onnxruntime, each photo by photo."""
    literal, optimised = peers(name)
    ours = InferenceSession(shared.model(name), shapes=SHAPES.get(name))
    (source,) = ours.get_inputs()
    inputs = list(feeds(source, divisor, photos))
    reference, got, peer = (
        [[y.astype(np.float64) for y in session.run(None, feed)] for feed in inputs]
        for session in (literal, ours, optimised)
    )
    return reference, got, peer


def only_output(name: str) -> list[Array]:
    """What `results` gives of a network with one output."""
    return [np.array([output for (output,) in runs]) for runs in results(name, 255)]


@pytest.mark.parametrize("name", FLOAT)
def test_float(name: str) -> None:
    reference, got, peer = results(name, FLOAT[name])
    for i, output in enumerate(zip(*reference, strict=True)):
        r = np.array(output)
        span = max(np.ptp(r), np.abs(r).max(), 1e-3)
        ours, theirs = (
            np.abs(np.array([outputs[i] for outputs in runs]) - r).max() / span
            for runs in (got, peer)
        )
        print(f"\n{name} output {i}: error {ours:.2e}, onnxruntime's own {theirs:.2e}")
        assert ours <= max(1e-4, 3 * theirs)


@pytest.mark.parametrize("name", ["mobilenet_v1_025_128_quant", "tinycnn_cifar10_int8"])
def test_quantized(name: str) -> None:
    reference, got, peer = only_output(name)
    ours, theirs = np.abs(got - reference), np.abs(peer - reference)
    print(f"\n{name}: {ours.mean():.5f} {ours.max():.5f}, onnxruntime {theirs.mean():.5f}")
    assert ours.mean() <= FARTHEST * theirs.mean() + 1e-9
    assert ours.max() <= FARTHEST * theirs.max() + 1e-9


def test_segmentation() -> None:
    """Classes of pixels; where scores are close, onnxruntime's own runs disagree as well."""
    reference, got, peer = only_output("deeplabv3_mnv2_dm05_quant")
    ours, theirs = (np.mean(y != reference) for y in (got, peer))
    print(f"\ndeeplabv3: {ours:.3%} of pixels differ, onnxruntime's own {theirs:.3%}")
    assert ours <= max(1e-4, FARTHEST * theirs)


def _found(picked: list[Array], reference: list[Array]) -> tuple[int, int]:
    """How many of the reference's detections another run has: class, box and score; of how many."""
    (boxes, classes, scores), (r_boxes, r_classes, r_scores) = (
        [output[0] for output in outputs[:3]] for outputs in (picked, reference)
    )
    sure = r_scores >= LEAST_SCORE
    same = (
        (classes == r_classes[:, None])
        & (np.abs(scores - r_scores[:, None]) <= 0.03)
        & (np.array([overlap(box, boxes) for box in r_boxes]) >= 0.9)
    )
    return int(same.any(1)[sure].sum()), int(sure.sum())


def test_detection() -> None:
    """Boxes that suppression leaves; how many they are, a run decides."""
    reference, got, peer = results("ssd_mobilenet_v1_coco_quant", 255, PHOTOS)
    ours, theirs = (
        np.sum([_found(*pair) for pair in zip(runs, reference, strict=True)], 0)
        for runs in (got, peer)
    )
    print(f"\nssd_mobilenet_v1: {ours[0]} of {ours[1]} detections, onnxruntime's own {theirs[0]}")
    assert ours[1] > 40
    assert ours[0] >= theirs[0]
    for run, other in zip(got, reference, strict=True):
        assert [y.shape for y in run] == [y.shape for y in other]
