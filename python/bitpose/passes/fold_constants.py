# SPDX-License-Identifier: Apache-2.0
"""Computes what depends on constants alone."""

from __future__ import annotations

from bitpose.ir.evaluate import evaluate_node
from bitpose.ir.graph import Graph
from bitpose.passes.rewriter import Rewriter

#: Larger constants are not made of smaller ones: a file of a few bytes could ask for more memory
#: than there is.
_MOST_ELEMENTS = 2**26


def fold_constants(graph: Graph) -> Graph:
    """Before -> after:

        1. op(constants)               ->   a constant, for operations of `bitpose.ir.evaluate`
        2. DequantizeLinear(codes)     ->   unchanged: the codes are what is wanted
        3. a graph output              ->   unchanged: an output is written by a node
        4. more than 2^26 elements,
           of operands with fewer      ->   unchanged

    Floats are computed in float64, one operation and one rounding to float32 at a time.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        inputs = [r.tensor(x) for x in node.inputs if x]
        output = r.tensor(node.outputs[0])
        foldable = (
            node.op != "DequantizeLinear"
            and output.name not in graph.outputs
            and output.elements <= max([_MOST_ELEMENTS, *(x.elements for x in inputs)])
            and all(x.is_constant for x in inputs)
        )
        value = evaluate_node(node, inputs, output) if foldable else None
        if value is None:
            r.keep(node)
        else:
            r.fold(output.name, value, output.quantization)
    return r.finish()
