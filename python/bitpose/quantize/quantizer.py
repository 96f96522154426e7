# SPDX-License-Identifier: Apache-2.0
"""Float graphs to quantized ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.ir import elementary, elementwise
from bitpose.ir.elementary import total
from bitpose.ir.graph import Graph, Node
from bitpose.ir.operators import UNARY
from bitpose.quantize.bias_correction import correct_biases
from bitpose.quantize.calibration import Calibration, Feed, Progress, Runner, Statistics
from bitpose.quantize.codes import Codes, activation_codes, channel_codes
from bitpose.quantize.equalization import equalizable, equalize
from bitpose.quantize.insert import insert_codes
from bitpose.quantize.mixed import Mixture
from bitpose.quantize.observers import OBSERVERS, Function, Range, mse
from bitpose.quantize.points import JOINING, Exemptions, Points, find_points, has_weights, origin_of
from bitpose.quantize.sensitivity import Sensitivity
from bitpose.quantize.weights import all_weights

Array = NDArray[Any]

#: Tensors that meet in a Concat share a scale unless that makes the range of one wider than this.
_WIDEST_SHARED = 1.5
#: How much farther than seen the codes of a head's channel reach: each saw only a few values.
_HEADROOM = 1.25


@dataclass(frozen=True)
class Options:
    """How a network is quantized.

    `observer` chooses ranges: "mse", "minmax", "percentile" or "entropy". `equalization` evens out
    the channels of what one convolution alone reads; None tries both and keeps what is nearer to
    the float network on the feeds. `bias_correction` removes the mean error that rounded weights
    cause in each channel.

    Layers in which rounding costs the most stay in float until the outputs have the signal to
    quantization noise `target`, in decibels, or `float_share` of all multiplications is in float.
    """

    observer: str = "mse"
    equalization: bool | None = None
    bias_correction: bool = True
    target: float = 30.0
    float_share: float = 0.1

    def __post_init__(self) -> None:
        if self.observer not in OBSERVERS:
            raise InputError(f"observer {self.observer!r}; there are {', '.join(OBSERVERS)}")
        if not 0.0 <= self.float_share <= 1.0:
            raise InputError(f"float_share {self.float_share}; it is a share, between 0 and 1")


def quantize(
    graph: Graph,
    feeds: Sequence[Feed],
    options: Options | None = None,
    progress: Progress = lambda share: None,
) -> Graph:
    """A float graph with QuantizeLinear and DequantizeLinear where int8 will do.

    `graph` has ONNX's operations, without quantization; `feeds` are inputs of the kind that the
    network will see, one dict each; `progress` is told how far it is. The same graph and feeds
    give the same result on every machine. Raises InputError for feeds that do not fit.
    """
    options = options or Options()
    names = equalizable(graph) if options.equalization is not False else []
    stages = _Stages(progress, 4 if names else 2)
    network = _Network(graph, feeds, options, stages.next())
    yardsticks = network.yardsticks()
    runner = Runner(graph, yardsticks)
    judged = feeds[:: max(1, len(feeds) // _JUDGED_FEEDS)]
    exact = [{name: got[name] for name in yardsticks} for got in map(runner.run, judged)]
    if names:
        reach = {name: network.calibration[name].reach for name in names}
        even = _Network(equalize(graph, reach), feeds, options, stages.next())
        networks = [even] if options.equalization else [even, network]
        network = max(networks, key=lambda n: fidelity(exact, n.quantized(), judged))
        stages.next()
    result = _with_floats(network, judged, exact, stages.next())
    progress(1.0)
    return result


class _Stages:
    """Tells the progress of several things that are done one after the other."""

    def __init__(self, progress: Progress, count: int) -> None:
        self._progress = progress
        self._count = count
        self._done = -1

    def next(self) -> Progress:
        self._done += 1
        before = self._done
        return lambda share: self._progress((before + share) / self._count)


class _Network:
    """A float graph with its calibration, to be quantized in several ways."""

    def __init__(
        self, graph: Graph, feeds: Sequence[Feed], options: Options, progress: Progress
    ) -> None:
        self.graph = graph
        self.options = options
        weighted = [node for node in graph.nodes if has_weights(graph, node)]
        ends = [x for node in weighted for x in (node.inputs[0], node.outputs[0])]
        self.points = find_points(graph)
        names = list(dict.fromkeys([*self.points, *ends]))
        self.calibration = Calibration(graph, names, feeds, progress)
        self.codes = choose_codes(graph, self.points, self.calibration, options)

    def quantized(self, exempt: Exemptions | None = None) -> Graph:
        """In codes, but for what is exempt."""
        graph, points, codes = self.graph, self.points, self.codes
        if exempt is not None:
            points = find_points(graph, exempt)
            codes = choose_codes(graph, points, self.calibration, self.options)
        weights = all_weights(graph, codes)
        if self.options.bias_correction:
            graph = correct_biases(graph, self.calibration.means, weights, points.floats)
        return insert_codes(graph, points, codes, weights)

    def yardsticks(self) -> list[str]:
        """The tensors that tell how good a quantized version is.

        Heads, each behind functions of single elements: what a sigmoid flattens does not matter.
        Scores and boxes that meet in one output count as much as each other.
        """
        readers = self.graph.consumers()
        inner = [name for name in self.points.scaled if name in self.graph.outputs]
        found = [*inner, *(_behind_functions(self.graph, readers, x) for x in self.points.heads)]
        return found or list(self.graph.outputs)


def _behind_functions(graph: Graph, readers: Mapping[str, list[Node]], name: str) -> str:
    while name not in graph.outputs and len(readers.get(name, ())) == 1:
        (node,) = readers[name]
        constants = sum(graph.tensor(x).is_constant for x in node.inputs)
        if node.op not in (*UNARY, "Softmax", "Add", "Sub", "Mul", "Div") or (
            len(node.inputs) - constants != 1
        ):
            break
        name = node.outputs[0]
    return name


#: Feeds that versions of a network are compared on, and that sensitivity is measured on.
_JUDGED_FEEDS = 8
_MEASURED_FEEDS = 2


def _with_floats(
    network: _Network,
    feeds: Sequence[Feed],
    exact: Sequence[Mapping[str, Array]],
    progress: Progress,
) -> Graph:
    """The network in int8 where it can, with the layers in float that gain the most by it."""
    options, plain = network.options, network.quantized()
    reached = fidelity(exact, plain, feeds)
    if not network.codes or options.float_share == 0 or reached >= options.target:
        return plain
    every = max(1, len(exact) // _MEASURED_FEEDS)
    some = slice(0, every * _MEASURED_FEEDS, every)
    seen = Sensitivity(network.graph, network.codes, feeds[some], exact[some])
    mixture = Mixture(network.graph, seen.noise, progress)
    wanted = _energies(exact) * (len(exact[some]) / len(exact)) * 10.0 ** (-options.target / 10.0)
    mixed = network.quantized(mixture.choose(wanted, options.float_share))
    return mixed if fidelity(exact, mixed, feeds) > reached else plain


def _energies(values: Sequence[Mapping[str, Array]]) -> NDArray[np.float64]:
    """Of each tensor, the sum of squares over all feeds."""
    energies = np.zeros(len(values[0]))
    for tensors in values:
        flat = (x.astype(np.float64).reshape(-1) for x in tensors.values())
        energies += [float(total(x * x)) for x in flat]
    return energies


def fidelity(
    exact: Sequence[Mapping[str, Array]], quantized: Graph, feeds: Sequence[Feed]
) -> float:
    """The mean over some tensors of their signal to quantization noise on feeds, in decibels.

    `exact` has the tensors as the float network gives them for each feed.
    """
    names = list(exact[0])
    runner = Runner(quantized, names)
    signal, noise = (np.zeros(len(names)) for _ in range(2))
    for feed, reference in zip(feeds, exact, strict=True):
        got = runner.run(feed)
        for i, name in enumerate(names):
            x, y = (values[name].astype(np.float64).reshape(-1) for values in (reference, got))
            signal[i] += total(x * x)
            noise[i] += total((x - y) * (x - y))
    ratios = np.maximum(signal, 1e-30) / np.maximum(noise, 1e-30)
    return 10.0 * float(total(elementary.log(ratios))) / (len(ratios) * math.log(10.0))


def choose_codes(
    graph: Graph, points: Points, calibration: Calibration, options: Options
) -> dict[str, Codes]:
    """Scale and zero point of every point."""
    observe = OBSERVERS[options.observer]
    producers, consumers = graph.producers(), graph.consumers()
    ranges = {}
    for name in points.scaled:
        readers = [] if name in graph.outputs else consumers.get(name, [])
        chosen = observe(calibration[name].histogram, _function(readers))
        ranges[name] = _clipped(producers.get(name), chosen).with_zero()
    _share_concats(graph, producers, ranges)
    for name, first in points.scaled.items():
        ranges[name] = ranges[first]
    codes = {name: activation_codes(values) for name, values in ranges.items()}
    for name in points.heads:
        readers = [] if name in graph.outputs else consumers.get(name, [])
        ends = _head_ends(producers[name], calibration[name], _function(readers))
        codes[name] = channel_codes(*ends)
    return codes


def _head_ends(
    node: Node, seen: Statistics, function: Function
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and the greatest value of each channel that codes stand for.

    A channel may reach somewhat farther than was seen, but no farther than a clamp lets it. What a
    function flattens, as a sigmoid does, needs no codes.
    """
    low, high = seen.low * _HEADROOM, seen.high * _HEADROOM
    bounds = _clipped(node, Range(-np.inf, np.inf))
    low, high = np.maximum(low, bounds.low), np.minimum(high, bounds.high)
    if function is not None:
        chosen = mse(seen.histogram, function).with_zero()
        step = (chosen.high - chosen.low) / 255
        ends = np.array([seen.histogram.low, chosen.low, chosen.high, seen.histogram.high])
        values = function(ends)
        if abs(values[0] - values[1]) < step:
            low = np.maximum(low, chosen.low)
        if abs(values[3] - values[2]) < step:
            high = np.minimum(high, chosen.high)
    return low, high


def _clipped(node: Node | None, values: Range) -> Range:
    """A convolution with a clamp gives nothing outside it."""
    if node is None:
        return values
    low, high = (node.attributes.get(end) for end in ("fmin", "fmax"))
    return Range(
        max(values.low, low) if isinstance(low, float) else values.low,
        min(values.high, high) if isinstance(high, float) else values.high,
    )


def _function(readers: Sequence[Node]) -> Function:
    """The elementwise function that alone reads a tensor, if there is one."""
    if len(readers) != 1 or readers[0].op not in UNARY:
        return None
    node = readers[0]
    return lambda x: _evaluate(node, x)


def _evaluate(node: Node, x: NDArray[np.float64]) -> NDArray[np.float64]:
    value = elementwise.evaluate(node.op, [x.astype(np.float32)], node.attributes)
    return value.astype(np.float64)


def _share_concats(graph: Graph, producers: Mapping[str, Node], ranges: dict[str, Range]) -> None:
    """Gives a Concat and its parts one range, so that joining them moves bytes and nothing else.

    A part that would lose too much keeps its own and goes through a table.
    """
    own = dict(ranges)
    for node in graph.nodes:
        name = node.outputs[0]
        if node.op not in JOINING or name not in ranges:
            continue
        parts = [x for x in (origin_of(producers, part) for part in node.inputs) if x in ranges]
        seen = [own[x] for x in parts] or [own[name]]
        union = Range(min(x.low for x in seen), max(x.high for x in seen))
        ranges[name] = own[name] = union
        for x in parts:
            if union.high - union.low <= _WIDEST_SHARED * (own[x].high - own[x].low):
                ranges[x] = union
