# SPDX-License-Identifier: Apache-2.0
"""Gives tensors the names they had in ONNX."""

from __future__ import annotations

import re
from dataclasses import replace

from bitpose.ir.graph import Graph

_SUFFIX = re.compile(r"@[0-9x]+(?=(\.table)?$)")


def tidy_names(graph: Graph) -> Graph:
    """Before -> after:

        1. a tensor x@0231, the transpose of x, where x itself is gone   ->   x
        2. the table x@0231.table of such a tensor                       ->   x.table

    and nodes get the names of their outputs. The first tensor in order takes the name.
    """
    taken = set(graph.tensors)
    names: dict[str, str] = {}
    for name in graph.tensors:
        plain = _SUFFIX.sub("", name)
        if plain != name and plain and plain not in taken:
            names[name] = plain
            taken.add(plain)
    if not names:
        return graph
    nodes = []
    for node in graph.nodes:
        outputs = tuple(names.get(y, y) for y in node.outputs)
        nodes.append(replace(node.with_inputs(names), name=outputs[0], outputs=outputs))
    renamed = (replace(t, name=names.get(t.name, t.name)) for t in graph.tensors.values())
    return replace(graph, nodes=tuple(nodes), tensors={t.name: t for t in renamed})
