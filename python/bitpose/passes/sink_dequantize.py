# SPDX-License-Identifier: Apache-2.0
"""Moves codes, not reals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bitpose.ir.graph import Attribute, Graph, Node, Tensor
from bitpose.ir.names import derived
from bitpose.ir.operators import MOVING, REDUCTIONS
from bitpose.passes.qdq import quantization_of
from bitpose.passes.rewriter import Rewriter, integer, ints, number


def sink_dequantize(graph: Graph) -> Graph:
    """Before -> after (D: DequantizeLinear; M moves or selects elements, or is a MaxPool of int8):

        1. M(D(q))                       ->   D(M(q))
        2. Concat(D(q)...), equal scales
           and zero points               ->   D(Concat(q...))
        3. Pad(D(q), D(c))               ->   D(Pad(q, c))
        4. ArgMax(D(q)), topk(D(q))      ->   ArgMax(q), topk(q)
        5. Transpose or Reshape of D(q)
           with one scale per channel    ->   D(M(q)) if the channels stay an axis
        6. reduce_f32(D(q)) of the
           function Min or Max           ->   D(reduce_integer(q))

    Exact: D works element by element and is strictly increasing.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        sources = [r.producer(x) for x in node.inputs]
        first = sources[0] if sources else None
        if first is None or first.op != "DequantizeLinear":
            r.keep(node)
        elif node.op in _computed_on(r, first) and len(first.inputs) == 1:
            r.emit(node.op, first.inputs, r.tensor(node.outputs[0]), **node.attributes)
        elif node.op in ("Concat", "concat"):
            _concat(r, node, sources)
        elif node.op == "Pad" and len(first.inputs) == 1:
            _pad(r, node, first)
        elif node.op in _movers(r, first) and len(first.inputs) == 1:
            _move(r, node, first, node.op)
        elif _selects(node) and len(first.inputs) == 1:
            _move(r, node, first, "reduce_integer")
        elif node.op in ("Transpose", "Reshape"):
            _move_channels(r, node, first)
        else:
            r.keep(node)
    return r.finish()


def _has_bytes(r: Rewriter, dequantize: Node) -> bool:
    return r.tensor(dequantize.inputs[0]).dtype != np.int16


def _movers(r: Rewriter, dequantize: Node) -> tuple[str, ...]:
    return (*MOVING, "MaxPool") if _has_bytes(r, dequantize) else MOVING


def _computed_on(r: Rewriter, dequantize: Node) -> tuple[str, ...]:
    """Operations whose result is the same for codes."""
    return ("ArgMax", "topk") if _has_bytes(r, dequantize) else ("topk",)


def _moved(r: Rewriter, node: Node, codes: Tensor) -> Tensor:
    """What the codes become: the shape of the node's output."""
    y = r.tensor(node.outputs[0])
    return replace(codes, name=derived(y.name, "codes"), shape=y.shape, data=None)


def _concat(r: Rewriter, node: Node, sources: list[Node | None]) -> None:
    """Case 2."""
    codes = [r.tensor(s.inputs[0]) for s in sources if s is not None and _per_tensor(s)]
    notes = {x.quantization for x in codes}
    if len(codes) != len(node.inputs) or len(notes) != 1:
        r.keep(node)
        return
    moved = _moved(r, node, codes[0])
    r.emit(node.op, [x.name for x in codes], moved, **node.attributes)
    r.emit("DequantizeLinear", [moved.name], r.tensor(node.outputs[0]))


def _per_tensor(node: Node) -> bool:
    return node.op == "DequantizeLinear" and len(node.inputs) == 1


def _selects(node: Node) -> bool:
    """Whether a node is a reduction to one of the reduced elements."""
    return node.op == "reduce_f32" and REDUCTIONS[integer(node, "function")] in ("Min", "Max")


def _move(
    r: Rewriter, node: Node, source: Node, op: str, changed: Mapping[str, Attribute] | None = None
) -> None:
    """Cases 1 and 6: `op` on the codes."""
    codes = r.tensor(source.inputs[0])
    moved = _moved(r, node, codes)
    attributes = {**node.attributes, **(changed or {})}
    r.emit(op, [codes.name, *node.inputs[1:]], moved, **attributes)
    r.emit("DequantizeLinear", [moved.name], r.tensor(node.outputs[0]))


def _pad(r: Rewriter, node: Node, source: Node) -> None:
    """Case 3."""
    codes = r.tensor(source.inputs[0])
    q, limits = quantization_of(codes), np.iinfo(codes.dtype)
    value, scale = np.float32(number(node, "value")), np.float32(q.scale)
    code = np.clip(np.rint(value / scale) + q.zero_point, limits.min, limits.max)
    if np.float32(code - q.zero_point) * scale != value:
        r.keep(node)
        return
    _move(r, node, source, "Pad", {"value": float(code)})


def _move_channels(r: Rewriter, node: Node, source: Node) -> None:
    """Case 5."""
    codes, y = r.tensor(source.inputs[0]), r.tensor(node.outputs[0])
    axis: int | None = integer(source, "axis")
    if node.op == "Transpose":
        axis = ints(node, "perm").index(integer(source, "axis"))
    else:
        axis = _same_axis(codes.shape, y.shape, integer(source, "axis"))
    if axis is None:
        r.keep(node)
        return
    moved = _moved(r, node, codes)
    r.emit(node.op, [codes.name], moved, **node.attributes)
    r.emit("DequantizeLinear", [moved.name, *source.inputs[1:]], y, axis=axis)


def _same_axis(before: tuple[int, ...], after: tuple[int, ...], axis: int) -> int | None:
    """The axis of a reshaped tensor that runs as `axis` did."""
    for i, extent in enumerate(after):
        if extent == before[axis] and math.prod(after[:i]) == math.prod(before[:axis]):
            return i
    return None
