# SPDX-License-Identifier: Apache-2.0
"""Functions of one float: in float32, and as tables between 8-bit tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitpose.errors import InvalidModelError

from .build import check, dequantize, model, node, operators, parameters, quantize

F = np.float32
SHAPE = (2, 3, 4)

PLAIN = (
    *("Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Erf"),
    *("Exp", "Floor", "Gelu", "HardSwish", "Log", "Mish", "Neg", "Reciprocal", "Relu", "Round"),
    *("Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "Tan", "Tanh"),
)
PARAMETERS: dict[str, dict[str, Any]] = {
    **{op: {} for op in PLAIN},
    "Celu": {"alpha": 0.7},
    "Elu": {"alpha": 0.7},
    "HardSigmoid": {"alpha": 0.3, "beta": 0.4},
    "LeakyRelu": {"alpha": 0.2},
    "Selu": {"alpha": 1.5, "gamma": 1.2},
    "Shrink": {"bias": 0.4, "lambd": 1.1},
    "ThresholdedRelu": {"alpha": 0.8},
}
OPSETS = {"Gelu": 20, "Mish": 18}
#: Scale, zero point and shift of the operand where a function lacks values for some codes.
DOMAINS = {
    **dict.fromkeys(("Log", "Sqrt", "Reciprocal"), (0.03, -128, 0.0)),
    **dict.fromkeys(("Acos", "Asin", "Atanh"), (0.0078, 0, 0.0)),
    "Acosh": (0.03, -128, 1.0),
}


@pytest.mark.parametrize("op", PARAMETERS)
def test_in_float(op: str) -> None:
    x = np.random.default_rng(1).normal(0, 2, SHAPE).astype(F)
    if op in ("Acos", "Asin", "Atanh"):
        x = np.tanh(x)
    if op in ("Log", "Sqrt", "Reciprocal", "Acosh"):
        x = np.abs(x) + F(op == "Acosh")
    x[0, 0] = [0.0, 1.0, 0.5, -0.0] if op != "Acosh" else 1.0
    proto = model(
        [node(op, "x", "y", **PARAMETERS[op])], {"x": (F, SHAPE)}, ["y"], opset=OPSETS.get(op, 17)
    )
    assert operators(check(proto, feed={"x": x}, rtol=1e-6, atol=1e-6)) == ["unary_f32"]


def test_gelu_by_tanh() -> None:
    proto = model([node("Gelu", "x", "y", approximate="tanh")], {"x": (F, SHAPE)}, ["y"], opset=20)
    assert operators(check(proto)) == ["unary_f32"]
    proto = model([node("Gelu", "x", "y", approximate="sin")], {"x": (F, SHAPE)}, ["y"], opset=20)
    with pytest.raises(InvalidModelError, match="approximate is 'sin'"):
        check(proto)


@pytest.mark.parametrize("op", PARAMETERS)
def test_between_bytes(op: str) -> None:
    """All codes, through one table. A value between two codes may fall to either."""
    nodes = [
        *(dequantize("x", "a", "in"), node("Add", "a shift", "s")),
        *(node(op, "s", "b", **PARAMETERS[op]), quantize("b", "y", "out")),
    ]
    scale, zero_point, shift = DOMAINS.get(op, (0.03, 5, 0.0))
    constants = parameters("in", scale, zero_point) | parameters("out", 0.02, -60)
    constants["shift"] = np.array(shift, F)
    codes = np.arange(-127, 128, dtype=np.int8)
    proto = model(nodes, {"x": (np.int8, codes.shape)}, ["y"], constants, OPSETS.get(op, 14))
    graph = check(proto, steps=1, feed={"x": codes})
    assert operators(graph) == ["lut_x8"]


def test_between_uint8() -> None:
    nodes = [dequantize("x", "a", "in"), node("Sigmoid", "a", "b"), quantize("b", "y", "out")]
    constants = parameters("in", 0.03, 100, np.uint8) | parameters("out", 1 / 256, 0, np.uint8)
    graph = check(model(nodes, {"x": (np.uint8, (256,))}, ["y"], constants), steps=1)
    assert operators(graph) == ["lut_x8"]


def test_activations_that_are_spelt_out() -> None:
    """YOLO's SiLU, and MobileNet's h-swish."""
    nodes = [
        *(node("Sigmoid", "x", "s"), node("Mul", "x s", "a")),
        *(node("Add", "a three", "b"), node("Clip", "b zero six", "c"), node("Mul", "a c", "d")),
        node("Div", "d six", "y"),
    ]
    constants = {"zero": np.array(0, F), "three": np.array(3, F), "six": np.array(6, F)}
    graph = check(model(nodes, {"x": (F, SHAPE)}, ["y"], constants))
    assert operators(graph) == ["unary_f32", "unary_f32"]


def test_activations_that_are_spelt_out_between_bytes() -> None:
    nodes = [
        *(dequantize("x", "a", "in"), node("Sigmoid", "a", "s"), node("Mul", "a s", "b")),
        quantize("b", "y", "out"),
    ]
    constants = parameters("in", 0.03, 5) | parameters("out", 0.02, -60)
    codes = np.arange(-128, 128, dtype=np.int8)
    proto = model(nodes, {"x": (np.int8, codes.shape)}, ["y"], constants)
    assert operators(check(proto, steps=1, feed={"x": codes})) == ["lut_x8"]
