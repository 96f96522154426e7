# SPDX-License-Identifier: Apache-2.0
"""Gives tensors of a quantized graph 16 bits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Graph, Node
from bitpose.ir.names import derived
from bitpose.passes.rewriter import Rewriter

Array = NDArray[Any]

_ROOM = 2.0


def widen(graph: Graph, names: Collection[str]) -> Graph:
    """Before -> after, where `names` holds y (Q, D: QuantizeLinear, DequantizeLinear):

        1. y = D(Q(x, s, z), s, z) of int8   ->   y = D(Q(x, s', 0), s', 0) of int16

    s' is the scale with which symmetric int16 spans twice what the int8 codes stood for: the steps
    become 64 to 128 times as small, and what was not seen has room.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        source = r.producer(node.inputs[0]) if node.op == "DequantizeLinear" else None
        is_pair = source is not None and source.op == "QuantizeLinear"
        if source is not None and is_pair and node.outputs[0] in names:
            _widen(r, source, node)
        else:
            r.keep(node)
    return r.finish()


def _widen(r: Rewriter, quantize: Node, dequantize: Node) -> None:
    codes, y = r.tensor(quantize.outputs[0]), r.tensor(dequantize.outputs[0])
    scale, zero_point = (r.tensor(x).data for x in quantize.inputs[1:])
    assert scale is not None
    assert zero_point is not None
    wide = _symmetric(scale, zero_point)
    parameters = [
        r.constant(derived(y.name, "scale16"), wide),
        r.constant(derived(y.name, "zero_point16"), np.zeros(wide.shape, np.int16)),
    ]
    words = replace(codes, name=derived(y.name, "codes16"), dtype=np.dtype(np.int16))
    r.emit("QuantizeLinear", [quantize.inputs[0], *parameters], words, **quantize.attributes)
    r.emit("DequantizeLinear", [words.name, *parameters], y, **dequantize.attributes)


def _symmetric(scale: Array, zero_point: Array) -> NDArray[np.float32]:
    zero = zero_point.astype(np.float64)
    reach = np.maximum(zero + 128, 127 - zero) * scale.astype(np.float64)
    return (_ROOM * reach / 32767).astype(np.float32)
