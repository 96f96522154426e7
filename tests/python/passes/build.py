# SPDX-License-Identifier: Apache-2.0
"""Small graphs for tests of passes, and what they look like."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from bitpose.ir.graph import Attribute, Graph, Node, Quantization, Tensor
from bitpose.ir.printer import print_node
from bitpose.ir.validate import validate

#: The range of an operator that clamps nothing.
ALL = {"qmin": -128, "qmax": 127}


class Draft:
    """Collects a graph. Operands are given by name."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.tensors: dict[str, Tensor] = {}
        self.inputs: list[str] = []

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: DTypeLike = np.float32,
        q: tuple[float, int] | None = None,
    ) -> str:
        note = None if q is None else Quantization(float(np.float32(q[0])), q[1])
        self.tensors[name] = Tensor(name, np.dtype(dtype), shape, note)
        return name

    def input(self, name: str, *args: Any, **kwargs: Any) -> str:
        self.inputs.append(name)
        return self.tensor(name, *args, **kwargs)

    def constant(
        self, name: str, data: ArrayLike, dtype: DTypeLike, q: tuple[float, int] | None = None
    ) -> str:
        note = None if q is None else Quantization(float(np.float32(q[0])), q[1])
        self.tensors[name] = Tensor.constant(name, np.array(data, dtype), note)
        return name

    def node(
        self, op: str, inputs: str, output: str, shape: tuple[int, ...], *args: Any, **kwargs: Any
    ) -> str:
        """`inputs` are separated by spaces; `dtype` and `q` describe the output."""
        described = {k: kwargs.pop(k) for k in ("dtype", "q") if k in kwargs}
        self.tensor(output, shape, *args, **described)
        attributes: dict[str, Attribute] = kwargs
        self.nodes.append(Node(op, output, tuple(inputs.split()), (output,), attributes))
        return output

    def graph(self, *outputs: str) -> Graph:
        result = Graph("g", tuple(self.nodes), self.tensors, tuple(self.inputs), outputs)
        validate(result)
        return result


def lines(graph: Graph) -> list[str]:
    """One line per node of a graph that is checked first."""
    validate(graph)
    return [print_node(graph, node) for node in graph.nodes]
