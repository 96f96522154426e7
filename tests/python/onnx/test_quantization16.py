# SPDX-License-Identifier: Apache-2.0
"""Quantized networks with 16-bit activations."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import NodeProto, helper

from bitpose.errors import UnsupportedModelError
from bitpose.ir.graph import Graph

from .build import check, dequantize, model, node, operators, parameters, quantize

F = np.float32
X = (1, 6, 8, 8)
CODES: dict[str, Any] = {
    "int8": parameters("in", 0.03, 3),
    "int16": parameters("in", 0.0002, 0, np.int16),
    "uint16": parameters("in", 0.0002, 32768, np.uint16),
}
RESULTS: dict[str, Any] = {
    "int8": parameters("out", 0.06, -7),
    "int16": parameters("out", 0.0003, 0, np.int16),
    "uint16": parameters("out", 0.0003, 30000, np.uint16),
}


def weights(*shape: int, dtype: Any = np.int8) -> NDArray[Any]:
    return np.random.default_rng(3).integers(-127, 128, shape).astype(dtype)


def without_moves(graph: Graph) -> list[str]:
    return [op for op in operators(graph) if op not in ("transpose", "reshape")]


def around(steps: list[NodeProto], constants: dict[str, Any], inputs: Any = None) -> Graph:
    """Compiles xr -> r between a QuantizeLinear of float x and a DequantizeLinear to float y.

    One step of 16 bits decides at ties, where float32 sums of onnxruntime differ.
    """
    inner = [
        quantize("x", "xq", "in"),
        dequantize("xq", "xr", "in"),
        *steps,
        quantize("r", "rq", "out"),
        dequantize("rq", "y", "out"),
    ]
    inputs = inputs or {"x": (F, X)}
    proto = model(inner, inputs, ["y"], constants, opset=21)
    proto.ir_version = 10
    atol = 1.5 * float(constants["out.s"])
    return check(proto, rtol=0, atol=atol)


@pytest.mark.parametrize("target", RESULTS)
@pytest.mark.parametrize("source", CODES)
@pytest.mark.parametrize("group", [1, 2, 6])
def test_conv(source: str, target: str, group: int) -> None:
    constants = CODES[source] | RESULTS[target] | parameters("w", np.full(6, 0.004), [0] * 6)
    constants |= {"wq": weights(6, 6 // group, 3, 3), "b": np.linspace(-1, 1, 6, dtype=F)}
    steps = [
        dequantize("wq", "wr", "w", axis=0),
        node("Conv", "xr wr b", "c", pads=[1, 1, 1, 1], strides=[2, 2], group=group),
        node("Relu", "c", "r"),
    ]
    graph = around(steps, constants)
    conv = (
        ("dw" if group == 6 else "") + "conv2d_qs" + ("8" if source == target == "int8" else "16")
    )
    widened = ["requantize"] if source == "int8" != target else []
    bits = ["8" if source == "int8" else "16", "8" if target == "int8" else "16"]
    assert without_moves(graph) == [
        *(f"quantize_f32_qs{bits[0]}", *widened, conv, f"dequantize_qs{bits[1]}_f32")
    ]


def test_dense() -> None:
    constants = CODES["int16"] | RESULTS["int16"] | parameters("w", 0.004, 0)
    constants |= {"wq": weights(8, 5)}
    steps = [dequantize("wq", "wr", "w"), node("MatMul", "xr wr", "r")]
    assert "conv2d_qs16" in operators(around(steps, constants))


@pytest.mark.parametrize("why", ["zero point", "weights", "bias", "deconvolution"])
def test_what_has_no_kernel_is_computed_in_floats(why: str) -> None:
    constants = CODES["int16"] | RESULTS["int16"] | parameters("w", 0.004, 0)
    constants |= {"wq": weights(6, 6, 3, 3), "b": np.linspace(-1, 1, 6, dtype=F)}
    op = "Conv"
    if why == "zero point":
        constants |= parameters("in", 0.0002, 32000, np.uint16)
    elif why == "weights":
        constants |= parameters("w", 0.00001, 0, np.int16)
        constants["wq"] = weights(6, 6, 3, 3, dtype=np.int16) * np.int16(200)
    elif why == "bias":
        constants["b"] = np.full(6, 1e4, F)
        constants |= parameters("w", 1e-9, 0) | parameters("out", 1.0, 0, np.int16)
    else:
        op = "ConvTranspose"
    steps = [dequantize("wq", "wr", "w"), node(op, "xr wr b", "r", pads=[1, 1, 1, 1])]
    found = without_moves(around(steps, constants))
    assert found == [
        *("quantize_f32_qs16", "dequantize_qs16_f32", f"{'de' * (op != 'Conv')}conv2d_f32"),
        *("quantize_f32_qs16", "dequantize_qs16_f32"),
    ]


@pytest.mark.parametrize("pair", [("int8", "int16"), ("uint16", "int8"), ("int16", "uint16")])
def test_requantize_as_the_floats_do(pair: tuple[str, str]) -> None:
    source, target = pair
    steps = [
        quantize("x", "xq", "in"),
        dequantize("xq", "xr", "in"),
        quantize("xr", "rq", "out"),
        dequantize("rq", "y", "out"),
    ]
    proto = model(steps, {"x": (F, X)}, ["y"], CODES[source] | RESULTS[target], opset=21)
    proto.ir_version = 10
    graph = check(proto, rtol=0, atol=0)
    assert operators(graph)[1] == "requantize"


MOVES = {
    "MaxPool": (node("MaxPool", "xr", "r", kernel_shape=[2, 2]), "maxpool2d_f32"),
    "Pad": (node("Pad", "xr n", "r"), "pad"),
    "Slice": (node("Slice", "xr m k", "r"), "slice"),
    "Concat": (node("Concat", "xr xr", "r", axis=1), "concat"),
    "ReduceMax": (node("ReduceMax", "xr", "r"), "reduce_integer"),
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("dtype", ["int16", "uint16"])
def test_moves_keep_codes(move: str, dtype: str) -> None:
    step, expected = MOVES[move]
    constants = {
        "n": np.array([0, 0, 1, 1, 0, 0, 2, 0]),
        "m": np.array([0, 1]),
        "k": np.array([1, 5]),
    }
    note = {f"out.{key[-1]}": value for key, value in CODES[dtype].items()}
    found = operators(around([step], constants | CODES[dtype] | note))
    if move == "MaxPool":
        assert expected in found
    else:
        assert found == ["quantize_f32_qs16", expected, "dequantize_qs16_f32"]


def test_functions_are_computed_in_floats() -> None:
    constants = CODES["int16"] | RESULTS["int16"]
    steps = [node("Sigmoid", "xr", "s"), node("Add", "s xr", "r")]
    found = operators(around(steps, constants))
    assert found.count("unary_f32") == found.count("binary_f32") == 1


def test_codes_are_inputs_and_outputs() -> None:
    steps = [dequantize("x", "xr", "in"), node("Relu", "xr", "r"), quantize("r", "y", "out")]
    constants = CODES["int16"] | RESULTS["int16"]
    proto = model(steps, {"x": (np.int16, X)}, ["y"], constants, opset=21)
    proto.ir_version = 10
    feed = {"x": weights(*X, dtype=np.int16) * np.int16(250)}
    assert operators(check(proto, feed=feed)) == ["requantize"]


def test_onnxruntimes_domain() -> None:
    """Before opset 21 only onnxruntime's own operators know 16 bits."""
    constants = CODES["uint16"] | RESULTS["int16"]
    constants |= parameters("w", 0.004, 0) | {"wq": weights(6, 6, 3, 3)}
    steps = [
        quantize("x", "xq", "in"),
        dequantize("xq", "xr", "in"),
        dequantize("wq", "wr", "w"),
        node("Conv", "xr wr", "r"),
        quantize("r", "rq", "out"),
        dequantize("rq", "y", "out"),
    ]
    for step in steps:
        step.domain = "com.microsoft" if "quantize" in step.op_type.lower() else ""
    proto = model(steps, {"x": (F, X)}, ["y"], constants)
    proto.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    graph = check(proto, rtol=0, atol=0.00045)
    assert "conv2d_qs16" in operators(graph)


def refused(proto: onnx.ModelProto) -> str:
    with pytest.raises(UnsupportedModelError) as error:
        check(proto)
    return str(error.value)


def test_uint16_has_no_arithmetic() -> None:
    steps = [quantize("x", "q", "in"), node("Cast", "q", "y", to=1)]
    text = refused(model(steps, {"x": (F, X)}, ["y"], CODES["uint16"], opset=21))
    assert "Cast" in text
    assert "uint16 between QuantizeLinear and DequantizeLinear" in text
    text = refused(
        model([dequantize("x", "y", "in")], {"x": (np.uint16, X)}, ["y"], CODES["uint16"])
    )
    assert "it is uint16" in text
