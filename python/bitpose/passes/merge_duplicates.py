# SPDX-License-Identifier: Apache-2.0
"""Computes equal things once."""

from __future__ import annotations

from collections.abc import Hashable

from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.passes.rewriter import Rewriter


def merge_duplicates(graph: Graph) -> Graph:
    """Before -> after:

    1. two constants of equal bytes, dtype, shape and scale   ->   the first
    2. two nodes of equal operation, operands and attributes,
       whose outputs agree in dtype, shape and scale          ->   the first
    """
    r = Rewriter(graph)
    seen: dict[Hashable, str] = {}
    for tensor in graph.constants():
        _merge(r, seen, _constant_key(tensor), tensor.name)
    for node in graph.nodes:
        key = _node_key(r, node)
        if not _merge(r, seen, key, node.outputs[0]):
            r.keep(node)
    return r.finish()


def _merge(r: Rewriter, seen: dict[Hashable, str], key: Hashable, name: str) -> bool:
    first = seen.setdefault(key, name)
    if first == name:
        return False
    r.substitute(name, first)
    return True


def _description(tensor: Tensor) -> Hashable:
    return tensor.dtype.str, tensor.shape, tensor.quantization


def _constant_key(tensor: Tensor) -> Hashable:
    assert tensor.data is not None
    return _description(tensor), tensor.data.tobytes()


def _node_key(r: Rewriter, node: Node) -> Hashable:
    operands = tuple(r.resolve(x) for x in node.inputs)
    attributes = tuple(sorted(node.attributes.items()))
    return node.op, operands, attributes, _description(r.tensor(node.outputs[0]))
