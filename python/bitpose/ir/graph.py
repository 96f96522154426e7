# SPDX-License-Identifier: Apache-2.0
"""The internal graph: frozen nodes over named tensors, in execution order.

Passes build new graphs from old ones; nothing is changed in place. Before the pipeline nodes carry
ONNX names and NCHW meaning ("Conv", "QuantizeLinear"), after it only the engine's operators in NHWC
remain ("conv2d_qs8"); `bitpose.ir.operators` lists both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Attribute = int | float | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Quantization:
    """real = scale * (q - zero_point), one scale for the whole tensor."""

    scale: float
    zero_point: int


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value of the graph.

    `shape` is complete; behind an operator whose results vary in size (narrow), it is the largest
    that a run can give. `data` is set for constants, with this shape and dtype; it is never written
    to.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    quantization: Quantization | None = None
    data: NDArray[Any] | None = None
    open_axes: tuple[int, ...] = ()
    """What the importer knows and no pass keeps: the axes whose extent only a run decides."""
    limits: tuple[NDArray[Any], NDArray[Any]] | None = None
    """As above: the least and the greatest value that each element can have."""

    @property
    def is_constant(self) -> bool:
        """Whether the value is known when compiling."""
        return self.data is not None

    @property
    def elements(self) -> int:
        """How many elements the shape has."""
        return math.prod(self.shape)

    @staticmethod
    def constant(name: str, data: NDArray[Any], quantization: Quantization | None = None) -> Tensor:
        """A constant tensor that holds a read-only copy of `data`."""
        copy = np.array(data, order="C")
        copy.flags.writeable = False
        return Tensor(name, copy.dtype, copy.shape, quantization, copy)


@dataclass(frozen=True)
class Node:
    """One operation. `inputs` may hold "" for an optional operand that is absent."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    def with_inputs(self, renamed: Mapping[str, str]) -> Node:
        """The same node reading `renamed[x]` wherever it read x."""
        return replace(self, inputs=tuple(renamed.get(x, x) for x in self.inputs))


@dataclass(frozen=True)
class Graph:
    """Nodes in execution order over tensors by name."""

    name: str
    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def tensor(self, name: str) -> Tensor:
        """The tensor of that name."""
        return self.tensors[name]

    def producers(self) -> dict[str, Node]:
        """The node that writes each tensor."""
        return {output: node for node in self.nodes for output in node.outputs}

    def consumers(self) -> dict[str, list[Node]]:
        """The nodes that read each tensor, in order; a graph output counts as no node."""
        readers: dict[str, list[Node]] = {}
        for node in self.nodes:
            for x in dict.fromkeys(node.inputs):
                readers.setdefault(x, []).append(node)
        return readers

    def constants(self) -> Iterator[Tensor]:
        """The constant tensors."""
        return (t for t in self.tensors.values() if t.is_constant)

    def rebuilt(
        self,
        nodes: Sequence[Node],
        new_tensors: Sequence[Tensor] = (),
        inputs: tuple[str, ...] | None = None,
        outputs: tuple[str, ...] | None = None,
    ) -> Graph:
        """This graph with other nodes, and `new_tensors` added to (or replacing) its tensors."""
        tensors = dict(self.tensors)
        tensors.update((t.name, t) for t in new_tensors)
        return replace(
            self,
            nodes=tuple(nodes),
            tensors=tensors,
            inputs=self.inputs if inputs is None else inputs,
            outputs=self.outputs if outputs is None else outputs,
        )


def ancestors(nodes: Sequence[Node], names: Iterable[str]) -> set[str]:
    """The tensors that those of `names` are computed from, themselves included.

    `nodes` stand in execution order.
    """
    found = set(names)
    for node in reversed(nodes):
        if found.intersection(node.outputs):
            found.update(x for x in node.inputs if x)
    return found
