# SPDX-License-Identifier: Apache-2.0
"""What tells how near a quantized network is to its float self."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir import elementary
from bitpose.ir.elementary import total
from bitpose.ir.graph import Graph, Node
from bitpose.ir.operators import UNARY
from bitpose.quantize.calibration import Feed, Runner
from bitpose.quantize.points import KEEPING, Points

Array = NDArray[Any]
Float = NDArray[np.float64]

#: Fewer feeds say nothing about what a tensor has in common for all of them.
_LEAST_FEEDS = 4
_NOTHING = 1e-30


@dataclass(frozen=True, eq=False)
class Yardsticks:
    """Some tensors of a float network, with their values on some feeds.

    `signals` has the energy of each tensor over all feeds: the sum of squares about the mean of
    each element, since what a network says of every picture (no person in the corner) says nothing
    of this one.
    """

    feeds: Sequence[Feed]
    exact: Sequence[Mapping[str, Array]]
    signals: Float

    @classmethod
    def of(cls, graph: Graph, names: Sequence[str], feeds: Sequence[Feed]) -> Yardsticks:
        """The tensors `names` of a float graph."""
        runner = Runner(graph, names)
        exact = []
        for feed in feeds:
            values = runner.run(feed)
            exact.append({name: values[name] for name in names})
        return cls(feeds, exact, _energies(exact))

    @property
    def names(self) -> list[str]:
        return list(self.exact[0])

    def thinned(self, count: int) -> Yardsticks:
        """On at most `count` of the feeds; the signals are in proportion."""
        every = -(-len(self.feeds) // max(1, count))
        feeds, exact = self.feeds[::every], self.exact[::every]
        return Yardsticks(feeds, exact, self.signals * (len(feeds) / len(self.feeds)))

    def noise(self, runner: Runner, more: Mapping[str, Array]) -> Float:
        """The energy of each tensor's error in a network, which `more` inputs are given to."""
        noise = np.zeros(len(self.names))
        for feed, exact in zip(self.feeds, self.exact, strict=True):
            got = runner.run({**feed, **more})
            noise += [_energy(x.astype(np.float64) - got[name]) for name, x in exact.items()]
        return noise

    def fidelity(self, quantized: Graph) -> float:
        """The mean over the tensors of their signal to quantization noise, in decibels."""
        noise = self.noise(Runner(quantized, self.names), {})
        ratios = np.maximum(self.signals, _NOTHING) / np.maximum(noise, _NOTHING)
        return 10.0 * float(total(elementary.log(ratios))) / (len(ratios) * math.log(10.0))


def yardsticks(graph: Graph, points: Points) -> list[str]:
    """The tensors that tell how good a quantized version of a float graph is.

    Heads, each behind functions of single elements: what a sigmoid flattens does not matter.
    Scores and boxes that meet in one output count as much as each other.
    """
    readers = graph.consumers()
    inner = [name for name in points.scaled if name in graph.outputs]
    ends = [end for head in points.heads for end in _behind_functions(graph, readers, head)]
    return list(dict.fromkeys([*inner, *ends])) or list(graph.outputs)


def _behind_functions(graph: Graph, readers: Mapping[str, list[Node]], name: str) -> list[str]:
    """Where the elements of a tensor are before they are joined with others, or given out."""
    following = [] if name in graph.outputs else readers.get(name, [])
    if not following or not all(_is_function(graph, node) for node in following):
        return [name]
    return [end for node in following for end in _behind_functions(graph, readers, node.outputs[0])]


def _is_function(graph: Graph, node: Node) -> bool:
    """Whether each element of the result comes from one element of one operand."""
    varying = sum(not graph.tensor(x).is_constant for x in node.inputs if x)
    known = (*UNARY, *KEEPING, "Softmax", "Add", "Sub", "Mul", "Div")
    return node.op in known and varying == 1


def _energies(values: Sequence[Mapping[str, Array]]) -> Float:
    """Of each tensor, over all feeds."""
    energies = []
    for name in values[0]:
        mean = np.zeros(values[0][name].shape)
        if len(values) >= _LEAST_FEEDS:
            for tensors in values:
                mean = mean + tensors[name]
            mean = mean / len(values)
        energies.append(sum(_energy(tensors[name] - mean) for tensors in values))
    return np.array(energies)


def _energy(x: Array) -> float:
    flat = x.astype(np.float64).reshape(-1)
    return float(total(flat * flat))
