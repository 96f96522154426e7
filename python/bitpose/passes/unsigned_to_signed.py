# SPDX-License-Identifier: Apache-2.0
"""Turns uint8 into int8."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitpose.errors import Unsupported, UnsupportedModelError
from bitpose.ir.graph import Graph, Node, Quantization, Tensor
from bitpose.ir.names import derived
from bitpose.ir.operators import MOVING
from bitpose.passes.rewriter import Rewriter, integer, number

#: Operations that do the same on shifted codes.
_INDIFFERENT = (*MOVING, "MaxPool", "Pad", "ArgMax", "DequantizeLinear", "lut_x8")
_FLIP = np.arange(256, dtype=np.uint8) ^ np.uint8(0x80)


def unsigned_to_signed(graph: Graph) -> Graph:
    """Before -> after:

        1. q: uint8{s, z} inside the graph   ->   q: int8{s, z - 128}, holding q - 128
        2. a constant of uint8               ->   int8, each byte ^ 0x80: the same real numbers
        3. a graph input x: uint8            ->   x@int8 = lut_x8(x, byte ^ 0x80)
        4. a graph output y: uint8           ->   y = lut_x8(y@int8, byte ^ 0x80)

    Raises UnsupportedModelError for other operations on uint8.
    """
    tables = {node.inputs[1] for node in graph.nodes if node.op == "lut_x8"}
    unsigned = {t.name for t in graph.tensors.values() if t.dtype == np.uint8} - tables
    if not unsigned:
        return graph
    _check(graph, unsigned)
    r = Rewriter(graph)
    for name in unsigned - set(graph.inputs):
        r.tensors[name] = _signed(r.tensors[name])
    r.changed = True
    for name in graph.inputs:
        if name in unsigned:
            signed = replace(_signed(graph.tensor(name)), name=derived(name, "int8"))
            table = r.constant(derived(name, "table"), _FLIP)
            r.substitute(name, r.emit("lut_x8", [name, table], signed))
    for node in graph.nodes:
        if node.outputs[0] in unsigned:
            _write(r, node)
        else:
            r.keep(node)
    return r.finish()


def _check(graph: Graph, unsigned: set[str]) -> None:
    problems = [
        Unsupported(node.name, node.op, 0, "it works on uint8", "the same between int8 and float32")
        for node in graph.nodes
        if unsigned.intersection([*node.inputs, *node.outputs])
        and node.op not in (*_INDIFFERENT, "QuantizeLinear")
    ]
    if problems:
        raise UnsupportedModelError(problems)


def _signed(tensor: Tensor) -> Tensor:
    """Cases 1 and 2."""
    q = tensor.quantization
    shifted = None if q is None else Quantization(q.scale, q.zero_point - 128)
    if tensor.data is not None:
        return Tensor.constant(tensor.name, (tensor.data ^ 0x80).view(np.int8), shifted)
    return replace(tensor, dtype=np.dtype(np.int8), quantization=shifted)


def _write(r: Rewriter, node: Node) -> None:
    """A node whose output was uint8."""
    name = node.outputs[0]
    attributes = dict(node.attributes)
    if node.op == "QuantizeLinear":
        attributes |= {bound: integer(node, bound) - 128 for bound in ("qmin", "qmax")}
    elif node.op == "Pad":
        attributes["value"] = number(node, "value") - 128.0
    signed = r.tensor(name)
    if name not in r.graph.outputs:
        r.emit(node.op, node.inputs, signed, **attributes)
        return
    codes = r.emit(node.op, node.inputs, replace(signed, name=derived(name, "int8")), **attributes)
    table = r.constant(derived(name, "table"), _FLIP)
    r.emit("lut_x8", [codes, table], r.graph.tensor(name))
    r.substitute(name, codes)
