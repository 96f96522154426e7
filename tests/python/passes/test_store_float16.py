# SPDX-License-Identifier: Apache-2.0
"""Weights of floats in half the bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bitpose
from bitpose.errors import InputError
from bitpose.ir.graph import Graph
from bitpose.passes.store_float16 import store_float16

from ..onnx.build import model, node
from .build import Draft

WINDOW = {
    **dict.fromkeys(("stride_h", "stride_w", "dilation_h", "dilation_w"), 1),
    **dict.fromkeys(("pad_top", "pad_left", "pad_bottom", "pad_right"), 0),
}
#: Halves and their sums have few digits; a third has all.
EXACT, INEXACT = [0.5, -1.25, 0.0], [1 / 3, 2.0, 0.0]


def layer(*weights: float) -> Graph:
    d = Draft()
    d.input("x", (1, 2, 2, len(weights)))
    d.constant("w", np.reshape(weights, (1, 1, 1, -1)), np.float32)
    d.constant("b", [1 / 3], np.float32)
    d.node("conv2d_f32", "x w b", "y", (1, 2, 2, 1), **WINDOW, fmin=-1.0, fmax=1.0)
    return d.graph("y")


def stored(graph: Graph, lossy: bool) -> NDArray[Any]:
    result = store_float16(graph, lossy=lossy)
    assert result.tensor("b").dtype == np.float32
    data = result.tensor("w").data
    assert data is not None
    return data.reshape(-1)


def test_what_float16_has() -> None:
    """Case 1."""
    assert stored(layer(*EXACT), lossy=False).dtype == np.float16
    assert stored(layer(*EXACT), lossy=False).tolist() == EXACT
    assert stored(layer(*INEXACT), lossy=False).dtype == np.float32
    graph = layer(*INEXACT)
    assert store_float16(graph, lossy=False) is graph


def test_rounds_to_nearest_even() -> None:
    """Case 2."""
    ties = [1 + 2**-11, 1 + 3 * 2**-11, -1 - 2**-11]
    assert stored(layer(*ties), lossy=True).tolist() == [1.0, 1 + 2**-9, -1.0]
    assert stored(layer(65519.9, 1 / 3), lossy=True).dtype == np.float16


@pytest.mark.parametrize("weights", [(65520.0, 1.0), (-1e9,), (1e-5, 1e-7), (np.nan, 0.1)])
def test_what_does_not_suit_stays(weights: tuple[float, ...]) -> None:
    kept = stored(layer(*weights), lossy=True)
    assert kept.dtype == np.float32
    assert kept.tobytes() == np.array(weights, np.float32).tobytes()


def test_what_others_read_stays() -> None:
    graph = layer(*EXACT)
    shared = graph.rebuilt(graph.nodes, outputs=("y", "w"))
    assert stored(shared, lossy=True).dtype == np.float32


def network() -> Any:
    rng = np.random.default_rng(0)
    constants = {
        "w": rng.normal(0, 0.1, (64, 32, 3, 3)).astype(np.float32),
        "d": rng.normal(0, 0.1, (64, 1, 3, 3)).astype(np.float32),
        "t": rng.normal(0, 0.1, (64, 32, 2, 2)).astype(np.float32),
        "m": rng.normal(0, 0.1, (8, 64)).astype(np.float32),
    }
    steps = [
        node("Conv", "x w", "a"),
        node("Conv", "a d", "b", group=64),
        node("ConvTranspose", "b t", "c", strides=[2, 2]),
        node("MatMul", "c m", "y"),
    ]
    return model(steps, {"x": (np.float32, (1, 32, 8, 8))}, ["y"], constants)


def test_networks_have_half_the_bytes() -> None:
    """Rounded weights give what the float32 network with these weights gives, bit by bit."""
    proto = network()
    plain, half = (bitpose.compile(proto, weights=w).to_bytes() for w in (None, "float16"))
    assert len(half) < 0.55 * len(plain)
    for initializer in proto.graph.initializer:
        data = np.frombuffer(initializer.raw_data, np.float32).astype(np.float16)
        initializer.raw_data = data.astype(np.float32).tobytes()
    feed = {"x": np.random.default_rng(1).normal(0, 1, (1, 32, 8, 8)).astype(np.float32)}
    (got,) = bitpose.InferenceSession(half).run(None, feed)
    (expected,) = bitpose.InferenceSession(proto.SerializeToString()).run(None, feed)
    assert got.tobytes() == expected.tobytes()


def test_unknown_option() -> None:
    with pytest.raises(InputError, match="weights 'half'; there are 'float16' and None"):
        bitpose.compile(network(), weights="half")


def test_a_session_lists_them() -> None:
    compiled = bitpose.compile(network(), weights="float16").to_bytes()
    types = [tensor.type for tensor in bitpose.InferenceSession(compiled).get_tensors()]
    assert "tensor(float16)" in types
