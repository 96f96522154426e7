# SPDX-License-Identifier: Apache-2.0
"""Drops what no graph output depends on."""

from __future__ import annotations

from bitpose.ir.graph import Graph
from bitpose.passes.rewriter import prune


def eliminate_dead(graph: Graph) -> Graph:
    """Before -> after:

        1. a node none of whose outputs leads to a graph output   ->   nothing
        2. a tensor that no node reads or writes                  ->   nothing

    Graph inputs stay even when nothing reads them.
    """
    return prune(graph)
