# SPDX-License-Identifier: Apache-2.0
"""Quantized networks as ONNX writes them: QuantizeLinear and DequantizeLinear around floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import NodeProto

from bitpose.errors import InvalidModelError, UnsupportedModelError

from .build import check, dequantize, model, node, operators, parameters, quantize

F = np.float32
X = (1, 6, 8, 8)


def codes(*shape: int, dtype: Any = np.int8) -> NDArray[Any]:
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(2)
    return rng.integers(limits.min, limits.max + 1, shape).astype(dtype)


def input_parameters(dtype: Any, scale: float = 0.1, zero_point: int = 3) -> dict[str, Any]:
    shift = 128 if dtype == np.uint8 else 0
    return parameters("in", scale, zero_point + shift, dtype)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("depthwise", [False, True])
def test_conv(dtype: Any, per_channel: bool, depthwise: bool) -> None:
    """Codes in, codes out; uint8 weights have a zero point of their own."""
    outputs = 6 if depthwise else 4
    scale: Any = np.linspace(0.01, 0.03, outputs) if per_channel else 0.02
    zero = 0 if dtype == np.int8 else 117
    zeros: Any = np.full(outputs, zero) if per_channel else zero
    constants = (
        input_parameters(dtype)
        | parameters("w", scale, zeros, dtype)
        | parameters("b", 0.1 * np.asarray(scale), np.zeros_like(zeros), np.int32)
        | parameters("out", 0.8, 10 if dtype == np.int8 else 138, dtype)
        | {
            "wq": codes(outputs, 1 if depthwise else 6, 3, 3, dtype=dtype),
            "bq": np.arange(outputs, dtype=np.int32) * 300,
        }
    )
    axis = {"axis": 0} if per_channel else {}
    steps = [
        dequantize("x", "xr", "in"),
        dequantize("wq", "wr", "w", **axis),
        dequantize("bq", "br", "b", **axis),
        node("Conv", "xr wr br", "f", pads=[1, 1, 1, 1], group=6 if depthwise else 1),
        node("Relu", "f", "r"),
        quantize("r", "y", "out"),
    ]
    graph = check(model(steps, {"x": (dtype, X)}, ["y"], constants), steps=1)
    name = "dwconv2d_qs8" if depthwise else "conv2d_qs8"
    assert [op for op in operators(graph) if op not in ("lut_x8", "transpose")] == [name]
    attributes = next(n for n in graph.nodes if n.op == name).attributes
    assert (attributes["qmin"], attributes["qmax"]) == (10, 127)


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul"])
@pytest.mark.parametrize("other", [(1, 6, 8, 8), (6, 1, 1)])
def test_binary(op: str, other: tuple[int, ...]) -> None:
    constants = parameters("in", 0.1, 3) | parameters("v", 0.07, -11) | parameters("out", 0.2, 1)
    steps = [
        dequantize("x", "xr", "in"),
        dequantize("v", "vr", "v"),
        node(op, "xr vr", "f"),
        quantize("f", "y", "out"),
    ]
    inputs: Any = {"x": (np.int8, X), "v": (np.int8, other)}
    graph = check(model(steps, inputs, ["y"], constants), steps=1)
    assert operators(graph) == ["mul_qs8" if op == "Mul" else "add_qs8"]


def test_pools_and_resize() -> None:
    constants = parameters("in", 0.1, 3) | parameters("out", 0.12, 1)
    constants["s"] = np.array([1, 1, 2, 3], F)
    steps = [
        dequantize("x", "xr", "in"),
        node("MaxPool", "xr", "m", kernel_shape=[2, 2], strides=[2, 2]),
        quantize("m", "mq", "in"),
        dequantize("mq", "mr", "in"),
        node("AveragePool", "mr", "a", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        quantize("a", "aq", "out"),
        dequantize("aq", "ar", "out"),
        node("Resize", "ar - s", "f", mode="linear"),
        quantize("f", "y", "out"),
    ]
    graph = check(model(steps, {"x": (np.int8, X)}, ["y"], constants), steps=1)
    assert operators(graph) == [
        *("transpose", "maxpool2d_s8", "avgpool2d_qs8", "resize2d_qs8", "transpose")
    ]


MOVED: dict[str, tuple[NodeProto, dict[str, Any], list[str]]] = {
    "reflect": (
        node("Pad", "xr n", "f", mode="reflect"),
        {"n": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64)},
        ["gather", "gather"],
    ),
    "pad": (
        node("Pad", "xr n v", "f"),
        {"n": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), "v": np.array(-0.7, F)},
        ["pad"],
    ),
    "nearest": (
        node("Resize", "xr - n", "f"),
        {"n": np.array([1, 1, 2, 2], F)},
        ["gather", "gather"],
    ),
    "step": (
        node("Slice", "xr n m a s", "f"),
        {"n": [0, 9], "m": [9, -9], "a": [1, 2], "s": [2, -1]},
        ["slice", "slice"],
    ),
    "largest": (node("ReduceMax", "xr", "f", axes=[2, 3]), {}, ["reduce_integer"]),
    "tile": (node("Tile", "xr n", "f"), {"n": [1, 2, 1, 3]}, ["gather", "gather"]),
    "expand": (node("Expand", "xr n", "f"), {"n": [4, 1, 1, 1, 1]}, ["expand"]),
}


@pytest.mark.parametrize("case", MOVED)
def test_moves_keep_codes(case: str) -> None:
    """int8 goes through without DequantizeLinear, also where both sides have one scale."""
    step, constants, expected = MOVED[case]
    constants = {k: np.asarray(v) for k, v in constants.items()} | parameters("in", 0.1, 3)
    steps = [dequantize("x", "xr", "in"), step, quantize("f", "y", "in")]
    graph = check(model(steps, {"x": (np.int8, X)}, ["y"], constants), steps=0)
    assert operators(graph) == expected


def test_uint8_is_selected_by_its_order() -> None:
    """Reductions, TopK and scatters of bytes that no scale describes."""
    steps = [
        node("TopK", "x k", "v i", axis=1),
        node("ScatterElements", "x i v", "y", axis=1, reduction="max"),
        node("ReduceMin", "x one", "m"),
        node("Pad", "m n b", "p"),
    ]
    constants = {
        "k": np.array([2]),
        "one": np.array([1]),
        "n": np.ones(8, np.int64),
        "b": np.array(200, np.uint8),
    }
    inputs: Any = {"x": (np.uint8, (2, 5, 3, 2))}
    check(model(steps, inputs, ["v", "i", "y", "p"], constants, opset=18))


def test_top_k_of_codes() -> None:
    constants = parameters("in", 0.1, 3) | {"k": np.array([2])}
    steps = [dequantize("x", "xr", "in"), node("TopK", "xr k", "v i", axis=1)]
    graph = check(model(steps, {"x": (np.int8, X)}, ["v", "i"], constants))
    assert operators(graph) == ["topk", "gather_elements", "dequantize_qs8_f32"]


def test_dense() -> None:
    """Per-channel weights [K, N] along axis 1 become a convolution's along axis 0."""
    constants = (
        parameters("in", 0.1, 3)
        | parameters("w", np.linspace(0.01, 0.02, 5), np.zeros(5))
        | parameters("out", 0.3, 1)
        | {"wq": codes(7, 5), "c": np.linspace(-3, 3, 5).astype(F)}
    )
    steps = [
        dequantize("x", "xr", "in"),
        dequantize("wq", "wr", "w", axis=1),
        node("Gemm", "xr wr c", "f"),
        quantize("f", "y", "out"),
    ]
    graph = check(model(steps, {"x": (np.int8, (2, 7))}, ["y"], constants), steps=1)
    assert operators(graph) == ["reshape", "conv2d_qs8", "reshape"]


def test_float_weights_are_quantized_as_written() -> None:
    """QuantizeLinear of constants, as quantizers that keep float weights write it."""
    rng = np.random.default_rng(3)
    constants = (
        parameters("in", 0.1, 3)
        | parameters("w", [0.01, 0.02], [0, 0])
        | parameters("out", 0.3, 1)
        | {"wf": rng.normal(0, 1, (2, 6, 1, 1)).astype(F)}
    )
    steps = [
        dequantize("x", "xr", "in"),
        node("QuantizeLinear", "wf w.s w.z", "wq", axis=0),
        dequantize("wq", "wr", "w", axis=0),
        node("Conv", "xr wr", "f"),
        quantize("f", "y", "out"),
    ]
    graph = check(model(steps, {"x": (np.int8, X)}, ["y"], constants), steps=1)
    assert operators(graph) == ["transpose", "conv2d_qs8", "transpose"]


def test_concat_of_two_scales() -> None:
    """Requantization is a table; the operand that has the right scale is only moved."""
    constants = parameters("in", 0.1, 3) | parameters("v", 0.05, 9)
    steps = [
        dequantize("x", "xr", "in"),
        dequantize("v", "vr", "v"),
        node("Concat", "xr vr", "f", axis=1),
        quantize("f", "y", "in"),
    ]
    graph = check(model(steps, {"x": (np.int8, X), "v": (np.int8, X)}, ["y"], constants))
    assert operators(graph) == ["lut_x8", "concat"]


def test_pictures_of_uint8() -> None:
    """A cast to float is a DequantizeLinear with scale 1: normalisation becomes one table."""
    constants = {"m": np.array(127.5, F)} | parameters("out", 1 / 127.5, 0)
    steps = [
        node("Cast", "x", "f", to=1),
        node("Sub", "f m", "a"),
        node("Div", "a m", "b"),
        quantize("b", "y", "out"),
    ]
    graph = check(model(steps, {"x": (np.uint8, X)}, ["y"], constants))
    assert operators(graph) == ["lut_x8"]


def test_what_has_no_integer_form_runs_in_floats() -> None:
    constants = parameters("in", 0.1, 3) | parameters("out", 0.02, 1)
    steps = [
        dequantize("x", "xr", "in"),
        dequantize("v", "vr", "in"),
        node("Div", "xr vr", "f"),
        quantize("f", "y", "out"),
    ]
    inputs: Any = {"x": (np.int8, X), "v": (np.int8, (1,))}
    feed = {"x": codes(*X), "v": np.array([100], np.int8)}
    graph = check(model(steps, inputs, ["y"], constants), feed=feed)
    assert operators(graph) == ["dequantize_qs8_f32"] * 2 + ["binary_f32", "quantize_f32_qs8"]


def test_default_zero_points() -> None:
    steps = [node("QuantizeLinear", "x s", "q"), node("DequantizeLinear", "q s", "y")]
    proto = model(steps, {"x": (F, X)}, ["q", "y"], {"s": np.array(0.03, F)})
    check(proto)


def test_scales_per_channel_of_activations_are_refused() -> None:
    constants = parameters("in", np.full(6, 0.1), np.zeros(6))
    proto = model(
        [node("QuantizeLinear", "x in.s in.z", "y", axis=1)], {"x": (F, X)}, ["y"], constants
    )
    with pytest.raises(UnsupportedModelError, match="one scale per channel; supported: one scale"):
        check(proto)


def test_one_scale_needs_one_zero_point() -> None:
    constants: Any = {"in.s": np.array([0.1], F), "in.z": np.zeros(4, np.int8)}
    proto = model([node("QuantizeLinear", "x in.s in.z", "y")], {"x": (F, X)}, ["y"], constants)
    with pytest.raises(InvalidModelError, match="1 scales and 4 zero points"):
        check(proto)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_scales_must_be_positive(scale: float) -> None:
    proto = model([quantize("x", "y", "in")], {"x": (F, X)}, ["y"], parameters("in", scale, 0))
    with pytest.raises(UnsupportedModelError, match="a scale is not finite and positive"):
        check(proto)
