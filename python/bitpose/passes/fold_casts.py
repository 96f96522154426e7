# SPDX-License-Identifier: Apache-2.0
"""Lets indices be int32 throughout."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitpose.ir.graph import Graph, Node
from bitpose.passes.rewriter import Rewriter


def fold_casts(graph: Graph) -> Graph:
    """Before -> after:

        1. Cast(ArgMax(x): int64) to int32, sole reader   ->   ArgMax(x): int32
        2. gather(x, Cast(i: int32) to int64), likewise
           gather_elements and gather_nd                  ->   gather(x, i)
        3. Cast(Cast(i: int32) to int64) to int32         ->   i

    Exact: extents are below 2^31.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        if node.op == "Cast":
            _fold_cast(r, node)
        elif node.op in ("gather", "gather_elements", "gather_nd"):
            narrow = _narrow_source(r, node.inputs[1])
            if narrow is None:
                r.keep(node)
            else:
                y = r.tensor(node.outputs[0])
                r.emit(node.op, [node.inputs[0], narrow], y, **node.attributes)
        else:
            r.keep(node)
    return r.finish()


def _narrow_source(r: Rewriter, name: str) -> str | None:
    """The int32 tensor that an int64 tensor was made from."""
    source = r.producer(name)
    if source is None or source.op != "Cast" or r.tensor(name).dtype != np.int64:
        return None
    return source.inputs[0] if r.tensor(source.inputs[0]).dtype == np.int32 else None


def _fold_cast(r: Rewriter, node: Node) -> None:
    """Cases 1 and 3."""
    source, y = r.producer(node.inputs[0]), r.tensor(node.outputs[0])
    if y.dtype != np.int32 or source is None:
        r.keep(node)
        return
    narrow = _narrow_source(r, node.inputs[0])
    if narrow is not None:
        r.substitute(y.name, narrow)
    elif source.op == "ArgMax" and r.is_sole_reader(node, node.inputs[0]):
        r.emit("ArgMax", source.inputs, replace(y), **source.attributes)
    else:
        r.keep(node)
