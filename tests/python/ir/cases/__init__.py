# SPDX-License-Identifier: Apache-2.0
"""Random networks of one operator each, with odd sizes and extreme values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.ir.shapes import output_shape

from . import elementwise, movement, windows
from .operation import Array

_MAKERS = {**windows.MAKERS, **elementwise.MAKERS, **movement.MAKERS}


@dataclass(frozen=True, eq=False)
class Case:
    """A network of one operator and what to feed it."""

    graph: Graph
    feed: Mapping[str, Array]


def make_case(op: str, seed: int) -> Case:
    """The case of an operator that `seed` stands for."""
    random = np.random.default_rng([seed, *op.encode()])
    made = _MAKERS[op](random)
    tensors = {}
    for name, data in made.operands.items():
        quantization = made.quantizations.get(name)
        tensors[name] = (
            Tensor.constant(name, data, quantization)
            if name in made.fixed
            else Tensor(name, data.dtype, data.shape, quantization)
        )
    y = Tensor("y", made.dtype, made.shape, made.quantizations.get("y"))
    shape = output_shape(op, list(tensors.values()), made.attributes, y)
    tensors["y"] = Tensor("y", made.dtype, shape, y.quantization)
    inputs = tuple(name for name in made.operands if name not in made.fixed)
    node = Node(op, f"{op}.1", tuple(made.operands), ("y",), made.attributes)
    graph = Graph("case", (node,), tensors, inputs, ("y",))
    return Case(graph, {name: made.operands[name] for name in inputs})


def operators() -> list[str]:
    """Those that `make_case` knows."""
    return list(_MAKERS)
