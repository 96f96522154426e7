# SPDX-License-Identifier: Apache-2.0
"""Operators that read or write elements at indices, padding, and what is made of both."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import NodeProto

from bitpose.compiler import to_graph
from bitpose.errors import InvalidModelError, UnsupportedModelError
from bitpose.ir.reference import run

from .build import check, model, node, operators, random_feed

Array = NDArray[Any]
F = np.float32
I64 = np.int64
SHAPE = (2, 3, 5)
RANDOM = np.random.default_rng(11)


def ints(*values: int) -> Array:
    return np.array(values, I64)


CONSTANT: dict[str, tuple[NodeProto, dict[str, Array], list[str]]] = {
    "one": (node("Gather", "x i", "y", axis=1), {"i": np.array(-1)}, ["slice", "reshape"]),
    "run": (node("Gather", "x i", "y", axis=2), {"i": ints(1, 2, 3)}, ["slice"]),
    "reversed": (node("Gather", "x i", "y", axis=2), {"i": ints(4, 2, 0)}, ["slice"]),
    "repeated": (node("Gather", "x i", "y", axis=1), {"i": ints(1, 1)}, ["gather"]),
    "any": (
        node("Gather", "x i", "y", axis=1),
        {"i": ints(0, 2, -3, 1).reshape(2, 2)},
        ["gather", "reshape"],
    ),
    "elements": (
        node("GatherElements", "x i", "y", axis=2),
        {"i": RANDOM.integers(-5, 5, (2, 2, 7))},
        ["gather_elements"],
    ),
    "nd": (node("GatherND", "x i", "y"), {"i": ints(0, 1, 1, -1).reshape(2, 2)}, ["gather_nd"]),
    "nd batch": (
        node("GatherND", "x i", "y", batch_dims=1),
        {"i": ints(0, -1, 2, 1).reshape(2, 2, 1)},
        ["gather_nd"],
    ),
    "reverse sequence": (
        node("ReverseSequence", "x i", "y", batch_axis=0, time_axis=1),
        {"i": ints(3, 2)},
        ["reshape", "gather", "reshape"],
    ),
    "reverse sequence by time": (
        node("ReverseSequence", "x i", "y", batch_axis=1, time_axis=0),
        {"i": ints(2, 1, 2)},
        ["reshape", "gather", "reshape"],
    ),
}


@pytest.mark.parametrize("case", CONSTANT)
@pytest.mark.parametrize("dtype", [F, np.int8, np.int32])
def test_constant_indices(case: str, dtype: type[np.generic]) -> None:
    step, constants, expected = CONSTANT[case]
    proto = model([step], {"x": (dtype, SHAPE)}, ["y"], constants)
    assert operators(check(proto, rtol=0, atol=0)) == expected


COMPUTED: dict[str, tuple[NodeProto, tuple[int, ...]]] = {
    "scalar": (node("Gather", "x i", "y", axis=1), ()),
    "rows": (node("Gather", "x i", "y", axis=-1), (4, 3)),
    "elements": (node("GatherElements", "x i", "y", axis=0), (2, 3, 5)),
    "nd": (node("GatherND", "x i", "y", batch_dims=1), (2, 4, 1)),
}
NO_CASE = ("nd", np.int32)  # ONNX has int64 alone.


@pytest.mark.parametrize(
    ("case", "dtype"),
    [(case, dtype) for case in COMPUTED for dtype in (I64, np.int32) if (case, dtype) != NO_CASE],
)
def test_computed_indices(case: str, dtype: type[np.generic]) -> None:
    step, shape = COMPUTED[case]
    proto = model([step], {"x": (F, SHAPE), "i": (dtype, shape)}, ["y"])
    feed = random_feed(proto) | {"i": RANDOM.integers(-2, 2, shape).astype(dtype)}
    check(proto, rtol=0, atol=0, feed=feed)


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "min", "max"])
@pytest.mark.parametrize("dtype", [F, np.int32])
def test_scatter(reduction: str, dtype: type[np.generic]) -> None:
    steps = [
        node("ScatterElements", "x i u", "y", axis=1, reduction=reduction),
        node("ScatterND", "x j v", "z", reduction=reduction),
    ]
    shapes: Any = {"x": (dtype, SHAPE), "u": (dtype, (2, 3, 4)), "v": (dtype, (2, 5))}
    constants = {"i": RANDOM.integers(-3, 3, (2, 3, 4)), "j": ints(0, 1, 1, -1).reshape(2, 2)}
    if reduction == "none":  # The last of several updates counts; onnxruntime has no such rule.
        constants["i"] = np.broadcast_to(ints(0, 2, 1)[:, None], (2, 3, 4))
    check(model(steps, shapes, ["y", "z"], constants, opset=18), rtol=1e-6)


def test_scatter_of_opset_9() -> None:
    step = node("Scatter", "x i u", "y", axis=2)
    inputs: Any = {"x": (F, SHAPE), "u": (F, (2, 1, 2))}
    constants = {"i": ints(3, 0, 1, 2).reshape(2, 1, 2)}
    check(model([step], inputs, ["y"], constants, opset=9), rtol=0, atol=0)


@pytest.mark.parametrize("axis", [None, 1])
def test_compress(axis: int | None) -> None:
    attributes = {} if axis is None else {"axis": axis}
    constants = {"c": np.array([True, False, True])}
    step = node("Compress", "x c", "y", **attributes)
    check(model([step], {"x": (F, SHAPE)}, ["y"], constants), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("mode", "dtype"),
    [
        *itertools.product(["constant", "edge", "reflect", "wrap"], [F, np.int8, np.int32]),
        *itertools.product(["constant"], [np.int64, np.bool_]),
    ],
)
def test_pad(mode: str, dtype: type[np.generic]) -> None:
    constants = {"n": ints(0, 1, 2, 1, 0, 3), "v": np.array(1, dtype)}
    proto = model([node("Pad", "x n v", "y", mode=mode)], {"x": (dtype, SHAPE)}, ["y"], constants)
    feed = random_feed(proto)
    if dtype == np.bool_:
        feed = {"x": RANDOM.random(SHAPE) < 0.5}
    if mode == "wrap":
        proto.opset_import[0].version = 19
    check(proto, rtol=0, atol=0, feed=feed)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
def test_negative_pads_cut_off(mode: str) -> None:
    constants = {"n": ints(-1, 1, 0, 0, -1, 2)}
    step = node("Pad", "x n", "y", mode=mode)
    check(model([step], {"x": (F, (3, 4, 5))}, ["y"], constants), rtol=0, atol=0)


def test_pad_by_a_computed_value() -> None:
    constants = {"n": ints(1, 0, 2, 0, 0, 1)}
    proto = model([node("Pad", "x n v", "y")], {"x": (F, SHAPE), "v": (F, ())}, ["y"], constants)
    assert operators(check(proto, rtol=0, atol=0)) == ["pad"]


def test_pad_of_old_opsets() -> None:
    step = node("Pad", "x", "y", pads=[0, 1, 0, 0, 0, 2], value=1.5)
    check(model([step], {"x": (F, SHAPE)}, ["y"], opset=10), rtol=0, atol=0)


@pytest.mark.parametrize("mode", ["constant", "reflect"])
def test_pads_between_convolutions_move_nhwc_pixels(mode: str) -> None:
    constants = {"n": ints(0, 0, 2, 2, 0, 0, 2, 2), "v": np.array(3, F)}
    constants["w"] = RANDOM.normal(0, 1, (3, 3, 1, 1)).astype(F)
    steps = [
        node("Conv", "x w", "a"),
        node("Pad", "a n v", "b", mode=mode),
        node("Conv", "b w", "y"),
    ]
    graph = check(model(steps, {"x": (F, (1, 3, 6, 5))}, ["y"], constants), rtol=1e-4, atol=1e-4)
    moved = ["pad"] if mode == "constant" else ["gather", "gather"]
    assert operators(graph) == ["transpose", "conv2d_f32", *moved, "conv2d_f32", "transpose"]


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("k", [-2, 0, 1])
@pytest.mark.parametrize("dtype", [F, np.int64])
def test_trilu(dtype: type[np.generic], k: int, upper: int) -> None:
    step = node("Trilu", "x k", "y", upper=upper)
    proto = model([step], {"x": (dtype, SHAPE)}, ["y"], {"k": np.array(k, I64)}, opset=14)
    check(proto, rtol=0, atol=0)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", [np.int32, I64, F])
def test_one_hot(dtype: type[np.generic], axis: int) -> None:
    step = node("OneHot", "i d v", "y", axis=axis)
    inputs: Any = {"i": (dtype, (2, 6)), "v": (F, (2,))}
    graph = to_graph(model([step], inputs, ["y"], {"d": np.array(4, I64)}).SerializeToString())
    indices = np.array([[0, 3, -1, -4, 4, -5], [1, 2, 9, -9, 0, 0]], dtype)
    places = np.moveaxis(np.broadcast_to(np.arange(4), (2, 6, 4)), -1, axis)
    wrapped = np.where(indices < 0, indices + 4, indices)
    hot = places == np.expand_dims(wrapped, axis)
    got = run(graph, {"i": indices, "v": np.array([0.25, 7], F)})["y"]
    np.testing.assert_array_equal(got, np.where(hot, F(7), F(0.25)))


@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 0, 0, 2]])
def test_col2im(pads: list[int]) -> None:
    step = node("Col2Im", "x i b", "y", pads=pads, strides=[2, 1], dilations=[1, 2])
    rows, columns = (5 + pads[0] + pads[2] - 2) // 2 + 1, 6 + pads[1] + pads[3] - 4
    inputs: Any = {"x": (F, (2, 3 * 6, rows * columns))}
    constants = {"i": ints(5, 6), "b": ints(2, 3)}
    check(model([step], inputs, ["y"], constants, opset=18), rtol=1e-5)


REFUSED: dict[str, tuple[NodeProto, str]] = {
    "pads": (node("Pad", "x r", "y"), "pads is computed at run time"),
    "depth": (node("OneHot", "r s v", "y"), "depth is computed at run time"),
    "lengths": (node("ReverseSequence", "x r", "y"), "sequence_lens is computed at run time"),
    "bool": (
        node("ScatterElements", "c i c", "y", reduction="add"),
        "reduction 'add' of bool; supported: reduction 'none'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    step, message = REFUSED[case]
    inputs: Any = {"x": (F, SHAPE), "r": (I64, (6,)), "s": (I64, ()), "c": (np.bool_, (3,))}
    constants = {"v": np.array([0, 1], F), "i": ints(0, 1, 2), "n": ints(0)}
    with pytest.raises(UnsupportedModelError, match=message):
        to_graph(model([step], inputs, ["y"], constants, opset=18).SerializeToString())


INVALID: dict[str, NodeProto] = {
    "index": node("Gather", "x five", "y"),
    "elements": node("GatherElements", "x wide", "y", axis=2),
    "depth": node("GatherND", "x four", "y"),
    "batch": node("GatherND", "x wide", "y", batch_dims=2),
    "updates": node("ScatterElements", "x wide x", "y"),
    "pads": node("Pad", "x four", "y"),
    "mode": node("Pad", "x six", "y", mode="mirror"),
    "value": node("Pad", "x six four", "y"),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid(case: str) -> None:
    constants = {"five": ints(5), "four": ints(0, 0, 0, 0), "six": ints(0, 0, 0, 1, 1, 1)}
    constants["wide"] = np.zeros((2, 4, 5), I64)
    step = INVALID[case]
    with pytest.raises(InvalidModelError, match=f"'{step.op_type} y"):
        to_graph(model([step], {"x": (F, SHAPE)}, ["y"], constants).SerializeToString())
