# SPDX-License-Identifier: Apache-2.0
"""Whole networks on photos: as near to the model as it stands as optimised onnxruntime is.

The reference is onnxruntime without graph optimisations: floats between quantized tensors. Run as
integers, a network differs from it where a sum of floats falls on the other side of .5, and those
steps grow on their way through the network, in onnxruntime's own optimised runs as in ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.pose.photo import letterbox, load_photo
from bitpose.session import InferenceSession

from . import shared

# ruff: noqa: T201

Array = NDArray[Any]

PHOTOS = (
    "coral_squat.bmp",
    "coral_grace_hopper.bmp",
    *(f"coco/{n}.jpg" for n in ("000000000785", "000000040083", "000000196141", "000000197388")),
)
#: How much farther than optimised onnxruntime the result may be from the reference.
FARTHEST = 1.2


def pictures(height: int, width: int, variants: int) -> Iterator[Array]:
    """Each photo uint8 [1, H, W, 3], then again with 1 % of its values changed by 1."""
    random = np.random.default_rng(0)
    for variant in range(variants):
        for name in PHOTOS:
            picture = letterbox(load_photo(shared.image(name)), height, width)[0].astype(np.int64)
            if variant > 0:
                steps = random.choice([-1, 1], picture.shape)
                picture += steps * (random.random(picture.shape) < 0.01)
            yield np.clip(picture, 0, 255)[None].astype(np.uint8)


def peers(name: str) -> tuple[Any, Any]:
    """onnxruntime without and with graph optimisations."""
    onnxruntime = pytest.importorskip("onnxruntime")
    sessions = []
    for level in ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL"):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        sessions.append(onnxruntime.InferenceSession(str(shared.model(name)), options))
    return sessions[0], sessions[1]


def distances(name: str, variants: int) -> tuple[Array, Array, float]:
    """|ours - reference|, |optimised - reference| of all elements; max(range, max |reference|)."""
    literal, optimised = peers(name)
    ours = InferenceSession(shared.model(name))
    (source,) = ours.get_inputs()
    got: list[Array] = []
    peer: list[Array] = []
    reference: list[Array] = []
    height, width = source.extents[1:3]
    for picture in pictures(height, width, variants):
        feed = {source.name: picture.astype(source.dtype)}
        for results, session in ((reference, literal), (got, ours), (peer, optimised)):
            results.append(session.run(None, feed)[0].astype(np.float64))
    r = np.array(reference)
    span = float(max(np.ptp(r), np.abs(r).max(), 1e-3))
    return np.abs(np.array(got) - r), np.abs(np.array(peer) - r), span


# The keypoints of MoveNet jump between maxima, so its distances need more pictures.
@pytest.mark.parametrize(
    ("name", "variants"), [("mobilenet_v2_quant", 1), ("movenet_lightning_ptq", 10)]
)
def test_quantized_network(name: str, variants: int) -> None:
    ours, peer, _ = distances(name, variants)
    print(f"\n{name}, {len(ours)} pictures, distance to the literal result (mean, max):")
    print(f"  bitpose {ours.mean():.5f} {ours.max():.3f}")
    print(f"  onnxruntime {peer.mean():.5f} {peer.max():.3f}")
    assert ours.mean() <= FARTHEST * peer.mean()
    assert ours.max() <= FARTHEST * peer.max()


def test_float_network() -> None:
    ours, peer, span = distances("pem_cpm", 1)
    print(f"\npem_cpm: error {ours.max() / span:.2e}, onnxruntime's own {peer.max() / span:.2e}")
    assert ours.max() / span <= max(1e-4, 3 * peer.max() / span)
