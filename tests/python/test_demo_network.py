# SPDX-License-Identifier: Apache-2.0
"""The demo network's bytes, and its quantization with onnxruntime as an independent executor."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import onnx
import pytest

from bitpose.pose.demo_network import build_network, synthetic_pictures
from bitpose.quantize.qdq import Range, activation_codes, activations, quantize, quantize_weights

onnxruntime = pytest.importorskip("onnxruntime")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def test_bytes_are_the_same_everywhere() -> None:
    """The hash covers weights and names. It changes when the network does, and only then."""
    weights = b"".join(t.raw_data for t in build_network().graph.initializer)
    assert sha256(weights) == "5d00396d08a7c1bd"
    assert sha256(synthetic_pictures(2).tobytes()) == "35762887a956256e"


def outputs(model: onnx.ModelProto, names: list[str], picture: np.ndarray[Any, Any]) -> list[Any]:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    known = {y.name for y in model.graph.output}
    copy.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for name in names
        if name not in known
    )
    session = onnxruntime.InferenceSession(copy.SerializeToString())
    return list(session.run(names, {"picture": picture}))


def test_quantized_network_is_close_to_the_float_one() -> None:
    model = build_network()
    names = activations(model)
    pictures = synthetic_pictures(3)
    runs = [outputs(model, names, picture[None]) for picture in pictures]
    ranges = {
        name: Range(min(float(y.min()) for y in ys), max(float(y.max()) for y in ys))
        for name, ys in zip(names, zip(*runs, strict=True), strict=True)
    }
    quantized = quantize(model, ranges)
    (exact,) = outputs(model, ["heatmaps"], pictures[:1])
    (got,) = outputs(quantized, ["heatmaps"], pictures[:1])
    sqnr = 10 * np.log10((exact**2).sum() / ((exact - got) ** 2).sum())
    assert sqnr > 15

    ops = [node.op_type for node in quantized.graph.node]
    assert ops.count("Conv") == [node.op_type for node in model.graph.node].count("Conv")
    codes = {t.name for t in quantized.graph.initializer if t.data_type == onnx.TensorProto.INT8}
    assert "stem.conv.weights:q" in codes
    assert not any(t.name.endswith(".weights") for t in quantized.graph.initializer)


def test_codes_contain_zero_exactly() -> None:
    for low, high in [(0, 6), (-1, 1), (-3, -1), (2, 5), (0, 0)]:
        scale, zero_point = activation_codes(Range(low, high))
        ends = (np.array([-128, 127]) - int(zero_point)) * np.float64(scale)
        assert ends[0] <= min(low, 0) + scale / 2
        assert ends[1] >= max(high, 0) - scale / 2 or high == low == 0


def test_weights_are_symmetric_per_channel() -> None:
    weights = np.array([[[[0.5, -1.0]]], [[[0.0, 0.0]]], [[[2.54, 0.01]]]], np.float32)
    codes, scales = quantize_weights(weights)
    assert codes.dtype == np.int8
    np.testing.assert_array_equal(codes.reshape(3, 2), [[64, -127], [0, 0], [127, 0]])
    np.testing.assert_array_equal(scales, np.array([1 / 127, 1, 2.54 / 127], np.float32))
