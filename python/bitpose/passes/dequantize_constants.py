# SPDX-License-Identifier: Apache-2.0
"""Gives constants that no integer operator took their real values."""

from __future__ import annotations

from bitpose.ir.evaluate import evaluate_node
from bitpose.ir.graph import Graph
from bitpose.passes.rewriter import Rewriter


def dequantize_constants(graph: Graph) -> Graph:
    """Before -> after:

        1. DequantizeLinear(constant)   ->   a float32 constant, (q - zero point) * scale

    Runs once integer operators and tables are made: what reads a constant now works on floats.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        inputs = [r.tensor(x) for x in node.inputs if x]
        output = r.tensor(node.outputs[0])
        known = all(x.is_constant for x in inputs) and output.name not in graph.outputs
        if node.op == "DequantizeLinear" and known:
            value = evaluate_node(node, inputs, output)
            assert value is not None
            r.fold(output.name, value)
        else:
            r.keep(node)
    return r.finish()
