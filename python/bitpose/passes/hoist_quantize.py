# SPDX-License-Identifier: Apache-2.0
"""Quantizes before moving, not after."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bitpose.ir.elementwise import quantize
from bitpose.ir.graph import Attribute, Graph, Node, Tensor
from bitpose.ir.names import derived
from bitpose.ir.operators import MOVING
from bitpose.passes.qdq import quantization_of
from bitpose.passes.rewriter import Rewriter, integer, number


def hoist_quantize(graph: Graph) -> Graph:
    """Before -> after (M: an operation that moves or selects elements, or Pad, or MaxPool to int8):

        1. QuantizeLinear(M(x))          ->   M(QuantizeLinear(x))
        2. QuantizeLinear(Concat(x...))  ->   Concat(QuantizeLinear(x)...)
        3. QuantizeLinear(Pad(x, v))     ->   Pad(QuantizeLinear(x), code of v)

    where QuantizeLinear is the sole reader of M. Exact: QuantizeLinear is monotone and works
    element by element. Integer operators then find their
    QuantizeLinear right behind the computation, and a quarter of the bytes is moved.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        source = r.producer(node.inputs[0]) if node.op == "QuantizeLinear" else None
        if source is None or not _moves(r, node, node.inputs[0], r.tensor(node.outputs[0]).dtype):
            r.keep(node)
        else:
            _Hoist(r, node).write(node.outputs[0], source)
    return r.finish()


def _moves(r: Rewriter, reader: Node, name: str, dtype: np.dtype[Any]) -> bool:
    source = r.producer(name)
    return (
        source is not None
        and (source.op in (*MOVING, "Pad") or (source.op == "MaxPool" and dtype == np.int8))
        and r.is_sole_reader(reader, name)
    )


class _Hoist:
    """Moves one QuantizeLinear over all that lies above it."""

    def __init__(self, r: Rewriter, quantize: Node) -> None:
        self.r = r
        self.quantize = quantize
        self.output = r.tensor(quantize.outputs[0])

    def write(self, name: str, mover: Node) -> None:
        """Emits `mover` on codes, its result called `name`."""
        moved = len(mover.inputs) if mover.op == "Concat" else 1
        codes = [self._codes(x, mover) for x in mover.inputs[:moved]]
        attributes: dict[str, Attribute] = dict(mover.attributes)
        if mover.op == "Pad":
            attributes["value"] = self._code(number(mover, "value"))
        shape = self.r.tensor(mover.outputs[0]).shape
        output = replace(self.output, name=name, shape=shape)
        self.r.emit(mover.op, [*codes, *mover.inputs[moved:]], output, **attributes)

    def _code(self, value: float) -> float:
        """What the QuantizeLinear makes of a number."""
        q = quantization_of(self.output)
        scale, zero_point = np.array(q.scale, np.float32), np.array(q.zero_point, np.int64)
        bounds = (integer(self.quantize, name) for name in ("qmin", "qmax"))
        return float(quantize(np.array(value, np.float32), scale, zero_point, *bounds))

    def _codes(self, name: str, reader: Node) -> str:
        """The codes of a float tensor that `reader` moves."""
        codes = derived(name, self.output.name)
        source = self.r.producer(name)
        original = self._original(reader)
        if source is not None and original is not None and self._moves(original, name):
            self.write(codes, source)
        else:
            shape = self.r.tensor(name).shape
            output: Tensor = replace(self.output, name=codes, shape=shape)
            self.r.emit("QuantizeLinear", [name], output, **self.quantize.attributes)
        return codes

    def _moves(self, reader: Node, name: str) -> bool:
        return _moves(self.r, reader, name, self.output.dtype)

    def _original(self, node: Node) -> Node | None:
        """A node of the next graph as it stands in the last one."""
        return self.r.graph.producers().get(node.outputs[0])
