# SPDX-License-Identifier: Apache-2.0
"""Reductions, cumulative sums and the best elements."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.compiler import to_graph
from bitpose.errors import InvalidModelError, UnsupportedModelError

from .build import check, model, node, operators

Array = NDArray[Any]
F = np.float32
SHAPE = (2, 3, 4, 5)
NATIVE = ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare")
AXES = [[0], [1, 3], [-1, 2, 1], [0, 1, 2, 3], None]


@pytest.mark.parametrize("function", NATIVE)
@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("keepdims", [0, 1])
def test_reduce(function: str, axes: list[int] | None, keepdims: int) -> None:
    operand = "x" if axes is None else "x a"
    constants = {} if axes is None else {"a": np.array(axes, np.int64)}
    step = node(f"Reduce{function}", operand, "y", keepdims=keepdims)
    proto = model([step], {"x": (F, SHAPE)}, ["y"], constants, opset=18)
    assert operators(check(proto, rtol=1e-4, atol=1e-4))[0] == "reduce_f32"


@pytest.mark.parametrize("function", NATIVE)
def test_reduce_of_old_opsets(function: str) -> None:
    step = node(f"Reduce{function}", "x", "y", axes=[1, -1], keepdims=0)
    check(model([step], {"x": (F, SHAPE)}, ["y"], opset=11), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("function", ["Sum", "Mean", "Max", "Min", "Prod", "L1", "SumSquare"])
def test_reduce_integers(function: str) -> None:
    """Also where 32 bits overflow."""
    step = node(f"Reduce{function}", "x a", "y", keepdims=0)
    constants = {"a": np.array([0, 2], np.int64)}
    proto = model([step], {"x": (np.int32, (2, 3, 4))}, ["y"], constants, opset=18)
    check(proto, feed={"x": np.arange(-9, 15, dtype=np.int32).reshape(2, 3, 4)})


@pytest.mark.parametrize("function", ["Max", "Min"])
@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.bool_])
def test_reduce_to_an_element(function: str, dtype: type[np.generic]) -> None:
    step = node(f"Reduce{function}", "x a", "y")
    constants = {"a": np.array([1], np.int64)}
    proto = model([step], {"x": (dtype, (3, 4, 2))}, ["y"], constants, opset=20)
    x = np.random.default_rng(0).integers(-99, 99, (3, 4, 2))
    check(proto, feed={"x": x > 50 if dtype == np.bool_ else x.astype(dtype)})


@pytest.mark.parametrize("noop", [0, 1])
def test_empty_axes(noop: int) -> None:
    step = node("ReduceSum", "x a", "s", noop_with_empty_axes=noop)
    steps = [step, node("Neg", "s", "y")]
    constants = {"a": np.zeros(0, np.int64)}
    check(model(steps, {"x": (F, (2, 3))}, ["y"], constants), rtol=1e-5)


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [[2, -1], [1, 2]])
def test_mean_over_height_and_width_is_a_pool(axes: list[int], keepdims: int) -> None:
    """Of NCHW and of NHWC pictures."""
    step = node("ReduceMean", "x", "y", axes=axes, keepdims=keepdims)
    found = operators(check(model([step], {"x": (F, SHAPE)}, ["y"])))
    assert "avgpool2d_f32" in found
    assert ("transpose" in found) == (axes != [1, 2])


def test_reductions_between_convolutions_stay_nhwc() -> None:
    constants = {"w": np.random.default_rng(1).normal(0, 1, (3, 3, 1, 1)).astype(F)}
    steps = [
        node("Conv", "x w", "a"),
        node("ReduceMax", "a", "m", axes=[1], keepdims=1),
        node("ReduceSum", "a spatial", "s", keepdims=1),
        node("Add", "m s", "b"),
        node("Conv", "b w", "y"),
    ]
    constants["spatial"] = np.array([2, 3], np.int64)
    proto = model(steps, {"x": (F, (1, 3, 6, 5))}, ["y"], constants)
    assert operators(check(proto, rtol=1e-4, atol=1e-3)) == [
        *("transpose", "conv2d_f32", "reduce_f32", "reduce_f32"),
        *("binary_f32", "conv2d_f32", "transpose"),
    ]


@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("dtype", [F, np.int32, np.int64])
def test_cumulative_sum(dtype: type[np.generic], reverse: int, exclusive: int) -> None:
    step = node("CumSum", "x a", "y", exclusive=exclusive, reverse=reverse)
    constants = {"a": np.array(1, np.int32)}
    check(model([step], {"x": (dtype, (2, 4, 3))}, ["y"], constants), rtol=1e-5)


@pytest.mark.parametrize("op", ["ArgMax", "ArgMin"])
@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("dtype", [F, np.int8, np.uint8, np.int32])
def test_arg(dtype: type[np.generic], last: int, op: str) -> None:
    step = node(op, "x", "y", axis=1, select_last_index=last, keepdims=last)
    x = np.random.default_rng(2).integers(0, 4, (3, 20, 2)).astype(dtype)
    check(model([step], {"x": (dtype, x.shape)}, ["y"]), feed={"x": x})


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("dtype", [F, np.int8, np.int32, np.int64])
def test_top_k(dtype: type[np.generic], largest: int, axis: int) -> None:
    step = node("TopK", "x k", "v i", axis=axis, largest=largest)
    x = np.random.default_rng(3).integers(-9, 9, (5, 7, 4)).astype(dtype)
    constants = {"k": np.array([3], np.int64)}
    proto = model([step], {"x": (dtype, x.shape)}, ["v", "i"], constants)
    assert operators(check(proto, feed={"x": x})) == ["topk", "gather_elements"]


def test_top_k_of_old_opsets() -> None:
    steps = [node("TopK", "x", "v i", k=2)]
    check(model(steps, {"x": (F, (3, 5))}, ["v", "i"], opset=9), rtol=0, atol=0)


REFUSED = {
    "axes": (node("ReduceSum", "x i", "y"), "axes is computed at run time"),
    "k": (node("TopK", "x i", "y z"), "k is computed at run time"),
    "root": (node("ReduceL2", "n", "y"), "the operand is int32; supported: float32"),
    "flags": (node("ReduceSum", "c", "y"), "the operand is bool; supported: float32 or int8"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    step, message = REFUSED[case]
    inputs: Any = {
        "x": (F, (2, 3)),
        "i": (np.int64, (1,)),
        "n": (np.int32, (2,)),
        "c": (bool, (2,)),
    }
    with pytest.raises(UnsupportedModelError, match=message):
        to_graph(model([step], inputs, ["y"], {}, opset=18).SerializeToString())


@pytest.mark.parametrize("k", [0, 4])
def test_top_k_of_too_few(k: int) -> None:
    proto = model([node("TopK", "x k", "y z")], {"x": (F, (2, 3))}, ["y"], {"k": np.array([k])})
    with pytest.raises(InvalidModelError, match=rf"k is {k} for axis 1 of \[2, 3\]"):
        to_graph(proto.SerializeToString())
