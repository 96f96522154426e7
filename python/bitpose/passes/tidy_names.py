# SPDX-License-Identifier: Apache-2.0
"""Gives tensors the names they had in ONNX."""

from __future__ import annotations

from dataclasses import replace

from bitpose.ir.graph import Graph
from bitpose.ir.names import unescape, without_layout


def tidy_names(graph: Graph) -> Graph:
    """Before -> after:

        1. a tensor x@0231, the transpose of x, where x itself is gone   ->   x
        2. the table x@0231@table of such a tensor                       ->   x@table
        3. a name that held "@" in ONNX                                  ->   as it was

    and nodes get the names of their outputs. The first tensor in order takes the name.
    """
    taken = set(graph.tensors)
    names: dict[str, str] = {}
    for name in graph.tensors:
        plain = without_layout(name)
        if plain and plain not in taken:
            names[name] = plain
            taken.add(plain)
    for name in graph.tensors:
        names[name] = _unescaped(names.get(name, name), taken)
    if all(old == new for old, new in names.items()):
        return graph
    nodes = []
    for node in graph.nodes:
        outputs = tuple(names[y] for y in node.outputs)
        nodes.append(replace(node.with_inputs(names), name=outputs[0], outputs=outputs))
    return replace(
        graph,
        nodes=tuple(nodes),
        tensors={names[t.name]: replace(t, name=names[t.name]) for t in graph.tensors.values()},
        inputs=tuple(names[x] for x in graph.inputs),
        outputs=tuple(names[y] for y in graph.outputs),
    )


def _unescaped(name: str, taken: set[str]) -> str:
    """Case 3, unless a derived name stands in the way."""
    original = unescape(name)
    if original == name or original in taken:
        return name
    taken.add(original)
    return original
