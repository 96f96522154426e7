# SPDX-License-Identifier: Apache-2.0
"""Evens out the ranges of channels, so that one scale suits all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Graph, Node
from bitpose.ir.names import derived
from bitpose.passes.rewriter import Rewriter, integer, number
from bitpose.quantize.points import has_weights, is_depthwise

Array = NDArray[Any]

#: What a convolution that mixes channels gets of the evening out: its weights, which have one scale
#: for all input channels, become as much less even.
_MIXED_SHARE = 0.5
#: The most that a channel is enlarged. Beyond it stands a channel that was as good as silent.
_MOST = 64.0
#: How much farther than seen an enlarged channel reaches before it meets the end of the codes.
_HEADROOM = 1.5


def equalize(graph: Graph, factors: Mapping[str, Array]) -> Graph:
    """Before -> after, where nothing else reads a (Nagel et al., Data-free quantization through
    weight equalization and bias correction, 2019, by ranges that were seen):

        a = Conv(x, v, b), Conv(a, w)   ->   a' = Conv(x, s v, s b), Conv(a', w / s)

    with the `factors` s >= 1 for each channel of such tensors a.

    A convolution with a clamp fmin <= 0 <= fmax keeps it: a' reaches no farther than a did, and the
    channels that met the clamp are those with the factor 1.
    """
    if not factors:
        return graph
    r = Rewriter(graph)
    for node in graph.nodes:
        grown = factors.get(node.outputs[0])
        shrunk = factors.get(node.inputs[0]) if node.inputs else None
        if grown is None and shrunk is None:
            r.keep(node)
        else:
            _scale(r, node, grown, shrunk)
    return r.finish()


def even_factors(graph: Graph, reach: Mapping[str, Array]) -> dict[str, Array]:
    """What makes the channels of the tensors of `equalizable` more alike.

    `reach` has the largest magnitude that was seen of each channel. To a depthwise convolution
    every factor is the same, as each of its weights has a scale of its own; so all channels get
    the range of the largest one, short of the headroom. Others get a part of it.
    """
    readers = graph.consumers()
    factors = {}
    for name in equalizable(graph):
        most = reach[name].astype(np.float64)
        (reader,) = readers[name]
        room = most.max() / _HEADROOM
        wanted = np.divide(room, most, out=np.ones_like(most), where=most > 0)
        share = 1.0 if is_depthwise(graph, reader) else _MIXED_SHARE
        factors[name] = np.clip(wanted**share, 1.0, _MOST)
    return factors


def equalizable(graph: Graph) -> list[str]:
    """The tensors a of `equalize`."""
    readers = graph.consumers()
    return [
        node.outputs[0]
        for node in graph.nodes
        if _scalable(graph, node)
        and node.outputs[0] not in graph.outputs
        and _sole_convolution(graph, node.outputs[0], readers.get(node.outputs[0], []))
    ]


def _sole_convolution(graph: Graph, name: str, readers: list[Node]) -> bool:
    return (
        len(readers) == 1
        and readers[0].op == "Conv"
        and readers[0].inputs[0] == name
        and has_weights(graph, readers[0])
    )


def _scalable(graph: Graph, node: Node) -> bool:
    """Whether a convolution with larger weights and bias gives a larger result, clamp and all."""
    if node.op != "Conv" or not has_weights(graph, node):
        return False
    low, high = number(node, "fmin", -math.inf), number(node, "fmax", math.inf)
    return low in (-math.inf, 0.0) and high >= 0


def _scale(r: Rewriter, node: Node, grown: Array | None, shrunk: Array | None) -> None:
    weights = cast(Array, r.tensor(node.inputs[1]).data).astype(np.float64)
    operands = list(node.inputs)
    if shrunk is not None:
        outputs, width = weights.shape[:2]
        seen = np.repeat(shrunk.reshape(-1, width), outputs // integer(node, "group"), axis=0)
        weights = weights / seen[:, :, None, None]
    if grown is not None:
        weights = weights * grown[:, None, None, None]
        if len(operands) > 2:
            bias = cast(Array, r.tensor(operands[2]).data).astype(np.float64) * grown
            name = derived(node.outputs[0], "grown")
            operands[2] = r.constant(name, bias.astype(np.float32))
    name = derived(node.outputs[0], "even")
    operands[1] = r.constant(name, weights.astype(np.float32))
    r.emit(node.op, operands, r.tensor(node.outputs[0]), **node.attributes)
