# SPDX-License-Identifier: Apache-2.0
"""Passes that make tables and integer operators, before and after."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose.ir.graph import Graph
from bitpose.passes.compose_tables import compose_tables
from bitpose.passes.dequantize_constants import dequantize_constants
from bitpose.passes.integer_operators import add_multipliers, integer_operators
from bitpose.passes.make_tables import make_tables
from bitpose.passes.rational import best_fraction

from .build import ALL, Draft, lines


def table(graph: Graph, name: str) -> np.ndarray[Any, Any]:
    """The codes of a table, in the order -128 .. 127."""
    data = graph.tensor(name).data
    assert data is not None
    return np.roll(data, 128).view(np.int8)


def test_make_tables() -> None:
    """2 x + 1, squared, by way of a constant that is itself quantized."""
    d = Draft()
    d.input("x", (2, 3), np.int8, q=(0.5, 10))
    d.constant("two", np.full((1, 3), 12), np.int8, q=(0.25, 4))
    d.constant("one", 1.0, np.float32)
    d.node("DequantizeLinear", "x", "r", (2, 3))
    d.node("DequantizeLinear", "two", "t", (1, 3))
    d.node("Mul", "r t", "a", (2, 3))
    d.node("Add", "a one", "b", (2, 3))
    d.node("Mul", "b b", "c", (2, 3))
    d.node("QuantizeLinear", "c", "y", (2, 3), np.int8, q=(4.0, -100), qmin=-128, qmax=50)
    graph = make_tables(d.graph("y"))
    assert lines(graph) == ["y: int8[2,3] scale 4 zero point -100 = lut_x8(x, y@table=uint8[256])"]
    x = 0.5 * (np.arange(-128, 128) - 10)
    expected = np.clip(np.rint((2 * x + 1) ** 2 / 4) - 100, -128, 50)
    np.testing.assert_array_equal(table(graph, "y@table"), expected)


def test_make_tables_requantizes_under_another_shape() -> None:
    d = Draft()
    d.input("x", (6,), np.int8, q=(0.5, 0))
    d.constant("one", np.ones((1, 1)), np.float32)
    d.node("DequantizeLinear", "x", "r", (6,))
    d.node("Mul", "r one", "m", (1, 6))
    d.node("QuantizeLinear", "m", "y", (1, 6), np.int8, q=(1.0, 0), **ALL)
    graph = make_tables(d.graph("y"))
    assert lines(graph) == [
        "y@flat: int8[6] scale 1 zero point 0 = lut_x8(x, y@table=uint8[256])",
        "y: int8[1,6] scale 1 zero point 0 = Reshape(y@flat)",
    ]
    assert table(graph, "y@table")[125:134].tolist() == [-2, -1, 0, 0, 0, 1, 2, 2, 2]


@pytest.mark.parametrize("what", ["two operands", "several values", "a larger result"])
def test_make_tables_leaves_the_rest(what: str) -> None:
    d = Draft()
    d.input("x", (2,), np.int8, q=(0.5, 0))
    d.input("v", (2,), np.int8, q=(0.5, 0))
    d.node("DequantizeLinear", "x", "r", (2,))
    shape: tuple[int, ...] = (2,)
    if what == "two operands":
        d.node("DequantizeLinear", "v", "c", (2,))
    elif what == "several values":
        d.constant("c", [1.0, 2.0], np.float32)
    else:
        d.constant("c", np.ones((3, 1)), np.float32)
        shape = (3, 2)
    d.node("Add", "r c", "a", shape)
    d.node("QuantizeLinear", "a", "y", shape, np.int8, q=(0.5, 0), **ALL)
    graph = d.graph("y")
    assert make_tables(graph) is graph


def quantized(build: Callable[[Draft], object], q: tuple[float, int] = (0.25, -3)) -> list[str]:
    """The nodes for y = Q(build(...)), where build writes the float tensor f[1,2,4,4]."""
    d = Draft()
    for name, scale, zero_point in (("a", 0.5, 10), ("b", 0.2, -20)):
        d.input(name, (1, 2, 4, 4), np.int8, q=(scale, zero_point))
        d.node("DequantizeLinear", name, f"{name}.real", (1, 2, 4, 4))
    build(d)
    shape = d.tensors["f"].shape
    d.node("QuantizeLinear", "f", "y", shape, np.int8, q=q, qmin=-100, qmax=90)
    return lines(integer_operators(d.graph("y")))


def test_add() -> None:
    """0.5 : 0.2 in float32 is 5 : 2 to within what small terms can say."""
    (line,) = quantized(lambda d: d.node("Add", "a.real b.real", "f", (1, 2, 4, 4)))
    assert line == (
        "y: int8[1,2,4,4] scale 0.25 zero point -3 = add_qs8(a, b, a_multiplier=5, b_multiplier=2, "
        "bias=-10, multiplier=0.400000006, qmin=-100, qmax=90)"
    )


def test_sub() -> None:
    (line,) = quantized(lambda d: d.node("Sub", "b.real a.real", "f", (1, 2, 4, 4)))
    assert "add_qs8(b, a, a_multiplier=2, b_multiplier=-5, bias=90, multiplier=0.4" in line


def test_mul() -> None:
    (line,) = quantized(lambda d: d.node("Mul", "a.real b.real", "f", (1, 2, 4, 4)))
    assert "mul_qs8(a, b, multiplier=0.400000006, qmin=-100, qmax=90)" in line


def test_average() -> None:
    def build(d: Draft) -> None:
        window: dict[str, Any] = {"kernel": (2, 3), "strides": (2, 1)}
        window |= {"dilations": (1, 1), "pads": (0, 1, 0, 1)}
        d.node("AveragePool", "a.real", "f", (1, 2, 2, 4), **window, count_include_pad=1)

    _, middle, last = quantized(build)
    assert middle == (
        "y@0231: int8[1,2,4,2] scale 0.25 zero point -3 = avgpool2d_qs8(a@0231, kernel_h=2, "
        "kernel_w=3, stride_h=2, stride_w=1, dilation_h=1, dilation_w=1, pad_top=0, pad_left=1, "
        "pad_bottom=0, pad_right=1, count_include_pad=1, multiplier=2, qmin=-100, qmax=90)"
    )
    assert last.startswith(
        "y: int8[1,2,2,4] scale 0.25 zero point -3 = transpose(y@0231, perm0=0, "
    )


def test_resize() -> None:
    def build(d: Draft) -> None:
        d.node(
            "Resize", "a.real", "f", (1, 2, 8, 8), scales=(2.0, 2.0), coordinate_mode="asymmetric"
        )

    _, middle, _ = quantized(build)
    assert middle.endswith("scale_h=2, scale_w=2, coordinate_mode=1, qmin=-100, qmax=90)")


def test_dequantize_constants() -> None:
    d = Draft()
    d.input("x", (2,))
    d.constant("w", [1, 5], np.int8, q=(0.5, 3))
    d.node("DequantizeLinear", "w", "r", (2,))
    d.node("Add", "x r", "y", (2,))
    assert lines(dequantize_constants(d.graph("y"))) == [
        "y: float32[2] = Add(x, r=float32[2][-1.0, 1.0])"
    ]


def with_tables(*tables: Any, q: tuple[float, int] = (0.5, 0)) -> Draft:
    """x -> add -> t0 -> t1 -> ... -> y, all with one scale except the last."""
    d = Draft()
    d.input("x", (2,), np.int8, q=(0.5, 0))
    attributes: dict[str, Any] = {"a_multiplier": 1, "b_multiplier": 1, "bias": 0}
    d.node("add_qs8", "x x", "s", (2,), np.int8, q=(0.5, 0), **attributes, multiplier=1.0, **ALL)
    names = ["s", *(f"t{i}" for i in range(len(tables) - 1)), "y"]
    for i, codes in enumerate(tables):
        d.constant(f"table{i}", np.roll(np.array(codes, np.int8), 128).view(np.uint8), np.uint8)
        note = q if i == len(tables) - 1 else (0.5, 0)
        d.node("lut_x8", f"{names[i]} table{i}", names[i + 1], (2,), np.int8, q=note)
    return d


CODES = np.arange(-128, 128)


def test_compose_tables() -> None:
    half, flip = CODES // 2, -1 - CODES
    graph = compose_tables(with_tables(half, flip, half).graph("y"))
    assert [node.op for node in graph.nodes] == ["add_qs8", "lut_x8"]
    np.testing.assert_array_equal(table(graph, "y@table"), (-1 - CODES // 2) // 2)


def test_compose_tables_keeps_what_is_read() -> None:
    d = with_tables(CODES // 2, -1 - CODES)
    graph = compose_tables(d.graph("y", "t0"))
    assert [node.inputs[0] for node in graph.nodes] == ["x", "s", "s"]


def test_compose_tables_drops_identities() -> None:
    flip = -1 - CODES
    assert [n.op for n in compose_tables(with_tables(flip, flip).graph("y")).nodes] == ["add_qs8"]
    kept = compose_tables(with_tables(CODES, q=(0.25, 0)).graph("y"))  # It means something else.
    assert [n.op for n in kept.nodes] == ["add_qs8", "lut_x8"]


def test_compose_tables_clamps() -> None:
    graph = compose_tables(with_tables(np.clip(CODES, 0, 60)).graph("y"))
    (line,) = lines(graph)
    assert line.startswith("y: ")
    assert line.endswith("qmin=0, qmax=60)")
    read_twice = with_tables(np.clip(CODES, 0, 60)).graph("y", "s")
    assert compose_tables(read_twice) is read_twice


@given(st.fractions(0, 40), st.integers(1, 40))
def test_best_fraction(x: Fraction, limit: int) -> None:
    p, q = best_fraction(x, limit)
    assert 0 <= p <= limit
    assert 1 <= q <= limit
    closest = min(
        abs(x - Fraction(n, d))
        for d in range(1, limit + 1)
        for n in {min(math.floor(x * d), limit), min(math.ceil(x * d), limit)}
    )
    assert abs(x - Fraction(p, q)) == closest


@given(st.floats(2**-20, 2**20, width=32), st.floats(2**-20, 2**20, width=32))
def test_add_multipliers(a: float, b: float) -> None:
    """Both operands keep their share of the sum to below 1 / 32767 of the larger one's step."""
    ma, mb = add_multipliers(a, b)
    assert min(ma, mb) >= 0
    assert 1 <= max(ma, mb) <= 32767
    unit = Fraction(a) / ma if a >= b else Fraction(b) / mb
    error = abs(Fraction(a) - unit * ma) + abs(Fraction(b) - unit * mb)
    assert error * 32767 <= max(Fraction(a), Fraction(b))
