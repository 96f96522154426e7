# SPDX-License-Identifier: Apache-2.0
"""uint16 codes of ONNX as int16."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitpose.errors import Unsupported, UnsupportedModelError
from bitpose.ir.graph import Graph, Tensor
from bitpose.ir.names import unescape
from bitpose.ir.operators import MOVING

_INDIFFERENT = (*MOVING, "QuantizeLinear", "DequantizeLinear")
UINT16_SUPPORTED = "uint16 between QuantizeLinear and DequantizeLinear"


def signed16(graph: Graph) -> Graph:
    """The graph with int16, q - 32768, in the place of uint16 q: real numbers stay what they are.

    Zero points are tensors here, so they are shifted with the codes. Raises UnsupportedModelError
    for uint16 that is a graph output, and for what computes with it.
    """
    unsigned = {t.name for t in graph.tensors.values() if t.dtype == np.uint16}
    if not unsigned:
        return graph
    _check(graph, unsigned)
    signed = [_signed(graph.tensor(name)) for name in sorted(unsigned)]
    return graph.rebuilt(graph.nodes, signed)


def _signed(tensor: Tensor) -> Tensor:
    if tensor.data is None:
        return replace(tensor, dtype=np.dtype(np.int16))
    return Tensor.constant(tensor.name, (tensor.data ^ 0x8000).view(np.int16))


def _check(graph: Graph, unsigned: set[str]) -> None:
    problems = [
        Unsupported(unescape(name), "tensor", 0, "it is uint16", UINT16_SUPPORTED)
        for name in graph.outputs
        if name in unsigned
    ]
    problems += [
        Unsupported(unescape(node.name), node.op, 0, "it works on uint16", UINT16_SUPPORTED)
        for node in graph.nodes
        if node.op not in _INDIFFERENT and unsigned.intersection([*node.inputs, *node.outputs])
    ]
    if problems:
        raise UnsupportedModelError(problems)
