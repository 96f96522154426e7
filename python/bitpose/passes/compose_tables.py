# SPDX-License-Identifier: Apache-2.0
"""Keeps one table where several follow each other."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Attribute, Graph, Node
from bitpose.ir.names import derived
from bitpose.passes.rewriter import Rewriter, integer

#: Operators that keep their output in qmin .. qmax.
_CLAMPING = (
    "conv2d_qs8",
    "conv2d_qs16",
    "dwconv2d_qs8",
    "dwconv2d_qs16",
    "add_qs8",
    "mul_qs8",
    "avgpool2d_qs8",
    "resize2d_qs8",
    "quantize_f32_qs8",
    "requantize",
)
_CODES = np.arange(256, dtype=np.uint8).view(np.int8)


def compose_tables(graph: Graph) -> Graph:
    """Before -> after (t, u: tables of lut_x8):

        1. u(t(x))                            ->   (u after t)(x)
        2. t(x), every code to itself, the
           scale and zero point kept          ->   x
        3. t(op(x)), t a clamp to low .. high
           that keeps scale and zero point    ->   op(x) with a narrower qmin .. qmax

    In case 1 the first table stays where something else reads it. In case 3 the table is the sole
    reader of an operator that has qmin and qmax.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        if node.op == "lut_x8":
            _visit(r, node)
        else:
            r.keep(node)
    return r.finish()


def _table(r: Rewriter, node: Node) -> NDArray[np.uint8]:
    return cast(NDArray[np.uint8], r.tensor(node.inputs[1]).data)


def _visit(r: Rewriter, node: Node) -> None:
    table, source = _table(r, node), r.producer(node.inputs[0])
    x, y = r.tensor(node.inputs[0]), r.tensor(node.outputs[0])
    composed = source is not None and source.op == "lut_x8"
    if source is not None and composed:
        table = table[_table(r, source)]
        x = r.tensor(source.inputs[0])
    same_codes = x.dtype == y.dtype == np.int8 and x.quantization == y.quantization
    bounds = _clamp(table.view(np.int8)) if same_codes else None
    if bounds == (-128, 127):
        r.substitute(y.name, x.name)
    elif bounds is not None and not composed and _narrow(r, node, bounds):
        return
    elif composed:
        r.emit("lut_x8", [x.name, r.constant(derived(y.name, "table"), table)], y)
    else:
        r.keep(node)


def _clamp(codes: NDArray[np.int8]) -> tuple[int, int] | None:
    """The bounds that a table clamps codes to, if that is all it does."""
    low, high = int(codes.min()), int(codes.max())
    return (low, high) if np.array_equal(codes, np.clip(_CODES, low, high)) else None


def _narrow(r: Rewriter, node: Node, bounds: tuple[int, int]) -> bool:
    """Case 3."""
    source = r.producer(node.inputs[0])
    if source is None or source.op not in _CLAMPING or not r.is_sole_reader(node, node.inputs[0]):
        return False
    low, high = bounds
    attributes: dict[str, Attribute] = dict(source.attributes)
    for name in ("qmin", "qmax"):
        attributes[name] = min(max(integer(source, name), low), high)
    r.emit(source.op, source.inputs, replace(r.tensor(node.outputs[0])), **attributes)
    return True
