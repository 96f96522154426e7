# SPDX-License-Identifier: Apache-2.0
"""Tells products with constants from products of two matrices that are computed."""

from __future__ import annotations

import math

from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.ir.names import derived
from bitpose.passes.rewriter import Rewriter, integer, ints


def dense_layers(graph: Graph) -> Graph:
    """Before -> after (W [K, N] is a constant or comes from constants):

        1. MatMul(x, W), MatMul(x, W, bias)   ->   Conv 1x1 of a picture of one pixel for each row
        2. MatMul(a, Transpose(b)) where the
           last two axes of b are swapped     ->   MatMul(a, b) with transpose_b turned round

    A dense layer is a convolution from here on, so passes know but one.
    """
    r = Rewriter(graph)
    fixed = {t.name for t in graph.constants()}
    for node in graph.nodes:
        if all(x in fixed for x in node.inputs if x):
            fixed.update(node.outputs)
        if node.op != "MatMul":
            r.keep(node)
        elif node.inputs[1] in fixed and len(r.tensor(node.inputs[1]).shape) == 2:
            _dense(r, node)
        else:
            _product(r, node)
    return r.finish()


def _dense(r: Rewriter, node: Node) -> None:
    """Case 1."""
    x, w, y = (r.tensor(name) for name in (*node.inputs[:2], node.outputs[0]))
    if not integer(node, "transpose_b"):
        swapped = Tensor(derived(y.name, "weights"), w.dtype, w.shape[::-1])
        w = r.tensor(r.emit("Transpose", [w.name], swapped, perm=(1, 0)))
    outputs, inputs = w.shape
    rows = math.prod(x.shape[:-1])
    pixels = Tensor(derived(y.name, "pixels"), x.dtype, (rows, inputs, 1, 1))
    kernel = Tensor(derived(y.name, "kernel"), w.dtype, (outputs, inputs, 1, 1))
    result = Tensor(derived(y.name, "result"), y.dtype, (rows, outputs, 1, 1))
    operands = [
        r.emit("Reshape", [x.name], pixels),
        r.emit("Reshape", [w.name], kernel),
        *node.inputs[2:],
    ]
    r.emit(
        "Conv",
        operands,
        result,
        strides=(1, 1),
        dilations=(1, 1),
        pads=(0, 0, 0, 0),
        group=1,
    )
    r.emit("Reshape", [result.name], y)


def _product(r: Rewriter, node: Node) -> None:
    """Case 2."""
    source = r.producer(node.inputs[1])
    if source is None or source.op != "Transpose":
        r.keep(node)
        return
    perm = ints(source, "perm")
    rank = len(perm)
    if perm != (*range(rank - 2), rank - 1, rank - 2):
        r.keep(node)
        return
    r.emit(
        "MatMul",
        [node.inputs[0], source.inputs[0], *node.inputs[2:]],
        r.tensor(node.outputs[0]),
        transpose_b=1 - integer(node, "transpose_b"),
    )
