# SPDX-License-Identifier: Apache-2.0
"""Stores weights of floats in half the bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Graph, Tensor
from bitpose.ir.operators import ENGINE, WEIGHTS

#: The least normal number of float16, and the least that rounds to infinity.
_LEAST, _BEYOND = 2.0**-14, 65520.0


def store_float16(graph: Graph, *, lossy: bool) -> Graph:
    """Before -> after:

        1. float32 weights, all of which float16 has    ->   the same numbers as float16
        2. other float32 weights, if `lossy`            ->   rounded to nearest even, once

    The engine widens weights when it packs them, so nothing else changes. Weights that some other
    operand or a graph output shares stay float32. So does, in case 2, a tensor that does not suit
    float16 as a whole: one with a number that would become infinite, or with no number that float16
    has to full precision. Keeping that one costs bytes; refusing would cost the network, and
    clamping its meaning.
    """
    half = {t.name: t for t in map(_Rounding, _weights(graph)) if t.suits(lossy)}
    if not half:
        return graph
    return graph.rebuilt(graph.nodes, [t.stored() for t in half.values()])


def _weights(graph: Graph) -> list[Tensor]:
    """float32 constants that are nothing but weights."""
    weights: set[str] = set()
    others = set(graph.outputs)
    for node in graph.nodes:
        specs = ENGINE[node.op].inputs
        for i, name in enumerate(node.inputs):
            is_weights = specs[min(i, len(specs) - 1)].dtypes == WEIGHTS
            (weights if is_weights else others).add(name)
    found = [graph.tensor(name) for name in sorted(weights - others)]
    return [t for t in found if t.dtype == np.float32]


class _Rounding:
    """A tensor of weights and what rounding makes of it."""

    def __init__(self, tensor: Tensor) -> None:
        assert tensor.data is not None
        self.tensor = tensor
        self.name = tensor.name
        self.data: NDArray[Any] = tensor.data
        with np.errstate(over="ignore"):
            self.half = self.data.astype(np.float16)

    def suits(self, lossy: bool) -> bool:
        if np.array_equal(self.half.astype(np.float32), self.data):
            return True
        largest = np.abs(self.data).max()
        return lossy and bool(_LEAST <= largest < _BEYOND)

    def stored(self) -> Tensor:
        return replace(Tensor.constant(self.name, self.half), quantization=self.tensor.quantization)
