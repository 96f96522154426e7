# SPDX-License-Identifier: Apache-2.0
"""Which tensors of a float network get codes, and which of them share one scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bitpose.ir.graph import Graph, Node
from bitpose.ir.operators import MOVING, UNARY
from bitpose.passes.rewriter import integer

#: Operations with constant weights, where nearly all multiplications are.
WEIGHTED = ("Conv", "ConvTranspose")
#: Operations that give each element of the result the value of one of their operand.
KEEPING = (*(op for op in MOVING if op not in ("Concat", "concat")), "MaxPool")
#: Operations whose result holds the elements of all their operands.
JOINING = ("Concat", "concat")
#: Operations that work on codes, or become a table of them.
_COMPUTING = (*WEIGHTED, "Add", "Sub", "Mul", "AveragePool", "Resize", *UNARY)


@dataclass(frozen=True)
class Points:
    """The tensors of a network that become int8.

    `scaled` has them by name, with the first tensor of the set that shares a scale. `heads` are
    results of convolutions that only floats are computed from: those give floats straight from
    their sums. `floats` are results of convolutions that are computed in float.
    """

    scaled: Mapping[str, str]
    heads: tuple[str, ...]
    floats: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[str]:
        return iter(self.scaled)


def find_points(graph: Graph, exempt: frozenset[str] = frozenset()) -> Points:
    """The points of a float graph whose nodes still have ONNX's meaning.

    A tensor is computed in 8 bits when a convolution depends on it through operations on codes.
    What only leads to outputs (boxes, scores, coordinates) stays float; what the model dequantizes
    itself has codes already, and what is `exempt` shall have none, so that convolutions that read
    it stay in float.
    """
    producers = graph.producers()
    weighted = [node for node in graph.nodes if has_weights(graph, node)]
    floats = frozenset(
        node.outputs[0] for node in weighted if origin_of(producers, node.inputs[0]) in exempt
    )
    wanted = _read_by_weights(graph, producers, floats, exempt)
    scaled = {}
    for name in _in_order(graph, wanted):
        node = producers.get(name)
        if node is None or node.op not in (*KEEPING, "DequantizeLinear"):
            scaled[name] = name
    heads = [node for node in weighted if node.outputs[0] not in wanted | floats]
    # A depthwise ConvTranspose is hardly work; its sums are not worth an operator of their own.
    floats |= {
        node.outputs[0]
        for node in heads
        if node.op == "ConvTranspose" and is_depthwise(graph, node)
    }
    return Points(
        _share(graph, producers, scaled), tuple(node.outputs[0] for node in heads), floats
    )


def is_depthwise(graph: Graph, node: Node) -> bool:
    """Whether each channel of a convolution's result sees one channel of its operand."""
    return graph.tensor(node.inputs[1]).shape[1] == 1 and integer(node, "group") > 1


def has_weights(graph: Graph, node: Node) -> bool:
    """Whether a node multiplies a float tensor by constants."""
    return (
        node.op in WEIGHTED
        and graph.tensor(node.inputs[0]).dtype == np.float32
        and all(graph.tensor(x).is_constant for x in node.inputs[1:])
    )


def _read_by_weights(
    graph: Graph,
    producers: Mapping[str, Node],
    floats: frozenset[str],
    exempt: frozenset[str],
) -> set[str]:
    """The float tensors that convolutions read, directly or through operations on codes."""
    wanted: set[str] = set()
    waiting = [
        node.inputs[0]
        for node in graph.nodes
        if has_weights(graph, node) and node.outputs[0] not in floats
    ]
    while waiting:
        name = waiting.pop()
        tensor = graph.tensor(name)
        if name in wanted or origin_of(producers, name) in exempt:
            continue
        if tensor.is_constant or tensor.dtype != np.float32:
            continue
        wanted.add(name)
        node = None if name in floats else producers.get(name)
        if node is not None and node.op in (*_COMPUTING, *KEEPING, *JOINING):
            waiting += node.inputs if node.op in JOINING else _data(graph, node)
    return wanted


def _data(graph: Graph, node: Node) -> tuple[str, ...]:
    """The operands whose codes a node would read."""
    if node.op in KEEPING or has_weights(graph, node):
        return node.inputs[:1]
    return node.inputs


def _in_order(graph: Graph, names: set[str]) -> list[str]:
    order = [*graph.inputs, *(y for node in graph.nodes for y in node.outputs)]
    return [name for name in order if name in names]


def _share(
    graph: Graph, producers: Mapping[str, Node], points: Mapping[str, str]
) -> dict[str, str]:
    """Lets a Resize have the scale of what it reads: its values lie between those."""
    shared = dict(points)
    for node in graph.nodes:
        if node.op == "Resize" and node.outputs[0] in shared:
            origin = origin_of(producers, node.inputs[0])
            shared[node.outputs[0]] = shared.get(origin, node.outputs[0])
    return shared


def origin_of(producers: Mapping[str, Node], name: str) -> str:
    """The tensor whose elements a tensor holds in another order or a part of them."""
    node = producers.get(name)
    while node is not None and node.op in KEEPING:
        name = node.inputs[0]
        node = producers.get(name)
    return name
