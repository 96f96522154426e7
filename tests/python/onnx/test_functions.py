# SPDX-License-Identifier: Apache-2.0
"""Models that define functions."""

from __future__ import annotations

import itertools

import numpy as np
import onnx
import pytest
from onnx import FunctionProto, NodeProto, helper

from bitpose.compiler import to_graph
from bitpose.errors import InvalidModelError, UnsupportedModelError

from .build import check, model, node, operators

F = np.float32
DOMAIN = "local"


def call(function: str, x: str, y: str) -> NodeProto:
    return node(function, x, y, domain=DOMAIN)


def function(name: str, nodes: list[NodeProto], opset: int = 13) -> FunctionProto:
    """y = name(x)."""
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_function(DOMAIN, name, ["x"], ["y"], nodes, opsets)


def network(nodes: list[NodeProto], *functions: FunctionProto) -> onnx.ModelProto:
    proto = model(nodes, {"in": (F, (2, 3))}, ["out"])
    proto.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    proto.functions.extend(functions)
    return proto


def test_functions_are_inlined() -> None:
    twice = function("Twice", [call("Once", "x", "t"), call("Once", "t", "y")])
    once = function("Once", [node("Sigmoid", "x", "s"), node("Mul", "x s", "y")])
    graph = check(network([call("Twice", "in", "a"), node("Neg", "a", "out")], twice, once))
    assert operators(graph).count("unary_f32") == 3


def test_circles_are_refused() -> None:
    ring = [function("A", [call("B", "x", "y")]), function("B", [call("A", "x", "y")])]
    with pytest.raises(InvalidModelError, match=r"call each other in a circle: [AB] -> [AB]"):
        to_graph(network([call("A", "in", "out")], *ring).SerializeToString())


def test_explosions_are_refused() -> None:
    """Each function calls the next one ten times: 10^9 nodes in a file of 100."""
    chain = []
    for level in range(9):
        names = ["x", *(f"t{i}" for i in range(9)), "y"]
        calls = [call(f"L{level + 1}", a, b) for a, b in itertools.pairwise(names)]
        chain.append(function(f"L{level}", calls))
    chain.append(function("L9", [node("Neg", "x", "y")]))
    with pytest.raises(InvalidModelError, match="expand to 1000000000 nodes"):
        to_graph(network([call("L0", "in", "out")], *chain).SerializeToString())


def test_deep_nesting_is_refused() -> None:
    chain = [function(f"L{i}", [call(f"L{i + 1}", "x", "y")]) for i in range(70)]
    chain.append(function("L70", [node("Neg", "x", "y")]))
    with pytest.raises(InvalidModelError, match="nested deeper than 64"):
        to_graph(network([call("L0", "in", "out")], *chain).SerializeToString())


def test_another_opset_is_refused() -> None:
    old = function("Old", [node("Clip", "x", "y", min=0.0)], opset=10)
    with pytest.raises(UnsupportedModelError, match="it is of opset 10; supported: that of the"):
        to_graph(network([call("Old", "in", "out")], old).SerializeToString())
