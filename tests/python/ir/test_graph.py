# SPDX-License-Identifier: Apache-2.0
"""The validator, the printer and elementwise evaluation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bitpose.errors import GraphError
from bitpose.ir.elementwise import convert, dequantize, evaluate, quantize
from bitpose.ir.graph import Graph, Node, Quantization, Tensor
from bitpose.ir.printer import count_operators, print_graph
from bitpose.ir.shapes import broadcast
from bitpose.ir.validate import validate

S8, F32 = np.dtype(np.int8), np.dtype(np.float32)


def good() -> Graph:
    """x -> lut_x8 -> dequantize."""
    q = Quantization(0.5, 3)
    tensors = {
        "x": Tensor("x", S8, (2, 3), q),
        "t": Tensor.constant("t", np.arange(256, dtype=np.uint8)),
        "a": Tensor("a", S8, (2, 3), q),
        "y": Tensor("y", F32, (2, 3)),
    }
    nodes = (
        Node("lut_x8", "first", ("x", "t"), ("a",)),
        Node("dequantize_qs8_f32", "second", ("a",), ("y",)),
    )
    return Graph("net", nodes, tensors, ("x",), ("y",))


def changed_tensor(which: str, **changes: Any) -> Graph:
    graph = good()
    tensors = dict(graph.tensors)
    tensors[which] = replace(tensors[which], **changes)
    return replace(graph, tensors=tensors)


def changed_node(index: int, **changes: Any) -> Graph:
    graph = good()
    nodes = list(graph.nodes)
    nodes[index] = replace(nodes[index], **changes)
    return replace(graph, nodes=tuple(nodes))


BROKEN = {
    "graph output 'z' is never written": replace(good(), outputs=("z",)),
    "reads 'a' before it is written": replace(good(), nodes=good().nodes[::-1]),
    "writes 'x', which has a value already": changed_node(1, outputs=("x",)),
    "writes 'b', of which nothing is known": changed_node(1, outputs=("b",)),
    "listed twice": replace(good(), inputs=("x", "x")),
    "graph input 't' is a constant": replace(good(), inputs=("x", "t")),
    "is an unknown operation": changed_node(1, op="Magic"),
    "has 2 operands": changed_node(1, inputs=("a", "a")),
    "has attributes": changed_node(1, attributes={"axis": 1}),
    "expected int8": changed_tensor("a", dtype=np.dtype(np.int32)),
    "has no scale": changed_tensor("a", quantization=None),
    "has scale -1.0": changed_tensor("a", quantization=Quantization(-1.0, 0)),
    "is no constant": replace(changed_tensor("t", data=None), inputs=("x", "t")),
    "its data differs": changed_tensor("t", shape=(1, 256)),
    r"gives shape \(2, 3\), but 'y' has \(3, 2\)": changed_tensor("y", shape=(3, 2)),
    "is listed as 'y'": changed_tensor("y", name="z"),
}


@pytest.mark.parametrize("message", BROKEN)
def test_validator(message: str) -> None:
    validate(good(), final=True)
    with pytest.raises(GraphError, match=message):
        validate(BROKEN[message])


def test_final_graphs_have_engine_operators() -> None:
    nodes = (Node("Reshape", "r", ("x",), ("a",)), good().nodes[1])
    graph = replace(good(), nodes=nodes)
    validate(graph)
    with pytest.raises(GraphError, match="Reshape 'r': is no operator of the engine"):
        validate(graph, final=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("function", -1), ("function", 2**32), ("function", 1.0), ("function", "Add")],
)
def test_attribute_types(name: str, value: Any) -> None:
    tensors = {x: Tensor(x, F32, (2,)) for x in "aby"}
    node = Node("binary_f32", "n", ("a", "b"), ("y",), {name: value})
    with pytest.raises(GraphError, match=f"attribute {name} is"):
        validate(Graph("net", (node,), tensors, ("a", "b"), ("y",)))


def test_printer() -> None:
    assert print_graph(good()) == (
        "graph 'net'\n"
        "  input x: int8[2,3] scale 0.5 zero point 3\n"
        "  a: int8[2,3] scale 0.5 zero point 3 = lut_x8(x, t=uint8[256])\n"
        "  y: float32[2,3] = dequantize_qs8_f32(a)\n"
        "  output y: float32[2,3]\n"
    )
    assert count_operators(good()) == {"dequantize_qs8_f32": 1, "lut_x8": 1}


def test_broadcast() -> None:
    assert broadcast((2, 1, 3), (4, 1), ()) == (2, 4, 3)
    with pytest.raises(GraphError, match="do not broadcast"):
        broadcast((2, 3), (2,))


def test_integers_as_in_c() -> None:
    a = np.array([7, -7, 7, -7, 5, -(2**31)], np.int32)
    b = np.array([2, 2, -2, -2, 0, -1], np.int32)
    assert evaluate("Div", [a, b], {}).tolist() == [3, -3, -3, 3, 0, -(2**31)]
    assert evaluate("Mul", [a, b], {}).tolist() == [14, -14, -14, 14, 0, -(2**31)]


def test_float_functions_round_once() -> None:
    x = np.array([1 / 3, 1e-45, 3e38, np.nan], np.float32)
    assert evaluate("Mul", [x, x], {}).tolist()[:2] == (x[:2] * x[:2]).tolist()
    assert evaluate("Mul", [x, x], {})[2] == np.inf
    clipped = evaluate("Clip", [x], {"low": 0.5, "high": 1.0})
    np.testing.assert_array_equal(clipped, np.array([0.5, 0.5, 1.0, np.nan], np.float32))


def test_quantize_and_dequantize() -> None:
    x = np.array([[0.25, -0.75, np.nan], [1e30, -1e30, 1.0]], np.float32)
    scale, zero = np.array([0.5, 2.0], np.float32), np.array([1, -1], np.int8)
    codes = quantize(x, scale, zero, -128, 127)
    assert codes.tolist() == [[1, -1, -128], [127, -128, -1]]
    real = dequantize(codes.astype(np.int8), scale, zero)
    assert real.tolist() == [[0.0, -1.0, -64.5], [256.0, -254.0, 0.0]]


def test_convert() -> None:
    x = np.array([1.9, -1.9, np.nan, 3e9, -3e9, np.inf], np.float32)
    limits = [1, -1, 0, 2**31 - 1, -(2**31), 2**31 - 1]
    assert convert(x, np.dtype(np.int32)).tolist() == limits
    assert convert(np.array([2**31 + 5]), np.dtype(np.int32)).tolist() == [-(2**31) + 5]
