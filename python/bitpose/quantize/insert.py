# SPDX-License-Identifier: Apache-2.0
"""Writes QuantizeLinear and DequantizeLinear into a float graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.ir.names import derived
from bitpose.passes.rewriter import Rewriter
from bitpose.quantize.codes import Codes, activation_codes
from bitpose.quantize.observers import Range
from bitpose.quantize.points import JOINING, KEEPING, Points, has_weights
from bitpose.quantize.weights import Weights


def insert_codes(
    graph: Graph, points: Points, codes: Mapping[str, Codes], weights: Mapping[str, Weights]
) -> Graph:
    """Before -> after, for each tensor x of `points` (Q, D: QuantizeLinear, DequantizeLinear):

        1. x = op(...)                    ->   x = D(Q(op(...)))
        2. readers of a graph input x     ->   the same readers of D(Q(x))
        3. op(x, constant) on codes       ->   op(x, D(Q(constant)))
        4. Conv(x, w)                     ->   Conv(x, D(codes of w, a scale per output channel))

    `codes` has those of every point, `weights` those of the node that gives the tensor of the name.
    Weights of operations that do not read codes stay as they are.
    """
    r = Rewriter(graph)
    writer = _Writer(r, points, codes, weights)
    for name in graph.inputs:
        if name in codes:
            r.substitute(name, writer.rounded(name, derived(name, "dequantized")))
    for node in graph.nodes:
        y = r.tensor(node.outputs[0])
        inputs = writer.operands(graph, node)
        if y.name in writer.chosen:
            raw = replace(y, name=derived(y.name, "float"))
            r.emit(node.op, inputs, raw, **node.attributes)
            writer.rounded(raw.name, y.name, codes[y.name])
        else:
            r.emit(node.op, inputs, y, **node.attributes)
    return r.finish()


class _Writer:
    def __init__(
        self,
        r: Rewriter,
        points: Points,
        codes: Mapping[str, Codes],
        weights: Mapping[str, Weights],
    ) -> None:
        self.r = r
        self.chosen = set(points)
        self.floats = points.floats
        self.codes = codes
        self.weights = weights

    def rounded(self, name: str, result: str, codes: Codes | None = None) -> str:
        """Emits result = D(Q(name))."""
        codes = self.codes[name] if codes is None else codes
        x = self.r.tensors[name]
        parameters = (
            self.r.constant(derived(result, "scale"), codes.scale),
            self.r.constant(derived(result, "zero_point"), codes.zero_point),
        )
        integers = Tensor(derived(result, "codes"), np.dtype(np.int8), x.shape)
        self.r.emit("QuantizeLinear", [name, *parameters], integers, axis=1)
        real = Tensor(result, x.dtype, x.shape)
        return self.r.emit("DequantizeLinear", [integers.name, *parameters], real, axis=1)

    def operands(self, graph: Graph, node: Node) -> list[str]:
        """Cases 3 and 4."""
        result = [self.r.resolve(x) if x else "" for x in node.inputs]
        if has_weights(graph, node):
            if node.outputs[0] not in self.floats and self._is_code(result[0]):
                result[1] = self._weights(result[1], node)
        elif node.op in ("Add", "Sub", "Mul") and node.outputs[0] in self.chosen:
            for i, x in enumerate(node.inputs):
                tensor = graph.tensor(x)
                if tensor.data is not None and tensor.elements > 1:
                    result[i] = self._constant(tensor)
        return result

    def _is_code(self, name: str) -> bool:
        """Whether a tensor is dequantized, or put together of tensors that are."""
        node = self.r.producer(name)
        if node is None:
            return False
        if node.op in KEEPING:
            return self._is_code(node.inputs[0])
        if node.op in JOINING:
            return all(map(self._is_code, node.inputs))
        return node.op == "DequantizeLinear"

    def _constant(self, tensor: Tensor) -> str:
        assert tensor.data is not None
        values = Range(float(tensor.data.min()), float(tensor.data.max()))
        name = derived(tensor.name, "dequantized")
        return self.rounded(tensor.name, name, activation_codes(values))

    def _weights(self, name: str, node: Node) -> str:
        tensor, weights = self.r.tensors[name], self.weights[node.outputs[0]]
        zero_points = np.zeros(len(weights.scales), np.int8)
        operands = [
            self.r.constant(derived(name, "codes"), weights.codes),
            self.r.constant(derived(name, "scale"), weights.scales),
            self.r.constant(derived(name, "zero_point"), zero_points),
        ]
        real = Tensor(derived(name, "dequantized"), tensor.dtype, tensor.shape)
        return self.r.emit("DequantizeLinear", operands, real, axis=0)
