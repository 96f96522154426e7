# SPDX-License-Identifier: Apache-2.0
"""The other shared networks on photos, against onnxruntime without graph optimisations.

How far onnxruntime's own optimised run is from that is what the distances are measured by.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

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
#: Networks whose input has free extents, and those that are taken.
SHAPES = {"bodypix_mnv1_050_s16": {"input": [1, 257, 257, 3]}}


def feeds(source: NodeArg, divisor: float) -> Iterator[dict[str, Array]]:
    channels_last = source.shape[3] == 3
    height, width = source.extents[1:3] if channels_last else source.extents[2:4]
    for name in PHOTOS[:3]:
        picture = letterbox(load_photo(shared.image(name)), height, width)[0][None]
        real = picture if source.dtype == np.uint8 else picture.astype(np.float32) / divisor
        x = real if channels_last else real.transpose(0, 3, 1, 2)
        yield {source.name: np.ascontiguousarray(x.astype(source.dtype))}


def results(name: str, divisor: float) -> tuple[Results, Results, Results]:
    """Outputs of the reference, of bitpose and of optimised onnxruntime, each photo by photo."""
    literal, optimised = peers(name)
    ours = InferenceSession(shared.model(name), shapes=SHAPES.get(name))
    (source,) = ours.get_inputs()
    inputs = list(feeds(source, divisor))
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
