# SPDX-License-Identifier: Apache-2.0
"""A graph as readable text."""

from __future__ import annotations

from collections import Counter

from bitpose.ir.graph import Attribute, Graph, Node, Tensor


def describe(tensor: Tensor) -> str:
    """ "int8[1,96,96,16] scale 0.0235 zero point -128"."""
    text = f"{tensor.dtype}[{','.join(map(str, tensor.shape))}]"
    if tensor.quantization is not None:
        q = tensor.quantization
        text += f" scale {q.scale:.9g} zero point {q.zero_point}"
    return text


def print_node(graph: Graph, node: Node) -> str:
    """ "y: int8[1,4] = lut_x8(x, y@table)" with attributes behind the operands."""
    outputs = ", ".join(f"{y}: {describe(graph.tensor(y))}" for y in node.outputs)
    operands = [_operand(graph, x) for x in node.inputs]
    attributes = [f"{name}={_value(value)}" for name, value in node.attributes.items()]
    return f"{outputs} = {node.op}({', '.join(operands + attributes)})"


def print_graph(graph: Graph) -> str:
    """The whole graph: inputs, one line per node in order, outputs. Small constants are shown."""
    lines = [f"graph {graph.name!r}"]
    lines += [f"  input {x}: {describe(graph.tensor(x))}" for x in graph.inputs]
    lines += [f"  {print_node(graph, node)}" for node in graph.nodes]
    lines += [f"  output {y}: {describe(graph.tensor(y))}" for y in graph.outputs]
    return "\n".join(lines) + "\n"


def count_operators(graph: Graph) -> dict[str, int]:
    """How many nodes of each operator there are, the most frequent first, then by name."""
    counts = Counter(node.op for node in graph.nodes)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _operand(graph: Graph, name: str) -> str:
    if not name:
        return "-"
    tensor = graph.tensor(name)
    if tensor.data is None:
        return name
    shown = str(tensor.data.ravel().tolist()) if tensor.elements <= 4 else ""
    return f"{name}={describe(tensor)}{shown}"


def _value(value: Attribute) -> str:
    if isinstance(value, tuple):
        return "[" + ",".join(map(_value, value)) + "]"
    return f"{value:.9g}" if isinstance(value, float) else str(value)
