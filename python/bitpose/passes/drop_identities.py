# SPDX-License-Identifier: Apache-2.0
"""Removes operations that change nothing."""

from __future__ import annotations

import math

import numpy as np

from bitpose.ir.graph import Graph, Node
from bitpose.passes import permutations
from bitpose.passes.rewriter import Rewriter, integer, ints, number


def drop_identities(graph: Graph) -> Graph:
    """Before -> after:

        1. Transpose(x) in the order of x                        ->   x
        2. Reshape(x) to the shape of x, whole Slice, Concat(x)  ->   x
        3. Cast(x) to the dtype of x                             ->   x
        4. Clip(x) without bounds, Pad(x) by nothing             ->   x
        5. QuantizeLinear(DequantizeLinear(x)), equal scales,
           equal zero points, all codes allowed                  ->   x

    Case 5 is exact: (q - z) s rounded to float32 and divided by s is within half a step of q - z.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        source = _identity(r, node)
        if source is None:
            r.keep(node)
        else:
            r.substitute(node.outputs[0], source)
    return r.finish()


def _identity(r: Rewriter, node: Node) -> str | None:
    """The tensor that has the value of the node's output already."""
    x, y = r.tensor(node.inputs[0]), r.tensor(node.outputs[0])
    match node.op:
        case "Transpose":
            same = permutations.is_identity(ints(node, "perm"))
        case "Reshape" | "Cast" | "Concat":
            same = x.shape == y.shape and x.dtype == y.dtype and len(node.inputs) == 1
        case "Slice":
            same = x.shape == y.shape and integer(node, "step") == 1
        case "Clip":
            same = number(node, "low") == -math.inf and number(node, "high") == math.inf
        case "Pad":
            same = not any(ints(node, "pads"))
        case "QuantizeLinear":
            return _requantized(r, node)
        case _:
            same = False
    return x.name if same else None


def _requantized(r: Rewriter, node: Node) -> str | None:
    """Case 5, for nodes whose parameters stand in the tensors."""
    source = r.producer(node.inputs[0])
    if source is None or source.op != "DequantizeLinear" or "qmin" not in node.attributes:
        return None
    x, y = r.tensor(source.inputs[0]), r.tensor(node.outputs[0])
    bounds = (node.attributes["qmin"], node.attributes["qmax"])
    limits = np.iinfo(y.dtype)
    same = (
        len(source.inputs) == 1
        and x.dtype == y.dtype
        and x.quantization == y.quantization
        and bounds == (limits.min, limits.max)
    )
    return x.name if same else None
