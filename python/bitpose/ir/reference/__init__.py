# SPDX-License-Identifier: Apache-2.0
"""The reference executor: what every operator of the engine computes, in numpy, bit by bit.

It is the readable twin of the kernels. Integer tensors, and float tensors up to the payload of
NaNs, have the bits that the engine gives on every instruction set and thread count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bitpose.ir.extents import run_shape
from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.ir.reference import (  # noqa: F401 (register operators)
    boxes,
    convolutions,
    elementwise,
    floating,
    moving,
    products,
    quantized,
    reducing,
    selecting,
)
from bitpose.ir.reference.operand import OPERATORS, Array, Operand

__all__ = ["OPERATORS", "Operand", "run"]


def run(graph: Graph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Runs a graph of the engine's operators.

    `inputs` has an array of the right dtype and shape for each graph input. Returns every tensor by
    name, constants and inputs included; NaNs of graph outputs are canonical (0x7fc00000).

    Raises ValueError for wrong inputs, for an operator that the engine does not have, and where an
    operator gives another shape or dtype than its output's record says; GraphError where shapes
    that only a run decides do not fit each other.
    """
    values = {t.name: t.data for t in graph.constants() if t.data is not None}
    for name in graph.inputs:
        if name not in inputs:
            raise ValueError(f"input {name!r} is missing")
        values[name] = _checked(graph.tensor(name), np.asarray(inputs[name]), "the given array")
    for node in graph.nodes:
        if node.op not in OPERATORS:
            raise ValueError(f"node {node.name!r}: the engine has no operator {node.op!r}")
        operands = [Operand(graph.tensor(x), values[x]) for x in node.inputs]
        (output,) = node.outputs
        y = _in_this_run(node, operands, graph.tensor(output))
        result = OPERATORS[node.op](y, *operands, **node.attributes)
        values[output] = _checked(y, result, f"{node.op} {node.name!r}")
    for name in graph.outputs:
        values[name] = _canonical(values[name])
    return values


def _in_this_run(node: Node, operands: list[Operand], y: Tensor) -> Tensor:
    """The output with its shape in this run."""
    inputs, shapes = [x.tensor for x in operands], [x.data.shape for x in operands]
    if node.op == "narrow":
        inputs[1] = replace(inputs[1], data=operands[1].data)
    elif shapes == [x.shape for x in inputs]:
        return y
    return replace(y, shape=run_shape(node.op, inputs, shapes, node.attributes, y))


def _checked(tensor: Tensor, value: Array, source: str) -> Array:
    if value.dtype != tensor.dtype or value.shape != tensor.shape:
        raise ValueError(
            f"tensor {tensor.name!r} is {tensor.dtype}{list(tensor.shape)}, "
            f"but {source} gives {value.dtype}{list(value.shape)}"
        )
    return value


def _canonical(value: Array) -> Array:
    if value.dtype != np.float32:
        return value
    return np.where(np.isnan(value), np.float32(np.nan), value)
