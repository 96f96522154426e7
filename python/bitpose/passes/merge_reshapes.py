# SPDX-License-Identifier: Apache-2.0
"""Keeps one reshape where several follow each other."""

from __future__ import annotations

from bitpose.ir.graph import Graph
from bitpose.passes.rewriter import Rewriter


def merge_reshapes(graph: Graph) -> Graph:
    """Before -> after:

    1. reshape(reshape(x))           ->   reshape(x)
    2. reshape(x) to the shape of x  ->   x
    3. reshape(constant)             ->   a constant
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        if node.op != "reshape":
            r.keep(node)
            continue
        source, y = r.producer(node.inputs[0]), r.tensor(node.outputs[0])
        name = node.inputs[0]
        if source is not None and source.op == "reshape":
            name = source.inputs[0]
        x = r.tensor(name)
        if x.shape == y.shape and x.quantization == y.quantization and not x.is_constant:
            r.substitute(y.name, x.name)
        elif x.data is not None and y.name not in graph.outputs:
            r.fold(y.name, x.data.reshape(y.shape), y.quantization)
        elif name != node.inputs[0]:
            r.emit("reshape", [x.name], y)
        else:
            r.keep(node)
    return r.finish()
