# SPDX-License-Identifier: Apache-2.0
"""float16 networks are computed in float32, with weights stored as float16."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

import bitpose

from .build import model, node, onnxruntime_outputs

H = np.float16


def network(weights: type[np.generic]) -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    constants = {
        "w": rng.normal(0, 0.2, (16, 8, 3, 3)).astype(H).astype(weights),
        "b": rng.normal(0, 1, 16).astype(H).astype(weights),
    }
    steps = [node("Conv", "x w b", "c"), node("Relu", "c", "y")]
    return model(steps, {"x": (weights, (1, 8, 6, 6))}, ["y"], constants)


def test_compiles_to_the_float32_network() -> None:
    half, single = network(H), network(np.float32)
    session = bitpose.InferenceSession(bitpose.compile(half).to_bytes())
    assert [x.type for x in (*session.get_inputs(), *session.get_outputs())] == [
        "tensor(float)"
    ] * 2
    feed = {"x": np.random.default_rng(1).normal(0, 1, (1, 8, 6, 6)).astype(np.float32)}
    (got,) = session.run(None, feed)
    np.testing.assert_allclose(got, onnxruntime_outputs(single, feed)[0], 1e-5, 1e-5)
    compiled = bitpose.compile(half)
    assert compiled.graph is not None
    assert "float16" in {t.dtype.name for t in compiled.graph.constants()}


def test_casts_and_constants() -> None:
    """A cast to float16 does not round, and typed data is read like raw data."""
    typed = helper.make_tensor("h", onnx.TensorProto.FLOAT16, [2], [1.5, -2.25])
    steps = [
        node("Constant", "", "h", value=typed),
        node("Cast", "x", "a", to=onnx.TensorProto.FLOAT16),
        node("Add", "a h", "s"),
        node("Cast", "s", "y", to=onnx.TensorProto.FLOAT),
    ]
    proto = model(steps, {"x": (np.float32, (2,))}, ["y"])
    raw = model(steps[1:], {"x": (np.float32, (2,))}, ["y"], {"h": numpy_helper.to_array(typed)})
    x = np.array([1 / 3, 7.0], np.float32)
    for each in (proto, raw):
        (y,) = bitpose.InferenceSession(each.SerializeToString()).run(None, {"x": x})
        np.testing.assert_array_equal(y, x + np.array([1.5, -2.25], np.float32))
