# SPDX-License-Identifier: Apache-2.0
"""Operators that move or select elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import NodeProto, numpy_helper

from bitpose.compiler import to_graph
from bitpose.errors import InvalidModelError, UnsupportedModelError
from bitpose.ir.reference import run

from .build import check, model, node, operators, random_feed

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
    "Slice far steps": (
        node("Slice", "x b e a s", "y"),
        {"b": ints(0, 100), "e": ints(9, -100), "a": ints(2, 1), "s": ints(2, -2)},
    ),
    "Expand": (node("Expand", "x s", "y"), {"s": ints(5, 1, 3, 1)}),
    "Tile": (node("Tile", "x s", "y"), {"s": ints(2, 1, 3)}),
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


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
@pytest.mark.parametrize("dtype", [F, np.int8])
def test_depth_to_space(dtype: type[np.generic], mode: str) -> None:
    step = node("DepthToSpace", "x", "y", blocksize=2, mode=mode)
    check(model([step], {"x": (dtype, (2, 12, 3, 4))}, ["y"]), rtol=0, atol=0)


def test_space_to_depth() -> None:
    step = node("SpaceToDepth", "x", "y", blocksize=2)
    check(model([step], {"x": (F, (2, 3, 6, 4))}, ["y"]), rtol=0, atol=0)


def test_depth_to_space_between_convolutions_is_one_transpose() -> None:
    constants = {"w": np.ones((8, 2, 1, 1), F), "v": np.ones((1, 2, 1, 1), F)}
    steps = [
        node("Conv", "x w", "a"),
        node("DepthToSpace", "a", "b", blocksize=2),
        node("Conv", "b v", "y"),
    ]
    graph = check(model(steps, {"x": (F, (1, 2, 5, 4))}, ["y"], constants), rtol=1e-4, atol=1e-4)
    assert operators(graph) == [
        *("transpose", "conv2d_f32", "reshape", "transpose", "reshape", "conv2d_f32", "reshape")
    ]


def test_center_crop_pad() -> None:
    step = node("CenterCropPad", "x s", "y", axes=[0, 2])
    proto = model([step], {"x": (F, (4, 3, 6))}, ["y"], {"s": ints(7, 3)}, opset=18)
    feed = random_feed(proto)
    padded = np.pad(feed["x"], ((1, 2), (0, 0), (0, 0)))[:, :, 1:4]
    graph = to_graph(proto.SerializeToString())
    np.testing.assert_array_equal(run(graph, feed)["y"], padded)


def test_constants_that_are_made() -> None:
    """ConstantOfShape, Range, EyeLike, Size, NonZero, Unique."""
    steps = [
        node("ConstantOfShape", "s", "ones", value=numpy_helper.from_array(np.ones(1, F))),
        node("Range", "zero three half", "line"),
        node("EyeLike", "ones", "eye", k=1),
        node("Size", "x", "size"),
        node("NonZero", "eye", "where"),
        node("Unique", "mixed", "u first inverse counts", sorted=0),
        node("Add", "x ones", "a"),
        node("Mul", "a eye", "b"),
    ]
    constants = {
        "s": ints(2, 3),
        "zero": np.array(0, F),
        "three": np.array(3, F),
        "half": np.array(0.75, F),
        "mixed": np.array([3, 1, 3, 2, 1], F),
    }
    outputs = ["line", "size", "where", "u", "first", "inverse", "counts", "b"]
    check(model(steps, {"x": (F, (2, 3))}, outputs, constants), rtol=0, atol=0)


def test_empty_constants_join() -> None:
    """Slice and Concat of shapes, where exporters write a part without elements."""
    steps = [
        node("Shape", "x", "s"),
        node("Slice", "s zero zero", "none"),
        node("Concat", "none s", "again", axis=0),
        node("Reshape", "x again", "r"),
        node("Neg", "r", "y"),
    ]
    check(model(steps, {"x": (F, SHAPE)}, ["y"], {"zero": ints(0)}), rtol=0, atol=0)


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
    "step": (node("Slice", "x s s s z", "y"), {"s": ints(1), "z": ints(0)}),
    "expanded": (node("Expand", "x s", "y"), {"s": ints(5, 1)}),
    "repeats": (node("Tile", "x s", "y"), {"s": ints(2)}),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid(case: str) -> None:
    step, constants = INVALID[case]
    with pytest.raises(InvalidModelError, match=f"'{step.op_type} y"):
        to_graph(model([step], {"x": (F, SHAPE)}, ["y"], constants).SerializeToString())
