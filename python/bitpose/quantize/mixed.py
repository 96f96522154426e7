# SPDX-License-Identifier: Apache-2.0
"""What stays in float because rounding it costs too much."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bitpose.ir import elementary
from bitpose.ir.elementary import total
from bitpose.ir.graph import Graph, Node
from bitpose.quantize.points import find_points, has_weights

Float = NDArray[np.float64]

#: What an exemption costs besides multiplications, as a share of all: floats move more bytes.
_LEAST_SHARE = 0.001
#: Decibels that each output must gain on average for a share of 1 in float.
_LEAST_GAIN = 3.0
_NOTHING = 1e-30


class Mixture:
    """What may stay float in a network, what that costs and what it gains.

    Noise is taken to add up: that of rounding several tensors is the sum of that of each.
    """

    def __init__(
        self,
        graph: Graph,
        noise: Callable[[str], Float],
        progress: Callable[[float], None],
    ) -> None:
        """`noise` measures what rounding a point adds to each output."""
        self._graph = graph
        self._macs = {n.outputs[0]: multiplications(graph, n) for n in graph.nodes}
        self._whole = max(1, sum(self._macs.values()))
        points = list(find_points(graph))
        self._noise = {}
        for i, name in enumerate(points):
            self._noise[name] = noise(name)
            progress((i + 1) / len(points))
        self._candidates = [frozenset([name]) for name in points]

    def choices(self, wanted: Float, budget: float) -> list[frozenset[str]]:
        """What brings the noise of the outputs down to `wanted` at the least cost, step by step.

        Greedy: the most decibels, summed over the outputs, for their share of multiplications,
        until every output is good enough, nothing else fits into `budget`, a share of all
        multiplications, or what fits gains too little. Each choice holds those before it.
        """
        found: list[frozenset[str]] = [frozenset()]
        noise, share = self._left(found[-1])
        options = [(candidate, *self._left(candidate)) for candidate in self._candidates]
        spared = [(candidate, noise - rest, cost) for candidate, rest, cost in options]
        while np.any(noise > wanted):
            spared = [option for option in spared if share + option[2] <= budget]
            gains = [_gain(noise, less, wanted) / (cost + _LEAST_SHARE) for _, less, cost in spared]
            if not gains or max(gains) < _LEAST_GAIN * len(noise):
                break
            best, _, _ = spared.pop(int(np.argmax(gains)))
            rest, cost = self._left(found[-1] | best)
            if cost <= budget and _gain(noise, noise - rest, wanted) > 0:
                found.append(found[-1] | best)
                noise, share = rest, cost
        return found

    def _left(self, exempt: frozenset[str]) -> tuple[Float, float]:
        """The noise that is left, and the share of multiplications that stays float."""
        points = find_points(self._graph, exempt)
        left = set(points)
        everything = np.stack(list(self._noise.values()), axis=-1)
        kept = np.array([name in left for name in self._noise])
        share = sum(self._macs[name] for name in points.floats) / self._whole
        return total(everything * kept), share


def multiplications(graph: Graph, node: Node) -> int:
    """How many a convolution with constant weights has; 0 for other nodes."""
    if not has_weights(graph, node):
        return 0
    # Each weight meets each position of the output, or of the input that is spread out.
    like = node.inputs[0] if node.op == "ConvTranspose" else node.outputs[0]
    return math.prod(graph.tensor(like).shape[2:]) * graph.tensor(node.inputs[1]).elements


def share_in_float(graph: Graph) -> float:
    """Of the multiplications of convolutions in a compiled network, those that are not in int8."""
    floats = whole = 0
    for node in graph.nodes:
        kind, _, dtypes = node.op.partition("_")
        if not kind.endswith("conv2d"):
            continue
        like = node.inputs[0] if "deconv" in kind else node.outputs[0]
        macs = math.prod(graph.tensor(like).shape[1:3]) * graph.tensor(node.inputs[1]).elements
        whole += macs
        floats += macs if dtypes == "f32" else 0
    return floats / max(1, whole)


def _gain(noise: Float, spared: Float, wanted: Float) -> float:
    """Decibels, summed over the outputs; what is beyond `wanted` does not count."""
    wanted = np.maximum(wanted, _NOTHING)
    before = np.maximum(noise, wanted)
    after = np.maximum(np.maximum(noise - spared, 0.01 * noise), wanted)
    return 10.0 * float(total(elementary.log(before / after))) / math.log(10.0)
