# SPDX-License-Identifier: Apache-2.0
"""Passes on the engine's operators, before and after."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from bitpose.errors import GraphError, UnsupportedModelError
from bitpose.ir.graph import Graph
from bitpose.ir.names import escape
from bitpose.ir.operators import FLOAT_FUNCTIONS, UNARY_FUNCTIONS
from bitpose.ir.reference import run
from bitpose.passes import PIPELINE, permutations, run_passes
from bitpose.passes.engine_operators import engine_operators
from bitpose.passes.merge_duplicates import merge_duplicates
from bitpose.passes.merge_reshapes import merge_reshapes
from bitpose.passes.sink_transposes import sink_transposes
from bitpose.passes.tidy_names import tidy_names

from .build import ALL, Draft, lines

NHWC, NCHW = permutations.TO_NHWC, permutations.TO_NCHW


def transpose(d: Draft, x: str, y: str, p: tuple[int, ...]) -> str:
    source = d.tensors[x]
    shape = permutations.apply(source.shape, p)
    q = source.quantization
    note = None if q is None else (q.scale, q.zero_point)
    return d.node("transpose", x, y, shape, source.dtype, q=note, **permutations.attributes(p))


def same_results(before: Graph, after: Graph, seed: int = 0) -> None:
    """Runs both graphs on random inputs."""
    rng = np.random.default_rng(seed)
    feed: dict[str, Any] = {}
    for name in before.inputs:
        x = before.tensor(name)
        noise = rng.integers(-128, 128, x.shape)
        feed[name] = noise.astype(x.dtype)
    expected, got = run(before, feed), run(after, feed)
    for name in before.outputs:
        np.testing.assert_array_equal(got[name], expected[name])
        assert after.tensor(name).quantization == before.tensor(name).quantization


def sunk(d: Draft, *outputs: str) -> list[str]:
    """What sink_transposes makes of the graph, which must compute the same."""
    before = d.graph(*outputs)
    after = sink_transposes(before)
    same_results(before, after)
    return lines(after)


def ops(text: list[str]) -> list[str]:
    return [line.split(" = ")[1].split("(")[0] for line in text]


def test_transposes_cancel() -> None:
    d = Draft()
    d.input("x", (1, 2, 3, 4), np.int8, q=(0.5, 0))
    transpose(d, "x", "a", NCHW)
    transpose(d, "a", "b", NHWC)
    d.node("dequantize_qs8_f32", "b", "y", (1, 2, 3, 4))
    assert sunk(d, "y") == ["y: float32[1,2,3,4] = dequantize_qs8_f32(x)"]


def test_transposes_sink_through_functions() -> None:
    """Down to the second transpose, past a table, a sum with constants, a slice and a concat."""
    d = Draft()
    d.input("x", (1, 3, 4, 2), np.int8, q=(0.5, 0))
    d.constant("t", np.arange(256)[::-1], np.uint8)
    d.constant("c", np.arange(2).reshape(2, 1, 1), np.int8, q=(0.5, 0))
    transpose(d, "x", "a", NCHW)
    d.node("lut_x8", "a t", "b", (1, 2, 3, 4), np.int8, q=(0.5, 0))
    sums: dict[str, Any] = {"a_multiplier": 1, "b_multiplier": 1, "bias": 0, "multiplier": 1.0}
    d.node("add_qs8", "b c", "s", (1, 2, 3, 4), np.int8, q=(0.5, 0), **sums, **ALL)
    d.node("slice", "s", "p", (1, 1, 3, 4), np.int8, q=(0.5, 0), axis=1, start=1, length=1, step=1)
    d.node("concat", "s p", "k", (1, 3, 3, 4), np.int8, q=(0.5, 0), axis=1)
    transpose(d, "k", "y", NHWC)
    text = sunk(d, "y")
    assert ops(text) == ["lut_x8", "add_qs8", "slice", "concat"]
    assert "s@0231: int8[1,3,4,2]" in text[1]
    assert "c@0231=int8[1,1,1,2]" in text[1]
    assert text[2].endswith("axis=3, start=1, length=1, step=1)")
    assert text[3].startswith("y: int8[1,3,4,3]")


def test_transposes_meet() -> None:
    d = Draft()
    d.input("x", (1, 3, 4, 2))
    d.input("v", (1, 1, 1, 2))
    transpose(d, "x", "a", NCHW)
    transpose(d, "v", "b", NCHW)
    d.node("binary_f32", "a b", "y", (1, 2, 3, 4), function=2)
    assert ops(sunk(d, "y")) == ["binary_f32", "transpose"]


def test_transposes_of_units_are_reshapes() -> None:
    d = Draft()
    d.input("x", (1, 3, 4, 1))
    d.input("v", (2, 1, 1))
    transpose(d, "x", "a", NCHW)
    d.node("reshape", "a", "r", (12,))
    d.node("binary_f32", "a v", "s", (1, 2, 3, 4), function=0)
    text = sunk(d, "a", "r", "s")
    assert ops(text)[:2] == ["reshape", "reshape"]
    assert "r: float32[12] = reshape(x)" in text
    assert any("v@1x1x1x2" in line and "reshape(v)" in line for line in text)


def test_argmax_takes_the_axis() -> None:
    d = Draft()
    d.input("x", (1, 3, 4, 2))
    transpose(d, "x", "a", NCHW)
    first = {"select_last_index": 0, "smallest": 0}
    d.node("argmax", "a", "y", (1, 3, 4), np.int64, axis=1, keepdims=0, **first)
    d.node("argmax", "a", "z", (1, 2, 1, 4), np.int64, axis=2, keepdims=1, **first)
    text = sunk(d, "y", "z")
    assert text[0].startswith("y: int64[1,3,4] = argmax(x, axis=3, keepdims=0")
    assert text[1].startswith("z@0231: int64[1,1,4,2] = argmax(x, axis=1, keepdims=1")
    assert ops(text) == ["argmax", "argmax", "transpose"]


def test_axes_follow_transposes() -> None:
    """Case 4: each operator that names axes works on NHWC; the second operand stays."""
    d = Draft()
    d.input("x", (1, 3, 4, 2))
    d.constant("i", [1, 1, 0], np.int32)
    d.constant("v", 7, np.float32)
    transpose(d, "x", "a", NCHW)
    amounts = {f"{side}{i}": 0 for side in ("before", "after") for i in range(6)}
    amounts |= {"before1": 1, "after3": 2}
    d.node("pad", "a v", "p", (1, 3, 3, 6), **amounts)
    d.node("gather", "p i", "g", (1, 3, 3, 3), axis=3)
    d.node("reduce_f32", "g", "r", (1, 3, 1, 1), function=1, axes=0b1100)
    d.node("topk", "r", "k", (1, 2, 1, 1), np.int64, axis=1, k=2, largest=1)
    d.node("gather_elements", "r k", "e", (1, 2, 1, 1), axis=1)
    transpose(d, "e", "y", NHWC)
    text = sunk(d, "y")
    assert ops(text) == ["pad", "gather", "reduce_f32", "topk", "gather_elements"]
    assert "before3=1" in text[0]
    assert "after2=2" in text[0]
    assert "before1=0" in text[0]
    assert "axis=2" in text[1]
    assert "axes=6" in text[2]
    assert "axis=3" in text[3]
    assert "axis=3" in text[4]


def test_softmax_of_the_last_axis() -> None:
    d = Draft()
    d.input("x", (3, 2, 5))
    transpose(d, "x", "a", (1, 0, 2))
    d.node("softmax_f32", "a", "y", (2, 3, 5))
    transpose(d, "a", "b", (0, 2, 1))
    d.node("softmax_f32", "b", "z", (2, 5, 3))
    assert ops(sunk(d, "y", "z")) == ["softmax_f32", "transpose", "softmax_f32", "transpose"]


def test_transposes_that_stay_are_made_once() -> None:
    d = Draft()
    d.input("x", (2, 3), np.int32)
    d.input("i", (1, 1), np.int32)
    transpose(d, "x", "a", (1, 0))
    d.node("gather_nd", "a i", "y", (1, 2), np.int32, batch_dims=0)
    d.node("reshape", "a", "z", (6,), np.int32)
    assert ops(sunk(d, "y", "z", "a")) == ["transpose", "gather_nd", "reshape"]


def test_transposes_of_one_operand_stay() -> None:
    d = Draft()
    d.input("x", (2, 3))
    d.input("v", (3, 2))
    transpose(d, "x", "a", (1, 0))
    d.node("binary_f32", "a v", "y", (3, 2), function=0)
    assert ops(sunk(d, "y")) == ["transpose", "binary_f32"]


def test_merge_reshapes() -> None:
    d = Draft()
    d.input("x", (2, 3))
    d.constant("c", np.arange(6).reshape(2, 3), np.float32)
    d.node("reshape", "x", "a", (6,))
    d.node("reshape", "a", "b", (3, 2))
    d.node("reshape", "b", "e", (2, 3))
    d.node("reshape", "c", "f", (6, 1))
    d.node("binary_f32", "a f", "y", (6, 6), function=0)
    assert lines(merge_reshapes(d.graph("y", "b", "e"))) == [
        "a: float32[6] = reshape(x)",
        "b: float32[3,2] = reshape(x)",
        "y: float32[6,6] = binary_f32(a, f=float32[6,1], function=0)",
        "e: float32[2,3] = reshape(x)",
    ]


def test_merge_duplicates() -> None:
    d = Draft()
    d.input("x", (2,))
    d.constant("c", [1.0, 2.0], np.float32)
    d.constant("k", [1.0, 2.0], np.float32)
    d.node("binary_f32", "x c", "a", (2,), function=0)
    d.node("binary_f32", "x k", "b", (2,), function=0)
    d.node("binary_f32", "x k", "e", (2,), function=1)
    d.node("binary_f32", "a b", "y", (2,), function=2)
    d.node("binary_f32", "y e", "z", (2,), function=2)
    assert lines(merge_duplicates(d.graph("z"))) == [
        "a: float32[2] = binary_f32(x, c=float32[2][1.0, 2.0], function=0)",
        "e: float32[2] = binary_f32(x, c=float32[2][1.0, 2.0], function=1)",
        "y: float32[2] = binary_f32(a, a, function=2)",
        "z: float32[2] = binary_f32(y, e, function=2)",
    ]


def test_tidy_names() -> None:
    d = Draft()
    d.input("x", (2, 3))
    d.node("reshape", "x", "a@10", (3, 2))
    d.node("reshape", "a@10", "a@6x1", (6, 1))
    d.node("reshape", "a@6x1", escape("user@home"), (6,))
    assert lines(tidy_names(d.graph(escape("user@home")))) == [
        "a: float32[3,2] = reshape(x)",
        "a@6x1: float32[6,1] = reshape(a)",
        "user@home: float32[6] = reshape(a@6x1)",
    ]


def test_engine_operators_of_floats() -> None:
    d = Draft()
    d.input("x", (1, 2, 4, 4))
    d.constant("w", np.arange(6).reshape(3, 2, 1, 1), np.float32)
    window: dict[str, Any] = {"strides": (2, 2), "dilations": (1, 1), "pads": (0, 0, 0, 0)}
    d.node("Conv", "x w", "c", (1, 3, 2, 2), **window, group=1, fmin=0.0, fmax=6.0)
    d.node("Clip", "c", "k", (1, 3, 2, 2), low=1.0, high=2.0)
    d.node("Neg", "k", "n", (1, 3, 2, 2))
    d.node("Softmax", "n", "y", (1, 3, 2, 2), axis=1)
    text = lines(sink_transposes(engine_operators(d.graph("y"))))
    assert ops(text) == [
        *("transpose", "conv2d_f32", "unary_f32", "unary_f32", "softmax_f32", "transpose"),
    ]
    assert "w@ohwi=float32[3,1,1,2], c@bias=float32[3][0.0, 0.0, 0.0], stride_h=2" in text[1]
    assert text[1].endswith("fmin=0, fmax=6)")
    assert text[2].endswith(f"function={UNARY_FUNCTIONS.index('Clip')}, alpha=1, beta=2)")
    assert text[3].endswith(f"function={UNARY_FUNCTIONS.index('Neg')}, alpha=0, beta=0)")


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [
        (2.0, ["binary_f32"]),
        (3.0, ["binary_f32", "binary_f32"]),
        (0.5, ["unary_f32"]),
        (-1.0, ["unary_f32"]),
        (1.5, ["binary_f32"]),
    ],
)
def test_engine_operators_of_powers(exponent: float, expected: list[str]) -> None:
    d = Draft()
    d.input("x", (2, 3))
    d.constant("e", exponent, np.float32)
    d.node("Pow", "x e", "y", (2, 3))
    text = lines(engine_operators(d.graph("y")))
    assert ops(text) == expected
    power = f"function={FLOAT_FUNCTIONS.index('Pow')})"
    assert text[-1].endswith(power) == (exponent == 1.5)


def test_engine_operators_report_everything() -> None:
    d = Draft()
    d.input("x", (1, 2, 4, 4))
    d.input("i", (2,), np.int64)
    d.node("Sigmoid", "i", "s", (2,), np.int64)
    d.node("Pad", "x", "p", (1, 2, 6, 4), pads=(0, 0, 1, 0, 0, 0, 1, 0), value=0.0)
    d.node("PRelu", "i i", "j", (2,), np.int64)
    with pytest.raises(UnsupportedModelError) as caught:
        engine_operators(d.graph("s", "p", "j"))
    assert [problem.op for problem in caught.value.problems] == ["Sigmoid", "PRelu"]
    assert "PRelu 'j': it works on int64; supported: float32" in str(caught.value)


def test_a_broken_pass_is_named() -> None:
    d = Draft()
    d.input("x", (2,))
    d.node("reshape", "x", "y", (1, 2))
    graph = d.graph("y")

    def break_it(g: Graph) -> Graph:
        return Graph(g.name, g.nodes[:0], g.tensors, g.inputs, g.outputs)

    with pytest.raises(GraphError, match="after the pass break_it: graph output 'y'"):
        run_passes(graph, [break_it])


def test_the_pipeline_is_idempotent_on_final_graphs() -> None:
    d = Draft()
    d.input("x", (2,))
    d.constant("c", math.inf, np.float32)
    d.node("binary_f32", "x c", "y", (2,), function=4)
    graph = d.graph("y")
    assert run_passes(graph, PIPELINE) is graph
