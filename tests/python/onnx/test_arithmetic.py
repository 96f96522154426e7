# SPDX-License-Identifier: Apache-2.0
"""Arithmetic on floats and integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitpose.errors import InvalidModelError, UnsupportedModelError

from .build import check, dequantize, model, node, operators, parameters, quantize

F, S8, U8, S32, S64 = np.float32, np.int8, np.uint8, np.int32, np.int64
SHAPE = (2, 3, 4)
INTEGERS = (S8, U8, S32, S64)


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "PRelu"])
@pytest.mark.parametrize("other", [(2, 3, 4), (3, 1), (1,)])
def test_binary(op: str, other: tuple[int, ...]) -> None:
    inputs = {"x": (F, SHAPE), "v": (F, other)}
    graph = check(model([node(op, "x v", "y")], inputs, ["y"]), rtol=0, atol=0)
    assert operators(graph) == ["binary_f32"]


def integers(dtype: type[np.generic], seed: int) -> Any:
    x = np.random.default_rng(seed).integers(-100, 100, SHAPE)
    return np.where(x == 0, 7, x).astype(dtype)


#: Those that onnxruntime has kernels for.
OF_INTEGERS = [
    *((op, dtype) for op in ("Add", "Sub", "Mul", "Div") for dtype in (S32, S64)),
    *((op, dtype) for op in ("Mod", "Min", "Max") for dtype in INTEGERS),
]


@pytest.mark.parametrize(("op", "dtype"), OF_INTEGERS)
def test_integers(op: str, dtype: type[np.generic]) -> None:
    proto = model([node(op, "x v", "y")], {"x": (dtype, SHAPE), "v": (dtype, SHAPE)}, ["y"])
    feed = {"x": integers(dtype, 1), "v": integers(dtype, 2)}
    assert operators(check(proto, feed=feed)) == ["binary_integer"]


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Mod"])
def test_bytes_wrap(op: str) -> None:
    """onnxruntime has no kernels for them; numpy's integers wrap as ONNX asks."""
    proto = model([node(op, "x v", "y")], {"x": (U8, SHAPE), "v": (U8, SHAPE)}, ["y"], opset=14)
    x, v = integers(U8, 1), integers(U8, 2)
    numpy = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.floor_divide}
    expected = numpy.get(op, np.remainder)(x, v)
    np.testing.assert_array_equal(run_reference(proto, {"x": x, "v": v}), expected)


def run_reference(proto: Any, feed: dict[str, Any]) -> Any:
    from bitpose.compiler import to_graph
    from bitpose.ir.reference import run

    graph = to_graph(proto.SerializeToString())
    return run(graph, feed)[graph.outputs[0]]


@pytest.mark.parametrize("dtype", [F, S32])
def test_fmod(dtype: type[np.generic]) -> None:
    nodes = [node("Mod", "x v", "y", fmod=1)]
    x = np.random.default_rng(1).normal(0, 50, SHAPE).astype(dtype)
    v = np.where(np.arange(24).reshape(SHAPE) % 2, 3.5, -7).astype(dtype)
    proto = model(nodes, {"x": (dtype, SHAPE), "v": (dtype, SHAPE)}, ["y"])
    check(proto, feed={"x": x, "v": v}, rtol=0, atol=0)


@pytest.mark.parametrize("op", ["Min", "Max", "Sum", "Mean"])
def test_several_operands(op: str) -> None:
    inputs = {"a": (F, SHAPE), "b": (F, (4,)), "c": (F, (3, 1))}
    graph = check(model([node(op, "a b c", "y")], inputs, ["y"]), rtol=1e-6, atol=0)
    assert operators(graph) == ["binary_f32"] * (3 if op == "Mean" else 2)


@pytest.mark.parametrize(
    ("base", "exponent"), [(F, F), (F, S32), (F, S64), (S32, F), (S64, S64), (S32, S32), (S32, S64)]
)
def test_pow(base: type[np.generic], exponent: type[np.generic]) -> None:
    proto = model([node("Pow", "x v", "y")], {"x": (base, (4, 1)), "v": (exponent, (5,))}, ["y"])
    x, v = np.array([[1], [2], [3], [5]], base), np.array([0, 1, 2, 3, 4], exponent)
    check(proto, feed={"x": x, "v": v})


@pytest.mark.parametrize("exponent", [2.0, 3.0, 0.5, -1.0, 1.7])
def test_pow_to_a_constant(exponent: float) -> None:
    x = np.random.default_rng(1).uniform(0.1, 5, SHAPE).astype(F)
    constants = {"e": np.array(exponent, F)}
    proto = model([node("Pow", "x e", "y")], {"x": (F, SHAPE)}, ["y"], constants)
    check(proto, feed={"x": x}, rtol=1e-6)


@pytest.mark.parametrize("exponent", [2.0, 0.5, -1.0, 1.7])
def test_pow_between_bytes(exponent: float) -> None:
    nodes = [dequantize("x", "a", "in"), node("Pow", "a e", "b"), quantize("b", "y", "out")]
    constants = parameters("in", 0.03, -128) | parameters("out", 0.2, -128)
    constants["e"] = np.array(exponent, np.float32)
    codes = np.arange(-127, 128, dtype=np.int8)
    proto = model(nodes, {"x": (np.int8, codes.shape)}, ["y"], constants)
    assert operators(check(proto, steps=1, feed={"x": codes})) == ["lut_x8"]


@pytest.mark.parametrize("op", ["Div", "Min", "Max", "Pow"])
def test_two_bytes_meet_in_float(op: str) -> None:
    """What has no operator of 8 bits is computed between dequantize and quantize."""
    nodes = [
        *(dequantize("x", "a", "in"), dequantize("v", "b", "in")),
        *(node(op, "a b", "c"), quantize("c", "y", "out")),
    ]
    constants = parameters("in", 0.02, -128) | parameters("out", 0.05, -100)
    inputs = {"x": (S8, (50,)), "v": (S8, (50,))}
    feed = {"x": np.arange(-120, -70, dtype=S8), "v": np.arange(100, 50, -1, dtype=S8)}
    graph = check(model(nodes, inputs, ["y"], constants), steps=1, feed=feed)
    assert "binary_f32" in operators(graph)


@pytest.mark.parametrize(
    ("op", "dtype"),
    [(op, dtype) for op in ("Abs", "Neg", "Sign") for dtype in (S8, S32, S64)]
    + [("Relu", S8), ("Relu", S32)],
)
def test_integer_functions(op: str, dtype: type[np.generic]) -> None:
    proto = model([node(op, "x", "y")], {"x": (dtype, SHAPE)}, ["y"], opset=14)
    assert set(operators(check(proto))) == {"binary_integer"}


def test_functions_of_uint8() -> None:
    nodes = [node("Abs", "x", "a"), node("Sign", "a", "y")]
    check(model(nodes, {"x": (U8, SHAPE)}, ["y"]))


def test_float_clip() -> None:
    constants = {"low": np.array(-1, F), "high": np.array(1.5, F)}
    for operands in ("x low high", "x low", "x - high"):
        proto = model([node("Clip", operands, "y")], {"x": (F, SHAPE)}, ["y"], constants)
        assert operators(check(proto, rtol=0, atol=0)) == ["unary_f32"]


@pytest.mark.parametrize("dtype", [F, S8, U8, S32, S64])
@pytest.mark.parametrize("operands", ["x low high", "x low", "x - high"])
def test_clip_to_bounds_of_the_run(dtype: type[np.generic], operands: str) -> None:
    names = [name for name in operands.split() if name not in ("x", "-")]
    inputs: dict[str, Any] = {"x": (dtype, SHAPE), **dict.fromkeys(names, (dtype, ()))}
    proto = model([node("Clip", operands, "y")], inputs, ["y"])
    feed = {"x": integers(dtype, 1), "low": np.array(10, dtype), "high": np.array(60, dtype)}
    check(proto, feed={name: feed[name] for name in inputs}, rtol=0, atol=0)


def test_clip_of_old_opsets() -> None:
    proto = model([node("Clip", "x", "y", min=-1.0, max=2.0)], {"x": (F, SHAPE)}, ["y"], opset=7)
    check(proto, rtol=0, atol=0)


@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
def test_shifts(direction: str) -> None:
    inputs = {"x": (U8, SHAPE), "v": (U8, (4,))}
    proto = model([node("BitShift", "x v", "y", direction=direction)], inputs, ["y"])
    x = np.random.default_rng(0).integers(0, 256, SHAPE).astype(U8)
    graph = check(proto, feed={"x": x, "v": np.array([0, 1, 3, 7], U8)})
    assert operators(graph) == ["binary_integer"]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("op", ["BitwiseAnd", "BitwiseOr", "BitwiseXor"])
def test_bits(op: str, dtype: type[np.generic]) -> None:
    inputs = {"x": (dtype, SHAPE), "v": (dtype, SHAPE)}
    feed = {"x": integers(dtype, 1), "v": integers(dtype, 2)}
    nodes = [node(op, "x v", "a"), node("BitwiseNot", "a", "y")]
    check(model(nodes, inputs, ["y"], opset=18), feed=feed)


def test_dtypes_that_do_not_fit() -> None:
    with pytest.raises(InvalidModelError, match="operands are float32 and int32"):
        check(model([node("Add", "x v", "y")], {"x": (F, SHAPE), "v": (S32, SHAPE)}, ["y"]))
    with pytest.raises(UnsupportedModelError, match="an operand is bool"):
        check(model([node("Add", "x x", "y")], {"x": (np.bool_, SHAPE)}, ["y"]))
    with pytest.raises(InvalidModelError, match="slope"):
        check(model([node("PRelu", "x v", "y")], {"x": (F, (4,)), "v": (F, SHAPE)}, ["y"]))
    constants = {"low": np.zeros(2, F)}
    with pytest.raises(InvalidModelError, match="min has 2 elements"):
        check(model([node("Clip", "x low", "y")], {"x": (F, SHAPE)}, ["y"], constants))
