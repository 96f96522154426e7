# SPDX-License-Identifier: Apache-2.0
"""Turns elementwise functions between 8-bit tensors into tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir import elementwise
from bitpose.ir.evaluate import evaluate_node
from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.ir.names import derived
from bitpose.passes.rewriter import Rewriter

Array = NDArray[Any]

#: Every int8 code, where a table has its value: code q at index q & 255.
_CODES = np.arange(256, dtype=np.uint8).view(np.int8)


def make_tables(graph: Graph) -> Graph:
    """Before -> after:

        1. y = QuantizeLinear(f(DequantizeLinear(x), ...))   ->   y = lut_x8(x, table of f)
        2. the same where f gives x another shape of as
           many elements                                     ->   y = Reshape(lut_x8(x, table))

    where f is any tree of elementwise functions whose only operand that is not constant is x, and
    whose constants have one value each (a tensor of equal elements counts). Requantizing is f = x.
    The table is the literal evaluation in float32, function by function, for each of 256 codes.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        tree = _Tree(r, node) if _quantizes_to_int8(r, node) else None
        if tree is None or not tree.is_table():
            r.keep(node)
        else:
            _write(r, node, tree)
    return r.finish()


def _quantizes_to_int8(r: Rewriter, node: Node) -> bool:
    return node.op == "QuantizeLinear" and r.tensor(node.outputs[0]).dtype == np.int8


def _write(r: Rewriter, node: Node, tree: _Tree) -> None:
    x, y = r.tensor(tree.sources[0]), r.tensor(node.outputs[0])
    table = r.constant(derived(y.name, "table"), tree.table())
    if x.shape == y.shape:
        r.emit("lut_x8", [x.name, table], y)
    else:
        codes = r.emit(
            "lut_x8", [x.name, table], replace(y, name=derived(y.name, "flat"), shape=x.shape)
        )
        r.emit("Reshape", [codes], y)


class _Tree:
    """The float computation above a QuantizeLinear, down to the 8-bit tensors it reads."""

    def __init__(self, r: Rewriter, quantize: Node) -> None:
        self.r = r
        self.quantize = quantize
        self.sources: list[str] = []
        self.constants: dict[str, Array] = {}
        """float32 scalars, by the name of the tensor that has this value everywhere."""
        self.order: list[Node] = []
        """The functions, each behind its operands."""
        self._seen: set[str] = set()
        self._sound = self._visit(quantize.inputs[0])

    def is_table(self) -> bool:
        """Whether the result depends on one 8-bit tensor alone, element by element."""
        if not self._sound or len(self.sources) != 1:
            return False
        x, y = self.r.tensor(self.sources[0]), self.r.tensor(self.quantize.outputs[0])
        return x.elements == y.elements

    def table(self) -> NDArray[np.uint8]:
        """The byte that each code becomes."""
        values: dict[str, Array] = dict(self.constants)
        x = Tensor("x", np.dtype(np.int8), (256,), self.r.tensor(self.sources[0]).quantization)
        for node in self.order:
            if node.op == "DequantizeLinear":
                values[node.outputs[0]] = _value(node, [replace(x, data=_CODES)], np.float32)
            else:
                operands = [values[name] for name in node.inputs]
                values[node.outputs[0]] = elementwise.evaluate(node.op, operands, node.attributes)
        result = np.broadcast_to(values[self.quantize.inputs[0]], 256)
        y = self.r.tensor(self.quantize.outputs[0])
        codes = _value(self.quantize, [Tensor.constant("f", result)], np.int8, y)
        return codes.view(np.uint8)

    def _visit(self, name: str) -> bool:
        """Collects what a float tensor is computed from; False where no table can hold it."""
        if name in self._seen:
            return True
        self._seen.add(name)
        node = self.r.producer(name)
        if node is None:
            return self._constant(name, self.r.tensor(name).data)
        if node.op == "DequantizeLinear":
            return self._leaf(name, node)
        if not elementwise.is_elementwise(node.op) or self.r.tensor(name).dtype != np.float32:
            return False
        if not all(self._visit(x) for x in node.inputs):
            return False
        self.order.append(node)
        return True

    def _leaf(self, name: str, node: Node) -> bool:
        inputs = [self.r.tensor(x) for x in node.inputs]
        if inputs[0].is_constant:
            output = self.r.tensor(name)
            return self._constant(name, evaluate_node(node, inputs, output))
        if len(inputs) > 1 or inputs[0].dtype != np.int8:
            return False
        self.order.append(node)
        if inputs[0].name not in self.sources:
            self.sources.append(inputs[0].name)
        return True

    def _constant(self, name: str, data: Array | None) -> bool:
        if data is None or data.size == 0 or not np.all(data == data.flat[0]):
            return False
        self.constants[name] = data.reshape(-1)[:1].astype(np.float32)
        return True


def _value(node: Node, inputs: list[Tensor], dtype: Any, like: Tensor | None = None) -> Array:
    """The node's result for constant operands of 256 elements, quantized as `like`."""
    quantization = None if like is None else like.quantization
    output = Tensor("y", np.dtype(dtype), (256,), quantization)
    value = evaluate_node(node, inputs, output)
    assert value is not None
    return value
