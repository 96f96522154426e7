# SPDX-License-Identifier: Apache-2.0
"""Turns uint8 into int8."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitpose.ir.graph import Graph, Node, Quantization, Tensor
from bitpose.ir.names import derived
from bitpose.ir.operators import MOVING
from bitpose.passes.rewriter import Rewriter, integer, number

#: Operations that need codes, which have a zero point, and those that do the same on shifted codes.
_CODING = (
    *("MaxPool", "maxpool2d_indices", "ArgMax"),
    *("QuantizeLinear", "DequantizeLinear", "lut_x8"),
)
_INDIFFERENT = (*MOVING, *_CODING, "Pad")
_FLIP = np.arange(256, dtype=np.uint8) ^ np.uint8(0x80)


def unsigned_to_signed(graph: Graph) -> Graph:
    """Before -> after:

        1. q: uint8{s, z} inside the graph   ->   q: int8{s, z - 128}, holding q - 128
        2. a constant of uint8               ->   int8, each byte ^ 0x80: the same real numbers
        3. a graph input x: uint8            ->   x@int8 = lut_x8(x, byte ^ 0x80)
        4. a graph output y: uint8           ->   y = lut_x8(y@int8, byte ^ 0x80)
        5. f(q) where f computes with
           integers                          ->   f(q@uint8), q@uint8 = lut_x8(q, byte ^ 0x80)

    uint8 that is moved and computed with as integers alone stays what it is.
    """
    coded = _coded(graph)
    if not coded:
        return graph
    r = Rewriter(graph)
    for name in coded - set(graph.inputs):
        r.tensors[name] = _signed(r.tensors[name])
    r.changed = True
    for name in graph.inputs:
        if name in coded:
            signed = replace(_signed(graph.tensor(name)), name=derived(name, "int8"))
            r.substitute(name, _flipped(r, name, signed))
    for node in graph.nodes:
        if node.op not in _INDIFFERENT:
            _compute(r, node, coded)
        elif node.outputs[0] in coded:
            _write(r, node)
        else:
            r.keep(node)
    return r.finish()


def _coded(graph: Graph) -> set[str]:
    """The uint8 tensors that have a scale or meet an operation that asks for one."""
    tables = {node.inputs[1] for node in graph.nodes if node.op == "lut_x8"}
    unsigned = {t.name for t in graph.tensors.values() if t.dtype == np.uint8} - tables
    coded = {name for name in unsigned if graph.tensor(name).quantization is not None}
    groups = []
    for node in graph.nodes:
        group = unsigned.intersection([*node.inputs, *node.outputs])
        if node.op in _CODING:
            coded |= group
        if node.op in _INDIFFERENT:
            groups.append(group)
    before = -1
    while before < len(coded):
        before = len(coded)
        for group in groups:
            if group & coded:
                coded |= group
    return coded


def _signed(tensor: Tensor) -> Tensor:
    """Cases 1 and 2."""
    q = tensor.quantization
    shifted = None if q is None else Quantization(q.scale, q.zero_point - 128)
    if tensor.data is not None:
        return Tensor.constant(tensor.name, (tensor.data ^ 0x80).view(np.int8), shifted)
    return replace(tensor, dtype=np.dtype(np.int8), quantization=shifted)


def _flipped(r: Rewriter, name: str, target: Tensor) -> str:
    return r.emit("lut_x8", [name, r.constant(derived(target.name, "table"), _FLIP)], target)


def _write(r: Rewriter, node: Node) -> None:
    """A node whose output was uint8. Case 4."""
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
    _flipped(r, codes, r.graph.tensor(name))
    r.substitute(name, codes)


def _compute(r: Rewriter, node: Node, coded: set[str]) -> None:
    """A node that works on integers as they are. Case 5."""
    inputs = [_unsigned(r, name) if name in coded else name for name in node.inputs]
    (name,) = node.outputs
    if name not in coded:
        r.emit(node.op, inputs, r.tensor(name), **node.attributes)
        return
    signed, unsigned = r.tensor(name), r.graph.tensor(name)
    is_output = name in r.graph.outputs
    if is_output:
        signed = replace(signed, name=derived(name, "int8"))
    else:
        unsigned = replace(unsigned, name=derived(name, "uint8"), quantization=None)
    r.emit(node.op, inputs, unsigned, **node.attributes)
    _flipped(r, unsigned.name, signed)
    if is_output:
        r.substitute(name, signed.name)


def _unsigned(r: Rewriter, name: str) -> str:
    tensor = r.graph.tensor(name)
    target = replace(tensor, name=derived(name, "uint8"), quantization=None)
    if tensor.data is not None:
        return r.constant(target.name, tensor.data)
    return _flipped(r, name, target)
