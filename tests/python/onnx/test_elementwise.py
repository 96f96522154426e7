# SPDX-License-Identifier: Apache-2.0
"""Elementwise operators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitpose.errors import UnsupportedModelError

from .build import check, dequantize, model, node, operators, parameters, quantize

F, S32 = np.float32, np.int32
SHAPE = (2, 3, 4)

PARAMETERS: dict[str, dict[str, Any]] = {
    "Abs": {},
    "Ceil": {},
    "Elu": {"alpha": 0.7},
    "Erf": {},
    "Exp": {},
    "Floor": {},
    "HardSigmoid": {"alpha": 0.3, "beta": 0.4},
    "HardSwish": {},
    "LeakyRelu": {"alpha": 0.2},
    "Log": {},
    "Neg": {},
    "Reciprocal": {},
    "Relu": {},
    "Round": {},
    "Sigmoid": {},
    "Softplus": {},
    "Sqrt": {},
    "Tanh": {},
}


@pytest.mark.parametrize("op", PARAMETERS)
def test_between_bytes(op: str) -> None:
    """All codes, through one table. A value between two codes may fall to either."""
    positive = op in ("Log", "Sqrt", "Reciprocal")
    nodes = [
        dequantize("x", "a", "in"),
        node(op, "a", "b", **PARAMETERS[op]),
        quantize("b", "y", "out"),
    ]
    constants = parameters("in", 0.03, -128 if positive else 5) | parameters("out", 0.02, -60)
    codes = np.arange(-127 if positive else -128, 128, dtype=np.int8)
    proto = model(nodes, {"x": (np.int8, codes.shape)}, ["y"], constants, opset=14)
    graph = check(proto, steps=1, feed={"x": codes})
    assert operators(graph) == ["lut_x8"]


def test_between_uint8() -> None:
    nodes = [dequantize("x", "a", "in"), node("Sigmoid", "a", "b"), quantize("b", "y", "out")]
    constants = parameters("in", 0.03, 100, np.uint8) | parameters("out", 1 / 256, 0, np.uint8)
    graph = check(model(nodes, {"x": (np.uint8, (256,))}, ["y"], constants), steps=1)
    assert operators(graph) == ["lut_x8"]


@pytest.mark.parametrize("exponent", [2.0, 0.5, -1.0, 1.7])
def test_pow(exponent: float) -> None:
    nodes = [dequantize("x", "a", "in"), node("Pow", "a e", "b"), quantize("b", "y", "out")]
    constants = parameters("in", 0.03, -128) | parameters("out", 0.2, -128)
    constants["e"] = np.array(exponent, np.float32)
    codes = np.arange(-127, 128, dtype=np.int8)
    proto = model(nodes, {"x": (np.int8, codes.shape)}, ["y"], constants)
    assert operators(check(proto, steps=1, feed={"x": codes})) == ["lut_x8"]


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("other", [(2, 3, 4), (3, 1), (1,)])
def test_binary(op: str, other: tuple[int, ...]) -> None:
    inputs = {"x": (F, SHAPE), "v": (F, other)}
    graph = check(model([node(op, "x v", "y")], inputs, ["y"]), rtol=0, atol=0)
    assert operators(graph) == ["binary_f32"]


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
def test_binary_of_integers(op: str) -> None:
    constants = {"c": np.array([3, -7, 100, 1], S32)}
    graph = check(model([node(op, "x c", "y")], {"x": (S32, SHAPE)}, ["y"], constants))
    assert operators(graph) == ["binary_s32"]


@pytest.mark.parametrize("op", ["Min", "Max"])
def test_several_operands(op: str) -> None:
    inputs = {"a": (F, SHAPE), "b": (F, (4,)), "c": (F, (3, 1))}
    graph = check(model([node(op, "a b c", "y")], inputs, ["y"]), rtol=0, atol=0)
    assert operators(graph) == ["binary_f32"] * 2


def test_float_clip() -> None:
    constants = {"low": np.array(-1, F), "high": np.array(1.5, F)}
    for operands, count in (("x low high", 2), ("x low", 1), ("x - high", 1), ("x", 1)):
        proto = model([node("Clip", operands, "y")], {"x": (F, SHAPE)}, ["y"], constants)
        assert len(check(proto, rtol=0, atol=0).nodes) == count


def test_clip_of_old_opsets() -> None:
    proto = model([node("Clip", "x", "y", min=-1.0, max=2.0)], {"x": (F, SHAPE)}, ["y"], opset=7)
    check(proto, rtol=0, atol=0)


@pytest.mark.parametrize("op", ["Neg", "Reciprocal", "Relu"])
def test_float_functions(op: str) -> None:
    check(model([node(op, "x", "y")], {"x": (F, SHAPE)}, ["y"]), rtol=0, atol=0)


@pytest.mark.parametrize("to", [1, 6, 7])
@pytest.mark.parametrize("source", [np.float32, np.int32, np.int64])
def test_cast(source: type[np.generic], to: int) -> None:
    check(model([node("Cast", "x", "y", to=to)], {"x": (source, SHAPE)}, ["y"]))


def test_float_functions_that_the_engine_lacks() -> None:
    nodes = [node("Sigmoid", "x", "a"), node("Erf", "a", "y")]
    with pytest.raises(UnsupportedModelError) as caught:
        check(model(nodes, {"x": (F, SHAPE)}, ["y"]))
    assert [p.op for p in caught.value.problems] == ["Sigmoid", "Erf"]
    assert "this function between two 8-bit tensors" in str(caught.value)
