# SPDX-License-Identifier: Apache-2.0
"""How a pass builds the next graph from the last one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from bitpose.errors import GraphError
from bitpose.ir.graph import Attribute, Graph, Node, Quantization, Tensor, ancestors

Pass = Callable[[Graph], Graph]


class Rewriter:
    """Walks over a graph and collects the nodes of the next one.

    A pass looks at each node of `graph` in order and either keeps it, or emits others in its
    place, or drops it and lets its readers read another tensor. Names of tensors keep their
    meaning: a tensor `x` of the next graph has the value that `x` had before.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[Node] = []
        self.tensors = dict(graph.tensors)
        self.changed = False
        self._substitutes: dict[str, str] = {}
        self._producers: dict[str, Node] = {}
        self._readers = graph.consumers()

    def keep(self, node: Node) -> None:
        """Takes over a node, reading what its operands have become.

        Its output may have been emitted already, by another node in the place of an earlier one.
        """
        if node.outputs[0] in self._producers:
            self.changed = True
            return
        kept = node.with_inputs(self._substitutes)
        self.nodes.append(kept)
        self._producers.update((y, kept) for y in kept.outputs)

    def emit(self, op: str, inputs: Sequence[str], output: Tensor, **attributes: Attribute) -> str:
        """Adds a node that writes `output` and returns the output's name.

        A tensor that has been emitted before is not computed again.
        """
        if output.name not in self._producers:
            self.changed = True
            self.tensors[output.name] = output
            self.keep(Node(op, output.name, tuple(inputs), (output.name,), attributes))
        return output.name

    def constant(
        self, name: str, data: NDArray[Any], quantization: Quantization | None = None
    ) -> str:
        """Adds a constant and returns its name: `name`, or longer where another tensor has it."""
        self.changed = True
        tensor = Tensor.constant(name, data, quantization)
        while name in self.tensors and not _same_constant(self.tensors[name], tensor):
            name += "+"
        self.tensors[name] = replace(tensor, name=name)
        return name

    def fold(self, name: str, data: NDArray[Any], quantization: Quantization | None = None) -> None:
        """Makes a tensor that a node wrote a constant."""
        self.changed = True
        self.tensors[name] = Tensor.constant(name, data, quantization)

    def substitute(self, old: str, new: str) -> None:
        """Lets every later reader of `old` read `new`, which has the same value."""
        self.changed = True
        self._substitutes[old] = self.resolve(new)

    def resolve(self, name: str) -> str:
        """What a tensor of the last graph is called in the next one."""
        return self._substitutes.get(name, name)

    def tensor(self, name: str) -> Tensor:
        """A tensor of the next graph, by its name in the last one."""
        return self.tensors[self.resolve(name)]

    def producer(self, name: str) -> Node | None:
        """The node that writes a tensor, in the next graph; None for inputs and constants."""
        return self._producers.get(self.resolve(name))

    def is_sole_reader(self, node: Node, name: str) -> bool:
        """Whether nothing but `node` reads a tensor of the last graph."""
        return name not in self.graph.outputs and self._readers.get(name) == [node]

    def readers(self, name: str) -> list[Node]:
        """The nodes of the last graph that read a tensor."""
        return self._readers.get(name, [])

    def finish(self) -> Graph:
        """The next graph without what nobody reads, or the last one if nothing has changed."""
        if not self.changed:
            return self.graph
        self._restore_outputs()
        return prune(replace(self.graph, nodes=tuple(self.nodes), tensors=self.tensors))

    def _restore_outputs(self) -> None:
        """Gives graph outputs that were substituted their names back."""
        for name in self.graph.outputs:
            source = self._substitutes.get(name)
            if source is None or name in self._producers:
                continue
            renamable = source in self._producers and source not in self.graph.outputs
            output = replace(self.tensors[source], name=name)
            if renamable:
                self._rename(source, output)
            else:
                self.tensors[name] = replace(output, data=None)
                self.nodes.append(Node("reshape", name, (source,), (name,)))

    def _rename(self, old: str, new: Tensor) -> None:
        names = {old: new.name}
        self.tensors[new.name] = new
        self.nodes = [
            replace(
                node.with_inputs(names),
                name=names.get(node.name, node.name),
                outputs=tuple(names.get(y, y) for y in node.outputs),
            )
            for node in self.nodes
        ]
        self._substitutes = {k: names.get(v, v) for k, v in self._substitutes.items()}


def _same_constant(a: Tensor, b: Tensor) -> bool:
    return (
        a.data is not None
        and b.data is not None
        and (a.dtype, a.shape, a.quantization) == (b.dtype, b.shape, b.quantization)
        and a.data.tobytes() == b.data.tobytes()
    )


def prune(graph: Graph) -> Graph:
    """The graph without nodes and tensors that no output depends on. Inputs stay."""
    needed = ancestors(graph.nodes, graph.outputs)
    nodes = tuple(node for node in graph.nodes if needed.intersection(node.outputs))
    used = needed | set(graph.inputs)
    tensors = {name: t for name, t in graph.tensors.items() if name in used}
    if len(nodes) == len(graph.nodes) and len(tensors) == len(graph.tensors):
        return graph
    return replace(graph, nodes=nodes, tensors=tensors)


def ints(node: Node, name: str) -> tuple[int, ...]:
    """An attribute that is a tuple of integers."""
    value = node.attributes[name]
    if not isinstance(value, tuple):
        raise GraphError(f"{node.op} {node.name!r}: attribute {name} is {value!r}")
    return tuple(int(v) for v in value)


def integer(node: Node, name: str) -> int:
    """An attribute that is an integer."""
    value = node.attributes[name]
    if not isinstance(value, int):
        raise GraphError(f"{node.op} {node.name!r}: attribute {name} is {value!r}")
    return value


def number(node: Node, name: str, default: float | None = None) -> float:
    """An attribute that is a float, or `default` where it is absent."""
    value = node.attributes.get(name, default)
    if not isinstance(value, float):
        raise GraphError(f"{node.op} {node.name!r}: attribute {name} is {value!r}")
    return value
