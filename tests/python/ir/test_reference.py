# SPDX-License-Identifier: Apache-2.0
"""The reference executor's plumbing, and its integer operators against obvious loops."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.ir.graph import Attribute, Graph, Node, Quantization, Tensor
from bitpose.ir.operators import ENGINE
from bitpose.ir.reference import OPERATORS, run
from bitpose.ir.reference.operand import Operand
from bitpose.ir.reference.windows import TransposedWindow

Array = NDArray[Any]
RANDOM = np.random.default_rng(11)


def test_every_operator_of_the_engine_is_here() -> None:
    assert set(OPERATORS) == set(ENGINE)
    geometry = {f.name for f in fields(TransposedWindow)}
    for name, spec in ENGINE.items():
        parameters = inspect.signature(OPERATORS[name]).parameters.values()
        named = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
        assert named <= set(spec.attributes), name
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            assert named == set(spec.attributes), name
        elif name not in ("transpose", "pad"):
            assert set(spec.attributes) - named <= geometry, name


def codes(*shape: int, scale: float = 0.1, zero_point: int = 0) -> Operand:
    """Random int8 codes, extremes among them."""
    data = RANDOM.integers(-128, 128, shape).astype(np.int8)
    data.flat[: min(2, data.size)] = [-128, 127][: data.size]
    return Operand(Tensor("x", data.dtype, shape, Quantization(scale, zero_point)), data)


def array(data: Array) -> Operand:
    return Operand(Tensor("x", data.dtype, data.shape), data)


def quantized(shape: tuple[int, ...], scale: float = 0.1, zero_point: int = 0) -> Tensor:
    return Tensor("y", np.dtype(np.int8), shape, Quantization(scale, zero_point))


def window(**changes: int) -> dict[str, int]:
    sides = {f"pad_{side}": 0 for side in ("top", "left", "bottom", "right")}
    steps = dict.fromkeys(("stride_h", "stride_w", "dilation_h", "dilation_w"), 1)
    return {**steps, **sides, **changes}


def requantize1(acc: int, multiplier: Any, zp: int, qmin: int, qmax: int) -> int:
    """The definition, one number at a time."""
    acc = (acc + 2**31) % 2**32 - 2**31
    x = np.float32(acc) * multiplier
    x = max(x, np.float32(qmin - zp))
    x = min(x, np.float32(qmax - zp))
    return round(float(x)) + zp


@pytest.mark.parametrize("zero_point", [0, -3])
@pytest.mark.parametrize("depthwise", [False, True])
def test_convolution(depthwise: bool, zero_point: int) -> None:
    x, zx, zy = codes(2, 5, 4, 3, zero_point=7), 7, -5
    outputs = 3 if depthwise else 2
    w = codes(2, 3, 3) if depthwise else codes(2, 2, 3, 3)
    w = Operand(Tensor("w", w.data.dtype, w.data.shape, Quantization(0.1, zero_point)), w.data)
    bias = RANDOM.integers(-5000, 5000, outputs).astype(np.int32)
    multiplier = RANDOM.uniform(0.001, 0.01, outputs).astype(np.float32)
    geometry = window(stride_h=2, pad_top=1, pad_right=2, dilation_h=1, dilation_w=2)
    y = quantized((2, 3, 2, outputs), zero_point=zy)
    name = "dwconv2d_qs8" if depthwise else "conv2d_qs8"
    got = OPERATORS[name](y, x, w, array(bias), array(multiplier), qmin=-100, qmax=90, **geometry)

    expected = np.zeros(y.shape, np.int8)
    for n, oy, ox, o in np.ndindex(*y.shape):
        acc = int(bias[o])
        for ky, kx in np.ndindex(2, 3):
            iy, ix = oy * 2 + ky - 1, ox + kx * 2
            if not (0 <= iy < 5 and 0 <= ix < 4):
                continue
            for k in [o] if depthwise else range(3):
                weight = w.data[ky, kx, k] if depthwise else w.data[o, ky, kx, k]
                acc += (int(x.data[n, iy, ix, k]) - zx) * (int(weight) - zero_point)
        expected[n, oy, ox, o] = requantize1(acc, multiplier[o], zy, -100, 90)
    np.testing.assert_array_equal(got, expected)


def test_accumulators_wrap() -> None:
    x = Operand(quantized((1, 1, 1, 1)), np.full((1, 1, 1, 1), 127, np.int8))
    w = Operand(quantized((1, 1, 1, 1)), np.full((1, 1, 1, 1), 127, np.int8))
    bias, multiplier = np.array([2**31 - 1], np.int32), np.array([1e-8], np.float32)
    got = OPERATORS["conv2d_qs8"](
        quantized((1, 1, 1, 1)), x, w, array(bias), array(multiplier),
        qmin=-128, qmax=127, **window(dilation_h=1, dilation_w=1),
    )  # fmt: skip
    assert got.item() == -21


def test_addition_rounds_to_even_and_clamps() -> None:
    a, b = codes(2, 3, 1), codes(1, 4)
    y = quantized((2, 3, 4), zero_point=3)
    attributes: dict[str, Any] = {"a_multiplier": 20000, "b_multiplier": -32767, "bias": 77}
    multiplier = np.float32(0.5 / 20000)
    got = OPERATORS["add_qs8"](y, a, b, **attributes, multiplier=multiplier, qmin=-60, qmax=70)
    for i, j, k in np.ndindex(2, 3, 4):
        acc = int(a.data[i, j, 0]) * 20000 - int(b.data[0, k]) * 32767 + 77
        assert got[i, j, k] == requantize1(acc, multiplier, 3, -60, 70)


def test_multiplication() -> None:
    a, b = codes(2, 3, zero_point=-128), codes(3, zero_point=5)
    y = quantized((2, 3), zero_point=-1)
    got = OPERATORS["mul_qs8"](y, a, b, multiplier=0.01, qmin=-128, qmax=127)
    for i, j in np.ndindex(2, 3):
        acc = (int(a.data[i, j]) + 128) * (int(b.data[j]) - 5)
        assert got[i, j] == requantize1(acc, np.float32(0.01), -1, -128, 127)


def test_table_is_indexed_by_the_byte() -> None:
    table = RANDOM.permutation(256).astype(np.uint8)
    x = codes(3, 5)
    y = Tensor("y", np.dtype(np.uint8), (3, 5))
    got = OPERATORS["lut_x8"](y, x, array(table))
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, table[x.data.astype(int) & 255])


@pytest.mark.parametrize("count_include_pad", [0, 1])
def test_average(count_include_pad: int) -> None:
    x = codes(1, 4, 5, 2, zero_point=9)
    y = quantized((1, 3, 3, 2), zero_point=-4)
    geometry = window(kernel_h=2, kernel_w=3, stride_w=2, pad_left=1, pad_right=1)
    got = OPERATORS["avgpool2d_qs8"](
        y, x, multiplier=0.7, count_include_pad=count_include_pad, qmin=-128, qmax=127, **geometry
    )
    for _, oy, ox, c in np.ndindex(*y.shape):
        columns = [ix for ix in range(ox * 2 - 1, ox * 2 + 2) if 0 <= ix < 5]
        acc = sum(int(x.data[0, oy + ky, ix, c]) - 9 for ky in range(2) for ix in columns)
        count = 6 if count_include_pad else 2 * len(columns)
        multiplier = np.float32(0.7) / np.float32(count)
        assert got[0, oy, ox, c] == requantize1(acc, multiplier, -4, -128, 127)


def test_maximum_never_takes_padding() -> None:
    x = codes(1, 3, 3, 2)
    geometry = window(kernel_h=2, kernel_w=2, pad_top=1, pad_left=1)
    got = OPERATORS["maxpool2d_s8"](quantized((1, 3, 3, 2)), x, **geometry)
    for _, oy, ox, c in np.ndindex(1, 3, 3, 2):
        expected = x.data[0, max(oy - 1, 0) : oy + 1, max(ox - 1, 0) : ox + 1, c].max()
        assert got[0, oy, ox, c] == expected


def test_quantize() -> None:
    x = np.array([0.05, 0.15, -0.25, 1e30, -np.inf, np.nan, -0.0], np.float32)
    y = quantized((7,), scale=0.1, zero_point=-3)
    got = OPERATORS["quantize_f32_qs8"](y, array(x), qmin=-100, qmax=90)
    step = np.float32(0.1)
    finite = [round(float(v / step)) - 3 for v in x[:3]]
    np.testing.assert_array_equal(got, [*finite, 90, -100, -100, -3])


def network(*nodes: Node, inputs: dict[str, Tensor], others: list[Tensor], output: str) -> Graph:
    tensors = {**inputs, **{t.name: t for t in others}}
    return Graph("net", nodes, tensors, tuple(inputs), (output,))


def relu_network() -> Graph:
    f32 = np.dtype(np.float32)
    zero = Tensor.constant("zero", np.zeros(1, np.float32))
    attributes: dict[str, Attribute] = {"function": 5}
    return network(
        Node("binary_f32", "relu", ("x", "zero"), ("h",), attributes),
        Node("reshape", "flat", ("h",), ("y",)),
        inputs={"x": Tensor("x", f32, (2, 2))},
        others=[zero, Tensor("h", f32, (2, 2)), Tensor("y", f32, (4,))],
        output="y",
    )


def test_run_returns_every_tensor() -> None:
    values = run(relu_network(), {"x": np.array([[1, -2], [-3, 4]], np.float32)})
    assert set(values) == {"x", "zero", "h", "y"}
    np.testing.assert_array_equal(values["y"], np.array([1, 0, 0, 4], np.float32))


def test_run_makes_nans_of_outputs_canonical() -> None:
    odd = np.array([0xFFC00123, 0x3F800000, 0, 0x7F800001], np.uint32).view(np.float32)
    values = run(relu_network(), {"x": odd.reshape(2, 2)})
    np.testing.assert_array_equal(
        values["y"].view(np.uint32), [0x7FC00000, 0x3F800000, 0, 0x7FC00000]
    )


def test_run_says_what_is_wrong() -> None:
    graph = relu_network()
    with pytest.raises(ValueError, match="input 'x' is missing"):
        run(graph, {})
    with pytest.raises(ValueError, match=r"'x' is float32\[2, 2\].* float64\[3\]"):
        run(graph, {"x": np.zeros(3)})
    nodes = (Node("frobnicate", "n", ("x",), ("y",)),)
    with pytest.raises(ValueError, match="no operator 'frobnicate'"):
        run(graph.rebuilt(nodes), {"x": np.zeros((2, 2), np.float32)})
    nodes = (Node("reshape", "n", ("zero",), ("h",)),)
    with pytest.raises(ValueError, match="reshape"):
        run(graph.rebuilt(nodes), {"x": np.zeros((2, 2), np.float32)})
