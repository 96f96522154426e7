# SPDX-License-Identifier: Apache-2.0
"""Convolutions of codes, before and after the passes that make them integer operators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bitpose.errors import UnsupportedModelError
from bitpose.ir.graph import Graph, Tensor
from bitpose.passes import run_passes
from bitpose.passes.integer_operators import integer_operators
from bitpose.passes.real_convolutions import real_convolutions

from .build import ALL, Draft, lines

WINDOW = {"strides": (1, 2), "dilations": (1, 1), "pads": (1, 0, 1, 0), "group": 1}


def conv_graph(
    group: int = 1,
    bias: str = "codes",
    bias_scale: float = 0.125,
    fmax: float | None = None,
    weights: Any = None,
    zero_point: int = 0,
    quantized: bool = True,
) -> Graph:
    """Q(Conv(x)) with x in steps of 0.5 and weights in steps of 0.25 and 1 per channel; without Q
    unless `quantized`.
    """
    d = Draft()
    d.input("x", (1, 2, 4, 4), np.int8, q=(0.5, 10))
    d.node("DequantizeLinear", "x", "x.real", (1, 2, 4, 4))
    if weights is None:
        weights = np.arange(2 * (2 // group) * 3).reshape(2, 2 // group, 3, 1) - 3
    d.constant("w", weights, np.int8)
    d.constant("w.scale", [0.25, 1.0], np.float32)
    d.constant("w.zero", [zero_point, zero_point], np.int8)
    d.node("DequantizeLinear", "w w.scale w.zero", "w.real", weights.shape, axis=0)
    if bias == "codes":
        d.constant("b", [7, -9], np.int32, q=(bias_scale, 0))
        d.node("DequantizeLinear", "b", "b.real", (2,))
    elif bias == "real":
        d.constant("b.real", [1.0, -1.0], np.float32)
    extra = {} if fmax is None else {"fmin": 0.0, "fmax": fmax}
    operands = "x.real w.real" + (" b.real" if bias else "")
    window: dict[str, Any] = WINDOW | {"group": group} | extra
    if not quantized:
        d.node("Conv", operands, "y", (1, 2, 4, 2), **window)
        return d.graph("y")
    d.node("Conv", operands, "f", (1, 2, 4, 2), **window)
    d.node("QuantizeLinear", "f", "y", (1, 2, 4, 2), np.int8, q=(2.0, -5), **ALL)
    return d.graph("y")


def constant(graph: Graph, name: str) -> Any:
    data = graph.tensor(name).data
    assert data is not None
    return data.tolist()


def test_conv() -> None:
    graph = integer_operators(conv_graph())
    first, line, last = lines(graph)
    assert first.startswith("x@0231: int8[1,4,4,2] scale 0.5 zero point 10 = transpose(x, perm0=0")
    assert line == (
        "y@0231: int8[1,4,2,2] scale 2 zero point -5 = conv2d_qs8(x@0231, "
        "w@ohwi=int8[2,3,1,2] scale 1 zero point 0, y@bias=int32[2][7, -2], "
        "y@multiplier=float32[2][0.0625, 0.25], stride_h=1, stride_w=2, dilation_h=1, "
        "dilation_w=1, pad_top=1, pad_left=0, pad_bottom=1, pad_right=0, qmin=-128, qmax=127)"
    )
    assert last.startswith("y: int8[1,2,4,2] scale 2 zero point -5 = transpose(y@0231, perm0=0")
    expected = (np.arange(12).reshape(2, 2, 3, 1) - 3).transpose(0, 2, 3, 1)
    assert constant(graph, "w@ohwi") == expected.tolist()


@pytest.mark.parametrize(
    ("bias", "scale", "expected"),
    [
        ("codes", 0.25, [14, -4]),  # 7 * 0.25 / 0.125 and -9 * 0.25 / 0.5 = -4.5, a tie to even.
        ("real", 0.0, [8, -2]),
        ("", 0.0, [0, 0]),
    ],
)
def test_conv_bias(bias: str, scale: float, expected: list[int]) -> None:
    graph = integer_operators(conv_graph(bias=bias, bias_scale=scale or 1.0))
    assert constant(graph, "y@bias") == expected


def test_depthwise_conv() -> None:
    graph = integer_operators(conv_graph(group=2, zero_point=4))
    line = lines(graph)[1]
    assert "dwconv2d_qs8(x@0231, w@hwc=int8[3,1,2] scale 1 zero point 4, " in line
    assert constant(graph, "w@hwc") == [[[-3, 0]], [[-2, 1]], [[-1, 2]]]


def test_conv_with_bounds() -> None:
    """0 is code -5 and 6 is code 6 / 2 - 5."""
    line = lines(integer_operators(conv_graph(fmax=6.0)))[1]
    assert line.endswith("qmin=-5, qmax=-2)")


def test_conv_refuses_what_could_overflow() -> None:
    """|x - z| <= 138 and 2 * 61000 * 127 of weights: 138 * 15494000 is just below 2^31."""
    rows = 61000
    graph = conv_like(rows, 127)
    assert lines(integer_operators(graph))[1].startswith("y@0231")
    with pytest.raises(
        UnsupportedModelError, match=r"sum of output channel 1 could reach 2\.15e\+09"
    ):
        integer_operators(conv_like(rows, 127, bias=9_400_000))


def test_real_conv() -> None:
    """The bias 1, -1 in steps of 0.125 and 0.5."""
    graph = real_convolutions(conv_graph(bias="real", zero_point=4, quantized=False))
    first, line, last = lines(graph)
    assert first.startswith("x@0231: int8[1,4,4,2] scale 0.5 zero point 10 = transpose(x, perm0=0")
    assert line == (
        "y@0231: float32[1,4,2,2] = conv2d_qs8_f32(x@0231, "
        "w@ohwi=int8[2,3,1,2] scale 1 zero point 4, y@bias=int32[2][8, -2], "
        "y@multiplier=float32[2][0.125, 0.5], stride_h=1, stride_w=2, dilation_h=1, "
        "dilation_w=1, pad_top=1, pad_left=0, pad_bottom=1, pad_right=0, fmin=-inf, fmax=inf)"
    )
    assert last.startswith("y: float32[1,2,4,2] = transpose(y@0231, perm0=0")


def test_real_conv_with_bounds() -> None:
    line = lines(real_convolutions(conv_graph(fmax=6.0, quantized=False)))[1]
    assert line.endswith("fmin=0, fmax=6)")


def deconv_graph(weights: tuple[int, ...], group: int) -> Graph:
    d = Draft()
    d.input("x", (1, 2, 4, 4), np.int8, q=(0.5, 10))
    d.node("DequantizeLinear", "x", "x.real", (1, 2, 4, 4))
    d.constant("w", np.ones(weights), np.int8, q=(0.25, 0))
    d.node("DequantizeLinear", "w", "w.real", weights)
    window: dict[str, Any] = {"strides": (2, 2), "dilations": (1, 1), "pads": (0, 0, 0, 0)}
    window |= {"group": group, "output_padding": (0, 0)}
    d.node("ConvTranspose", "x.real w.real", "y", (1, weights[0], 8, 8), **window)
    return d.graph("y")


def test_real_conv_transpose() -> None:
    line = lines(real_convolutions(deconv_graph((3, 2, 2, 2), group=1)))[1]
    assert line.startswith("y@0231: float32[1,8,8,3] = deconv2d_qs8_f32(x@0231, w@ohwi=")
    assert "y@bias=int32[3][0, 0, 0], y@multiplier=float32[3][0.125, 0.125, 0.125]" in line


def test_real_depthwise_conv() -> None:
    line = lines(real_convolutions(conv_graph(group=2, quantized=False)))[1]
    assert " = dwconv2d_qs8_f32(x@0231, w@hwc=int8" in line


@pytest.mark.parametrize("what", ["depthwise", "zero points", "an overflow", "a bias", "int16"])
def test_real_conv_leaves_the_rest(what: str) -> None:
    if what == "depthwise":
        graph = deconv_graph((2, 1, 2, 2), group=2)
    elif what == "an overflow":
        graph = conv_like(61000, 127, bias=9_400_000, quantized=False)
    elif what == "a bias":
        graph = conv_like(1, 1, bias=2**31 - 1, quantized=False)
    else:
        graph = conv_graph(quantized=False)
        tensors = dict(graph.tensors)
        if what == "zero points":
            tensors["w.zero"] = Tensor.constant("w.zero", np.array([0, 1], np.int8))
        else:
            tensors["x"] = replace(tensors["x"], dtype=np.dtype(np.int16))
        graph = replace(graph, tensors=tensors)
    assert real_convolutions(graph) is graph


@pytest.mark.parametrize("through", ["MaxPool", "Clip", "Reshape", "Transpose"])
def test_real_conv_comes_behind_what_is_quantized(through: str) -> None:
    """Q(f(Conv(D(x), D(w)))) where f selects, moves or clamps: the convolution writes codes."""
    assert operators_of(through) == {"conv2d_qs8"}
    assert operators_of("Sigmoid") == {"conv2d_qs8_f32"}


def operators_of(function: str) -> set[str]:
    """The convolutions of a compiled Q(f(Conv(D(x), D(w))))."""
    d = Draft()
    d.input("x", (1, 2, 4, 4), np.int8, q=(0.5, 10))
    d.node("DequantizeLinear", "x", "x.real", (1, 2, 4, 4))
    d.constant("w", np.ones((2, 2, 1, 1)), np.int8, q=(0.25, 0))
    d.node("DequantizeLinear", "w", "w.real", (2, 2, 1, 1))
    window: dict[str, Any] = {"strides": (1, 1), "dilations": (1, 1), "pads": (0, 0, 0, 0)}
    d.node("Conv", "x.real w.real", "f", (1, 2, 4, 4), **window, group=1)
    pool: dict[str, Any] = window | {"kernel": (2, 2)}
    shape, attributes = {
        "MaxPool": ((1, 2, 3, 3), pool),
        "Clip": ((1, 2, 4, 4), {"low": 0.0, "high": 6.0}),
        "Reshape": ((1, 32), {}),
        "Transpose": ((1, 4, 4, 2), {"perm": (0, 2, 3, 1)}),
        "Sigmoid": ((1, 2, 4, 4), {}),
    }[function]
    d.node(function, "f", "g", shape, **attributes)
    d.node("QuantizeLinear", "g", "y", shape, np.int8, q=(2.0, -5), **ALL)
    return {node.op for node in run_passes(d.graph("y")).nodes if "conv2d" in node.op}


def conv_like(channels: int, weight: int, bias: int = 0, quantized: bool = True) -> Graph:
    """A 1x1 convolution with weights so large that sums come close to 2^31."""
    d = Draft()
    d.input("x", (1, 2 * channels, 1, 1), np.int8, q=(1.0, 10))
    d.node("DequantizeLinear", "x", "x.real", (1, 2 * channels, 1, 1))
    d.constant("w", np.full((2, 2 * channels, 1, 1), weight), np.int8, q=(1.0, 0))
    d.node("DequantizeLinear", "w", "w.real", (2, 2 * channels, 1, 1))
    d.constant("b", [0, bias], np.int32, q=(1.0, 0))
    d.node("DequantizeLinear", "b", "b.real", (2,))
    window: dict[str, Any] = {"strides": (1, 1), "dilations": (1, 1), "pads": (0, 0, 0, 0)}
    d.node("Conv", "x.real w.real b.real", "f", (1, 2, 1, 1), **window, group=1)
    if not quantized:
        return d.graph("f")
    d.node("QuantizeLinear", "f", "y", (1, 2, 1, 1), np.int8, q=(1e6, 0), **ALL)
    return d.graph("y")


def test_conv_needs_one_weight_zero_point() -> None:
    graph = conv_graph()
    mixed = dict(graph.tensors)
    zero = graph.tensor("w.zero")
    mixed["w.zero"] = zero.constant("w.zero", np.array([0, 1], np.int8))
    different = Graph(graph.name, graph.nodes, mixed, graph.inputs, graph.outputs)
    assert integer_operators(different) is different
