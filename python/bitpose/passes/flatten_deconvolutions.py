# SPDX-License-Identifier: Apache-2.0
"""Transposed convolutions whose windows do not overlap are convolutions of single pixels."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.ir.names import derived
from bitpose.passes.rewriter import Rewriter, integer, ints

Array = NDArray[Any]

#: A GEMM with fewer columns works for columns that are not there; with more of them, moving the
#: result to its place takes longer than that.
_FEW = 8


def flatten_deconvolutions(graph: Graph) -> Graph:
    """Before -> after (kernel = strides = [h, w], no padding, no groups, few outputs O):

        ConvTranspose(x, W [O, C, h, w], bias)   ->   Conv(x, W' [O h w, C, 1, 1], bias'), whose
                                                      channels become blocks of h x w pixels

    One matrix of O h w columns instead of h w matrices of O.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        if node.op == "ConvTranspose" and _is_flat(r, node):
            _flatten(r, node)
        else:
            r.keep(node)
    return r.finish()


def _is_flat(r: Rewriter, node: Node) -> bool:
    weights = r.tensor(node.inputs[1])
    outputs, _, *kernel = weights.shape
    return (
        all(r.tensor(x).data is not None for x in node.inputs[1:] if x)
        and r.tensor(node.inputs[0]).dtype == np.float32
        and tuple(kernel) == ints(node, "strides") != (1, 1)
        and outputs <= _FEW
        and integer(node, "group") == 1
        and not any((*ints(node, "pads"), *ints(node, "output_padding")))
        and ints(node, "dilations") == (1, 1)
    )


def _flatten(r: Rewriter, node: Node) -> None:
    x, w, y = (r.tensor(name) for name in (*node.inputs[:2], node.outputs[0]))
    outputs, inputs, height, width = w.shape
    batch, _, rows, columns = x.shape
    kernel = cast(Array, w.data).transpose(0, 2, 3, 1).reshape(-1, inputs, 1, 1)
    operands = [x.name, r.constant(derived(y.name, "kernel"), kernel)]
    if len(node.inputs) > 2:
        bias = np.repeat(cast(Array, r.tensor(node.inputs[2]).data), height * width)
        operands.append(r.constant(derived(y.name, "bias"), bias))

    def tensor(what: str, *shape: int) -> Tensor:
        return Tensor(derived(y.name, what), y.dtype, shape)

    attributes = {k: v for k, v in node.attributes.items() if k != "output_padding"}
    attributes["strides"] = (1, 1)
    cells = r.emit(
        "Conv",
        operands,
        tensor("cells", batch, len(kernel), rows, columns),
        **attributes,
    )
    # The result of the convolution is NHWC, so the first of these undoes what will be done.
    nhwc = tensor("nhwc", batch, rows, columns, len(kernel))
    split = tensor("split", batch, rows, columns, outputs, height, width)
    placed = tensor("placed", batch, outputs, rows, height, columns, width)
    cells = r.emit("Transpose", [cells], nhwc, perm=(0, 2, 3, 1))
    cells = r.emit("Reshape", [cells], split)
    cells = r.emit("Transpose", [cells], placed, perm=(0, 3, 1, 4, 2, 5))
    r.emit("Reshape", [cells], y)
