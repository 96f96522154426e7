# SPDX-License-Identifier: Apache-2.0
"""Operators that move or select elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import NodeProto

from bitpose.compiler import to_graph
from bitpose.errors import InvalidModelError, UnsupportedModelError

from .build import check, model, node, operators

Array = NDArray[Any]
F = np.float32
SHAPE = (2, 3, 4)


def ints(*values: int) -> Array:
    return np.array(values, np.int64)


CASES: dict[str, tuple[NodeProto, dict[str, Array]]] = {
    "Transpose": (node("Transpose", "x", "y", perm=[1, 2, 0]), {}),
    "Transpose reversed": (node("Transpose", "x", "y"), {}),
    "Reshape": (node("Reshape", "x s", "y"), {"s": ints(0, -1)}),
    "Reshape allowzero": (node("Reshape", "x s", "y", allowzero=1), {"s": ints(4, 6)}),
    "Flatten": (node("Flatten", "x", "y", axis=2), {}),
    "Flatten negative": (node("Flatten", "x", "y", axis=-1), {}),
    "Flatten all": (node("Flatten", "x", "y", axis=3), {}),
    "Unsqueeze": (node("Unsqueeze", "x a", "y"), {"a": ints(0, -1)}),
    "Slice": (
        node("Slice", "x b e a", "y"),
        {"b": ints(1, -3), "e": ints(100, -1), "a": ints(1, -1)},
    ),
    "Slice steps": (
        node("Slice", "x b e - s", "y"),
        {"b": ints(0, 1), "e": ints(2, 3), "s": ints(1, 1)},
    ),
    "Gather one": (node("Gather", "x i", "y", axis=1), {"i": np.array(-1, np.int64)}),
    "Gather run": (node("Gather", "x i", "y", axis=2), {"i": ints(1, 2, 3)}),
    "GatherND": (node("GatherND", "x i", "y"), {"i": np.array([[0, 1], [1, -1]], np.int64)}),
    "Identity": (node("Identity", "x", "y"), {}),
    "Dropout": (node("Dropout", "x", "y"), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_movement(case: str) -> None:
    step, constants = CASES[case]
    check(model([step], {"x": (F, SHAPE)}, ["y"], constants, opset=14), rtol=0, atol=0)


OLD: dict[str, tuple[NodeProto, tuple[int, ...]]] = {
    "Squeeze": (node("Squeeze", "x", "y", axes=[0, -1]), (1, 2, 3, 1)),
    "Squeeze all": (node("Squeeze", "x", "y"), (1, 2, 3, 1)),
    "Unsqueeze": (node("Unsqueeze", "x", "y", axes=[0, 2]), (2, 3)),
    "Slice": (node("Slice", "x", "y", starts=[1], ends=[3], axes=[1]), (2, 3)),
    "Dropout": (node("Dropout", "x", "y", ratio=0.1), (2, 3)),
}


@pytest.mark.parametrize("case", OLD)
def test_attributes_of_old_opsets(case: str) -> None:
    step, shape = OLD[case]
    opset = 9 if case == "Slice" else 11
    check(model([step], {"x": (F, shape)}, ["y"], opset=opset), rtol=0, atol=0)


def test_squeeze() -> None:
    steps = [node("Squeeze", "x a", "b"), node("Squeeze", "x", "c")]
    proto = model(steps, {"x": (F, (1, 2, 1, 3))}, ["b", "c"], {"a": ints(-2)})
    check(proto, rtol=0, atol=0)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concat(axis: int) -> None:
    shapes = [list(SHAPE), list(SHAPE)]
    shapes[1][axis] = 5
    constants = {"c": np.ones(SHAPE, F)}
    inputs: Any = {"x": (F, shapes[0]), "v": (F, shapes[1])}
    graph = check(model([node("Concat", "x v c x", "y", axis=axis)], inputs, ["y"], constants))
    assert operators(graph) == ["concat"]


def test_split() -> None:
    parts = [node("Split", "x s", "a b", axis=-1), node("Split", "x", "c d e", axis=1)]
    proto = model(parts, {"x": (F, SHAPE)}, list("abcde"), {"s": ints(1, 3)})
    assert operators(check(proto, rtol=0, atol=0)) == ["slice"] * 5


def test_split_of_other_opsets() -> None:
    old = [node("Split", "x", "a b", axis=2, split=[3, 1]), node("Split", "x", "c d", axis=0)]
    check(model(old, {"x": (F, SHAPE)}, list("abcd"), opset=11), rtol=0, atol=0)
    new = [node("Split", "x", "a b", axis=1, num_outputs=2)]
    check(model(new, {"x": (F, SHAPE)}, list("ab"), opset=18), rtol=0, atol=0)


def test_shapes_are_constants() -> None:
    """Shape -> Gather -> arithmetic -> Concat -> Reshape, as exporters write it."""
    steps = [
        node("Shape", "x", "s"),
        node("Gather", "s picked", "t"),
        node("Gather", "t zero", "n"),
        node("Unsqueeze", "n zero1", "n1"),
        node("Mul", "n1 two", "m"),
        node("Constant", "", "minus", value_ints=[-1]),
        node("Concat", "m minus", "shape", axis=0),
        node("Reshape", "x shape", "y"),
    ]
    constants = {"zero": np.array(0, np.int64), "zero1": ints(0), "two": ints(2)}
    constants["picked"] = ints(0, 2)
    graph = check(model(steps, {"x": (F, SHAPE)}, ["y"], constants), rtol=0, atol=0)
    assert operators(graph) == ["reshape"]


@pytest.mark.parametrize("opset", [10, 13, 18])
def test_pad_before_conv(opset: int) -> None:
    pads = [0, 0, 1, 0, 0, 0, 0, 2]
    constants: dict[str, Array] = {
        "w": np.random.default_rng(0).normal(0, 1, (4, 3, 3, 3)).astype(F)
    }
    if opset == 10:
        pad = node("Pad", "x", "p", pads=pads)
    elif opset == 13:
        pad = node("Pad", "x n", "p")
        constants["n"] = ints(*pads)
    else:
        pad = node("Pad", "x n - axes", "p")
        constants |= {"n": ints(1, 0, 0, 2), "axes": ints(2, 3)}
    steps = [pad, node("Conv", "p w", "y", pads=[1, 1, 1, 0])]
    graph = check(model(steps, {"x": (F, (1, 3, 6, 5))}, ["y"], constants, opset=opset), rtol=1e-4)
    assert operators(graph) == ["transpose", "conv2d_f32", "transpose"]
    assert graph.nodes[1].attributes["pad_top"] == 2


REFUSED: dict[str, tuple[NodeProto, dict[str, Array], str]] = {
    "steps": (
        node("Slice", "x b e a s", "y"),
        {"b": ints(0), "e": ints(3), "a": ints(1), "s": ints(2)},
        r"steps are \[2\]; supported: steps of 1",
    ),
    "indices": (
        node("Gather", "x i", "y", axis=2),
        {"i": ints(0, 2)},
        r"indices are \[0, 2\]; supported: a scalar or consecutive indices",
    ),
    "batch": (
        node("GatherND", "x i", "y", batch_dims=1),
        {"i": ints(0, 0)[:, None]},
        "batch_dims is 1; supported: batch_dims 0",
    ),
    "mode": (
        node("Pad", "x n", "y", mode="reflect"),
        {"n": ints(0, 0, 1, 0, 0, 1)},
        "mode is 'reflect' with value 0.0; supported: constant zeros",
    ),
    "run time": (node("Reshape", "x i", "y"), {}, "shape is computed at run time"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    step, constants, message = REFUSED[case]
    inputs: Any = {"x": (F, SHAPE)} | ({} if constants else {"i": (np.int64, (1,))})
    with pytest.raises(UnsupportedModelError, match=message):
        check(model([step], inputs, ["y"], constants))


INVALID: dict[str, tuple[NodeProto, dict[str, Array]]] = {
    "perm": (node("Transpose", "x", "y", perm=[0, 0, 1]), {}),
    "shape": (node("Reshape", "x s", "y"), {"s": ints(5, -1)}),
    "axis": (node("Concat", "x x", "y", axis=3), {}),
    "axes": (node("Unsqueeze", "x s", "y"), {"s": ints(0, 0)}),
    "extent": (node("Squeeze", "x s", "y"), {"s": ints(0)}),
    "parts": (node("Split", "x s", "y z", axis=0), {"s": ints(1, 2)}),
    "index": (node("Gather", "x s", "y"), {"s": np.array(2, np.int64)}),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid(case: str) -> None:
    step, constants = INVALID[case]
    with pytest.raises(InvalidModelError, match=f"'{step.op_type} y"):
        to_graph(model([step], {"x": (F, SHAPE)}, ["y"], constants).SerializeToString())
