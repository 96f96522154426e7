# SPDX-License-Identifier: Apache-2.0
"""Passes that simplify graphs of ONNX's operations, before and after."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bitpose.passes.annotate_quantization import annotate_quantization
from bitpose.passes.drop_identities import drop_identities
from bitpose.passes.eliminate_dead import eliminate_dead
from bitpose.passes.fold_casts import fold_casts
from bitpose.passes.fold_clips import fold_clips
from bitpose.passes.fold_constants import fold_constants
from bitpose.passes.fold_pads import fold_pads
from bitpose.passes.hoist_quantize import hoist_quantize
from bitpose.passes.sink_dequantize import sink_dequantize
from bitpose.passes.unsigned_to_signed import unsigned_to_signed

from .build import ALL, Draft, lines

#: Attributes of an ArgMax that takes the first of equals.
FIRST = {"select_last_index": 0, "smallest": 0}
CONV = {"strides": (1, 1), "dilations": (1, 1), "pads": (0, 0, 0, 0), "group": 1}


def test_eliminate_dead() -> None:
    d = Draft()
    d.input("x", (2,))
    d.input("unused", (3,))
    d.node("Neg", "x", "y", (2,))
    d.node("Neg", "y", "dead", (2,))
    graph = eliminate_dead(d.graph("y"))
    assert lines(graph) == ["y: float32[2] = Neg(x)"]
    assert set(graph.tensors) == {"x", "y", "unused"}
    assert eliminate_dead(graph) is graph


def test_fold_constants() -> None:
    d = Draft()
    d.input("x", (2,))
    d.constant("a", [1.5, 2.0], np.float32)
    d.constant("b", [0.1, 3.0], np.float32)
    d.node("Div", "a b", "c", (2,))
    d.node("Exp", "c", "e", (2,))
    d.node("Add", "x e", "y", (2,))
    graph = fold_constants(d.graph("y"))
    assert lines(graph) == ["y: float32[2] = Add(x, e=float32[2][3269017.25, 1.9477341175079346])"]


def test_fold_constants_keeps_codes_and_outputs() -> None:
    d = Draft()
    d.constant("w", [1, 2], np.int8, q=(0.5, 0))
    d.constant("i", [4, 5], np.int64)
    d.node("DequantizeLinear", "w", "y", (2,))
    d.node("Reshape", "i", "z", (2, 1), dtype=np.int64)
    graph = d.graph("y", "z")
    assert fold_constants(graph) is graph


def test_fold_constants_quantizes_weights() -> None:
    d = Draft()
    d.constant("w", [[-1.0, 0.26], [3.0, 700.0]], np.float32)
    d.constant("s", [0.5, 2.0], np.float32)
    d.constant("z", [0, -3], np.int8)
    d.node("QuantizeLinear", "w s z", "q", (2, 2), np.int8, axis=0)
    d.node("DequantizeLinear", "q s z", "y", (2, 2), axis=0)
    graph = fold_constants(d.graph("y"))
    assert [node.op for node in graph.nodes] == ["DequantizeLinear"]
    data = graph.tensor("q").data
    assert data is not None
    assert data.tolist() == [[-2, 1], [-1, 127]]  # 3 / 2 - 3 and a tie go to even.


def test_drop_identities() -> None:
    d = Draft()
    d.input("x", (2, 3))
    d.node("Transpose", "x", "a", (2, 3), perm=(0, 1))
    d.node("Reshape", "a", "b", (2, 3))
    d.node("Slice", "b", "c", (2, 3), axis=1, start=0, length=3, step=1)
    d.node("Concat", "c", "e", (2, 3), axis=0)
    d.node("Cast", "e", "f", (2, 3))
    d.node("Clip", "f", "g", (2, 3), low=-math.inf, high=math.inf)
    d.node("Pad", "g", "h", (2, 3), pads=(0, 0, 0, 0), value=0.0)
    d.node("Neg", "h", "y", (2, 3))
    assert lines(drop_identities(d.graph("y"))) == ["y: float32[2,3] = Neg(x)"]


def test_drop_identities_requantized() -> None:
    d = Draft()
    d.input("x", (2,), np.int8, q=(0.25, 3))
    d.node("DequantizeLinear", "x", "r", (2,))
    d.node("QuantizeLinear", "r", "a", (2,), np.int8, q=(0.25, 3), **ALL)
    d.node("QuantizeLinear", "r", "b", (2,), np.int8, q=(0.25, 3), qmin=0, qmax=127)
    d.node("Reshape", "a", "y", (1, 2), np.int8, q=(0.25, 3))
    d.node("Reshape", "b", "z", (1, 2), np.int8, q=(0.25, 3))
    assert lines(drop_identities(d.graph("y", "z"))) == [
        "r: float32[2] = DequantizeLinear(x)",
        "b: int8[2] scale 0.25 zero point 3 = QuantizeLinear(r, qmin=0, qmax=127)",
        "y: int8[1,2] scale 0.25 zero point 3 = Reshape(x)",
        "z: int8[1,2] scale 0.25 zero point 3 = Reshape(b)",
    ]


def test_dropped_outputs_keep_their_names() -> None:
    d = Draft()
    d.input("x", (2,))
    d.node("Neg", "x", "a", (2,))
    d.node("Reshape", "a", "y", (2,))
    d.node("Reshape", "a", "z", (2,))
    d.node("Reshape", "x", "w", (2,))
    assert lines(drop_identities(d.graph("y", "z", "w"))) == [
        "y: float32[2] = Neg(x)",
        "z: float32[2] = reshape(y)",
        "w: float32[2] = reshape(x)",
    ]


def test_annotate_quantization() -> None:
    d = Draft()
    d.input("x", (4,))
    d.constant("s", 0.5, np.float32)
    d.constant("z", 7, np.int8)
    d.node("QuantizeLinear", "x s z", "q", (4,), np.int8, axis=0)
    d.node("Reshape", "q", "m", (2, 2), np.int8)
    d.node("DequantizeLinear", "m s z", "y", (2, 2), axis=0)
    assert lines(annotate_quantization(d.graph("y"))) == [
        "q: int8[4] scale 0.5 zero point 7 = QuantizeLinear(x, qmin=-128, qmax=127)",
        "m: int8[2,2] scale 0.5 zero point 7 = Reshape(q)",
        "y: float32[2,2] = DequantizeLinear(m)",
    ]


def test_annotate_quantization_of_inputs() -> None:
    """What a reader says holds for the graph input that codes come from; a cast reads codes too."""
    d = Draft()
    d.input("x", (4,), np.int8)
    d.input("u", (4,), np.uint8)
    d.constant("s", 0.5, np.float32)
    d.constant("z", 7, np.int8)
    d.node("Reshape", "x", "m", (2, 2), np.int8)
    d.node("DequantizeLinear", "m s z", "y", (2, 2), axis=0)
    d.node("Cast", "u", "v", (4,))
    graph = annotate_quantization(d.graph("y", "v"))
    assert lines(graph)[2] == "v: float32[4] = DequantizeLinear(u)"
    notes = {name: graph.tensor(name).quantization for name in ("x", "u")}
    assert [(q.scale, q.zero_point) for q in notes.values() if q] == [(0.5, 7), (1.0, 0)]


def test_annotate_quantization_that_disagrees() -> None:
    d = Draft()
    d.input("x", (4,))
    d.constant("s", 0.5, np.float32)
    d.constant("t", 0.25, np.float32)
    d.constant("z", 7, np.int8)
    d.node("QuantizeLinear", "x s z", "q", (4,), np.int8, axis=0)
    d.node("DequantizeLinear", "q t z", "y", (4,), axis=0)
    assert lines(annotate_quantization(d.graph("y")))[1:] == [
        "y@codes: int8[4] scale 0.25 zero point 7 = lut_x8(q, y@codes@table=uint8[256])",
        "y: float32[4] = DequantizeLinear(y@codes)",
    ]


def test_annotate_keeps_channels() -> None:
    d = Draft()
    d.constant("w", [[1], [2]], np.int8)
    d.constant("s", [0.5, 1.0], np.float32)
    d.constant("z", [0, 0], np.int8)
    d.node("DequantizeLinear", "w s z", "y", (2, 1), axis=0)
    graph = d.graph("y")
    assert annotate_quantization(graph) is graph


def test_unsigned_to_signed() -> None:
    d = Draft()
    d.input("x", (2,), np.uint8, q=(0.5, 128))
    d.constant("c", [0, 255], np.uint8, q=(1.0, 3))
    d.node("Concat", "x c", "m", (4,), np.uint8, q=(0.5, 128), axis=0)
    d.node("DequantizeLinear", "m", "r", (4,))
    d.node("QuantizeLinear", "r", "y", (4,), np.uint8, q=(0.25, 1), qmin=1, qmax=255)
    graph = unsigned_to_signed(d.graph("y"))
    assert lines(graph) == [
        "x@int8: int8[2] scale 0.5 zero point 0 = lut_x8(x, x@int8@table=uint8[256])",
        "m: int8[4] scale 0.5 zero point 0 = "
        "Concat(x@int8, c=int8[2] scale 1 zero point -125[-128, 127], axis=0)",
        "r: float32[4] = DequantizeLinear(m)",
        "y@int8: int8[4] scale 0.25 zero point -127 = QuantizeLinear(r, qmin=-127, qmax=127)",
        "y: uint8[4] scale 0.25 zero point 1 = lut_x8(y@int8, y@table=uint8[256])",
    ]
    table = graph.tensor("y@table").data
    assert table is not None
    assert table.tolist() == [i ^ 0x80 for i in range(256)]


def test_unsigned_integers_stay() -> None:
    d = Draft()
    d.input("x", (2,))
    d.node("Cast", "x", "c", (2,), np.uint8)
    d.node("Add", "c c", "s", (2,), np.uint8)
    d.node("Reshape", "s", "y", (1, 2), np.uint8)
    graph = d.graph("y")
    assert unsigned_to_signed(graph) is graph


def test_unsigned_codes_that_are_computed_with() -> None:
    """Only what has a scale, or moves to where one is, holds other bytes."""
    d = Draft()
    d.input("x", (2,), np.uint8, q=(0.5, 128))
    d.constant("c", [1, 200], np.uint8)
    d.node("Add", "x c", "s", (2,), np.uint8)
    d.node("Reshape", "s", "m", (1, 2), np.uint8)
    d.node("DequantizeLinear", "x", "y", (2,))
    d.node("Max", "m m", "z", (1, 2), np.uint8, q=(0.5, 3))
    d.node("DequantizeLinear", "z", "w", (1, 2))
    assert lines(unsigned_to_signed(d.graph("y", "z", "w"))) == [
        "x@int8: int8[2] scale 0.5 zero point 0 = lut_x8(x, x@int8@table=uint8[256])",
        "x@uint8: uint8[2] = lut_x8(x@int8, x@uint8@table=uint8[256])",
        "s: uint8[2] = Add(x@uint8, c=uint8[2][1, 200])",
        "m: uint8[1,2] = Reshape(s)",
        "y: float32[2] = DequantizeLinear(x@int8)",
        "z: uint8[1,2] scale 0.5 zero point 3 = Max(m, m)",
        "z@int8: int8[1,2] scale 0.5 zero point -125 = lut_x8(z, z@int8@table=uint8[256])",
        "w: float32[1,2] = DequantizeLinear(z@int8)",
    ]


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        ((0.0, 6.0), (0.0, math.inf), "low=0, high=6"),
        ((0.0, math.inf), (-1.0, 6.0), "low=0, high=6"),
        ((0.0, 1.0), (2.0, 3.0), "low=2, high=2"),
        ((4.0, 5.0), (2.0, 3.0), "low=3, high=3"),
    ],
)
def test_fold_clips_merges(
    first: tuple[float, float], second: tuple[float, float], merged: str
) -> None:
    d = Draft()
    d.input("x", (2,))
    d.node("Clip", "x", "a", (2,), low=first[0], high=first[1])
    d.node("Clip", "a", "y", (2,), low=second[0], high=second[1])
    assert lines(fold_clips(d.graph("y"))) == [f"y: float32[2] = Clip(x, {merged})"]


def test_fold_clips_into_quantize() -> None:
    """The bounds become the codes that they would have: 6 / 0.05 = 120, and 0 is code -100."""
    d = Draft()
    d.input("x", (2,))
    d.node("Clip", "x", "a", (2,), low=0.0, high=6.0)
    d.node("QuantizeLinear", "a", "y", (2,), np.int8, q=(0.05, -100), **ALL)
    assert lines(fold_clips(d.graph("y"))) == [
        "y: int8[2] scale 0.0500000007 zero point -100 = QuantizeLinear(x, qmin=-100, qmax=20)"
    ]


def convolution(d: Draft) -> None:
    d.input("x", (1, 2, 4, 4))
    d.constant("w", np.ones((3, 2, 1, 1)), np.float32)
    d.node("Conv", "x w", "c", (1, 3, 4, 4), **CONV)


def test_fold_clips_into_conv() -> None:
    d = Draft()
    convolution(d)
    d.node("Clip", "c", "a", (1, 3, 4, 4), low=0.0, high=math.inf)
    d.node("Clip", "a", "y", (1, 3, 4, 4), low=-1.0, high=6.0)
    first, second = lines(fold_clips(d.graph("y", "a")))
    assert first.endswith("fmin=0, fmax=inf)")
    assert second == "y: float32[1,3,4,4] = Clip(a, low=-1, high=6)"  # a is an output too.
    graph = fold_clips(fold_clips(d.graph("y")))
    assert lines(graph)[-1].endswith("fmin=0, fmax=6)")
    assert [node.op for node in graph.nodes] == ["Conv"]


def test_hoist_quantize() -> None:
    d = Draft()
    d.input("x", (1, 1, 2, 2))
    d.input("v", (1, 4))
    d.node("Pad", "x", "p", (1, 1, 2, 4), pads=(0, 0, 0, 1, 0, 0, 0, 1), value=0.0)
    d.node("Reshape", "p", "a", (1, 8))
    d.node("Concat", "a v", "c", (1, 12), axis=1)
    d.node("QuantizeLinear", "c", "y", (1, 12), np.int8, q=(0.5, 9), **ALL)
    assert lines(hoist_quantize(d.graph("y"))) == [
        "x@y: int8[1,1,2,2] scale 0.5 zero point 9 = QuantizeLinear(x, qmin=-128, qmax=127)",
        "p@y: int8[1,1,2,4] scale 0.5 zero point 9 = Pad(x@y, pads=[0,0,0,1,0,0,0,1], value=9)",
        "a@y: int8[1,8] scale 0.5 zero point 9 = Reshape(p@y)",
        "v@y: int8[1,4] scale 0.5 zero point 9 = QuantizeLinear(v, qmin=-128, qmax=127)",
        "y: int8[1,12] scale 0.5 zero point 9 = Concat(a@y, v@y, axis=1)",
    ]


def test_hoist_quantize_leaves_what_others_read() -> None:
    d = Draft()
    d.input("x", (4,))
    d.node("Reshape", "x", "a", (2, 2))
    d.node("QuantizeLinear", "a", "y", (2, 2), np.int8, q=(0.5, 9), **ALL)
    graph = d.graph("y", "a")
    assert hoist_quantize(graph) is graph


def test_sink_dequantize() -> None:
    d = Draft()
    d.input("x", (1, 2, 2, 2), np.int8, q=(0.5, 9))
    d.input("v", (1, 2, 2, 2), np.int8, q=(0.5, 9))
    d.node("DequantizeLinear", "x", "a", (1, 2, 2, 2))
    d.node("DequantizeLinear", "v", "b", (1, 2, 2, 2))
    d.node("Concat", "a b", "c", (1, 4, 2, 2), axis=1)
    d.node("Pad", "c", "p", (1, 4, 2, 4), pads=(0, 0, 0, 1, 0, 0, 0, 1), value=0.0)
    d.node("ArgMax", "p", "y", (1, 2, 4), np.int64, axis=1, keepdims=0, **FIRST)
    assert lines(sink_dequantize(d.graph("y"))) == [
        "c@codes: int8[1,4,2,2] scale 0.5 zero point 9 = Concat(x, v, axis=1)",
        "p@codes: int8[1,4,2,4] scale 0.5 zero point 9 = "
        "Pad(c@codes, pads=[0,0,0,1,0,0,0,1], value=9)",
        "y: int64[1,2,4] = ArgMax(p@codes, axis=1, keepdims=0, select_last_index=0, smallest=0)",
    ]


def test_pads_with_other_values() -> None:
    """QuantizeLinear moves over every value, DequantizeLinear over those that are a code's."""
    d = Draft()
    d.input("x", (4,))
    d.input("q", (4,), np.int8, q=(0.5, 9))
    d.node("Pad", "x", "a", (6,), pads=(1, 1), value=-2.3)
    d.node("QuantizeLinear", "a", "h", (6,), np.int8, q=(0.5, 9), **ALL)
    d.node("DequantizeLinear", "q", "r", (4,))
    d.node("Pad", "r", "y", (6,), pads=(1, 1), value=-2.5)
    d.node("Pad", "r", "z", (6,), pads=(1, 1), value=-2.3)
    graph = sink_dequantize(hoist_quantize(d.graph("h", "y", "z")))
    found = {n.outputs[0]: n for n in graph.nodes}
    assert found["h"].attributes["value"] == 4
    assert found["y"].op == "DequantizeLinear"
    assert found["y@codes"].attributes["value"] == 4
    assert found["z"].op == "Pad"
    assert found["z"].inputs == ("r",)


def test_reductions_to_an_element_work_on_codes() -> None:
    d = Draft()
    d.input("q", (4, 2), np.int8, q=(0.5, 9))
    d.node("DequantizeLinear", "q", "r", (4, 2))
    d.node("reduce_f32", "r", "y", (4, 1), function=4, axes=2)
    d.node("reduce_f32", "r", "z", (4, 1), function=0, axes=2)
    assert lines(sink_dequantize(d.graph("y", "z"))) == [
        "r: float32[4,2] = DequantizeLinear(q)",
        "y@codes: int8[4,1] scale 0.5 zero point 9 = reduce_integer(q, function=4, axes=2)",
        "y: float32[4,1] = DequantizeLinear(y@codes)",
        "z: float32[4,1] = reduce_f32(r, function=0, axes=2)",
    ]


def test_sink_dequantize_needs_one_scale() -> None:
    d = Draft()
    d.input("x", (2,), np.int8, q=(0.5, 9))
    d.input("v", (2,), np.int8, q=(0.25, 9))
    d.node("DequantizeLinear", "x", "a", (2,))
    d.node("DequantizeLinear", "v", "b", (2,))
    d.node("Concat", "a b", "y", (4,), axis=0)
    graph = d.graph("y")
    assert sink_dequantize(graph) is graph


def test_sink_dequantize_of_channels() -> None:
    """The weights of a dense layer [K, N] on their way to a convolution's [N, K, 1, 1]."""
    d = Draft()
    d.constant("w", np.ones((3, 2)), np.int8)
    d.constant("s", [0.5, 1.0], np.float32)
    d.constant("z", [0, 0], np.int8)
    d.node("DequantizeLinear", "w s z", "a", (3, 2), axis=1)
    d.node("Transpose", "a", "b", (2, 3), perm=(1, 0))
    d.node("Reshape", "b", "y", (2, 3, 1, 1))
    assert lines(sink_dequantize(d.graph("y"))) == [
        "b@codes: int8[2,3] = Transpose(w=int8[3,2], perm=[1,0])",
        "y@codes: int8[2,3,1,1] = Reshape(b@codes)",
        "y: float32[2,3,1,1] = DequantizeLinear(y@codes, s=float32[2][0.5, 1.0], "
        "z=int8[2][0, 0], axis=0)",
    ]
    d.node("Reshape", "b", "flat", (6,))  # No axis runs over the channels.
    assert lines(sink_dequantize(d.graph("flat")))[-1] == "flat: float32[6] = Reshape(b)"


def test_fold_pads() -> None:
    d = Draft()
    d.input("x", (1, 2, 4, 4))
    d.constant("w", np.ones((3, 2, 3, 3)), np.float32)
    d.node("Pad", "x", "p", (1, 2, 5, 6), pads=(0, 0, 0, 1, 0, 0, 1, 1), value=0.0)
    d.node("Conv", "p w", "y", (1, 3, 4, 4), **CONV | {"pads": (1, 0, 0, 0)})
    (line,) = lines(fold_pads(d.graph("y")))
    assert "Conv(x, " in line
    assert "pads=[1,1,1,1]" in line


def test_fold_pads_of_codes() -> None:
    d = Draft()
    d.input("x", (1, 2, 4, 4), np.int8, q=(0.5, 9))
    d.constant("w", np.ones((3, 2, 3, 3)), np.float32)
    pads = (0, 0, 1, 1, 0, 0, 1, 1)
    d.node("Pad", "x", "p", (1, 2, 6, 6), np.int8, q=(0.5, 9), pads=pads, value=9.0)
    d.node("DequantizeLinear", "p", "r", (1, 2, 6, 6))
    d.node("Conv", "r w", "y", (1, 3, 4, 4), **CONV)
    first, second = lines(fold_pads(d.graph("y")))
    assert first == "x@real: float32[1,2,4,4] = DequantizeLinear(x)"
    assert "pads=[1,1,1,1]" in second


def test_fold_pads_stops_at_the_kernel() -> None:
    d = Draft()
    d.input("x", (1, 2, 4, 4))
    d.constant("w", np.ones((3, 2, 1, 1)), np.float32)
    d.node("Pad", "x", "p", (1, 2, 5, 4), pads=(0, 0, 1, 0, 0, 0, 0, 0), value=0.0)
    d.node("Conv", "p w", "y", (1, 3, 5, 4), **CONV)
    graph = d.graph("y")
    assert fold_pads(graph) is graph


def test_fold_casts() -> None:
    d = Draft()
    d.input("x", (3, 4))
    d.input("v", (9,))
    d.node("ArgMax", "x", "a", (3, 1), np.int64, axis=1, keepdims=1, **FIRST)
    d.node("Cast", "a", "b", (3, 1), np.int32)
    d.node("Cast", "b", "c", (3, 1), np.int64)
    d.node("gather_nd", "v c", "y", (3,), batch_dims=0)
    d.node("Cast", "c", "z", (3, 1), np.int32)
    d.node("Neg", "z", "n", (3, 1), np.int32)
    assert lines(fold_casts(d.graph("y", "n"))) == [
        "b: int32[3,1] = ArgMax(x, axis=1, keepdims=1, select_last_index=0, smallest=0)",
        "y: float32[3] = gather_nd(v, b, batch_dims=0)",
        "n: int32[3,1] = Neg(b)",
    ]


def test_large_constants_are_folded_where_they_do_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fold_constants.__globals__, "_MOST_ELEMENTS", 10)
    d = Draft()
    d.input("x", (4, 5))
    d.constant("c", np.ones((4, 5)), np.float32)
    d.constant("row", np.ones((1, 5)), np.float32)
    d.constant("column", np.ones((4, 1)), np.float32)
    d.node("Neg", "c", "kept", (4, 5))
    d.node("Add", "row column", "grown", (4, 5))
    d.node("Mul", "x kept", "t", (4, 5))
    d.node("Mul", "t grown", "y", (4, 5))
    assert [node.op for node in fold_constants(d.graph("y")).nodes] == ["Add", "Mul", "Mul"]
