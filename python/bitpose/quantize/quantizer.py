# SPDX-License-Identifier: Apache-2.0
"""Float graphs to quantized ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.ir import elementwise
from bitpose.ir.graph import Graph, Node
from bitpose.ir.operators import UNARY
from bitpose.quantize.bias_correction import correct_biases
from bitpose.quantize.calibration import Calibration, Feed, Progress, Statistics
from bitpose.quantize.codes import Codes, activation_codes
from bitpose.quantize.equalization import equalize, even_factors
from bitpose.quantize.insert import insert_codes
from bitpose.quantize.mixed import Mixture, multiplications
from bitpose.quantize.observers import OBSERVERS, Function, Range
from bitpose.quantize.points import JOINING, Points, find_points, has_weights, origin_of
from bitpose.quantize.rounding import rounded_together
from bitpose.quantize.sensitivity import Sensitivity
from bitpose.quantize.weights import Weights, all_weights
from bitpose.quantize.yardsticks import Yardsticks, yardsticks

Array = NDArray[Any]

#: Tensors that meet in a Concat share a scale unless that makes the range of one wider than this.
_WIDEST_SHARED = 1.5


@dataclass(frozen=True)
class Options:
    """How a network is quantized.

    `observer` chooses ranges: "mse", "tails", "minmax", "percentile" or "entropy"; None tries the
    first two. `equalization` evens out the channels of what one convolution alone reads; None tries
    it. What is nearer to the float network on the feeds is kept. `bias_correction` removes the mean
    error that rounded weights cause in each channel.

    Layers in which rounding costs the most stay in float until the outputs have the signal to
    quantization noise `target`, in decibels, or `float_share` of all multiplications is in float.
    """

    observer: str | None = None
    equalization: bool | None = None
    bias_correction: bool = True
    target: float = 30.0
    float_share: float = 0.1

    def __post_init__(self) -> None:
        if self.observer not in (None, *OBSERVERS):
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
    points = find_points(graph)
    weighted = [node for node in graph.nodes if has_weights(graph, node)]
    ends = [x for node in weighted for x in (node.inputs[0], node.outputs[0])]
    calibration = Calibration(
        graph,
        list(dict.fromkeys([*points, *ends])),
        feeds,
        lambda share: progress(_CALIBRATION_SHARE * share),
        lambda reach: {} if options.equalization is False else even_factors(graph, reach),
    )
    count = int(np.clip(_JUDGED_WORK / (_work(graph) + 1), *_JUDGED))
    exact = Yardsticks.of(graph, yardsticks(graph, points), feeds[:: -(-len(feeds) // count)])
    versions = [(graph, calibration.plain)]
    if calibration.factors:
        even = equalize(graph, calibration.factors), calibration.even
        versions = [even] if options.equalization else [even, *versions]
    first, *others = [options.observer] if options.observer else _TRIED_OBSERVERS
    networks = [_Network(*version, replace(options, observer=first)) for version in versions]
    network = networks[0]
    if len(networks) > 1:
        network = max(networks, key=lambda n: exact.fidelity(n.quantized()))
    network.round_together(exact.feeds)
    result = _with_floats(
        network,
        [network.observed_by(observer) for observer in others],
        exact,
        lambda share: progress(_CALIBRATION_SHARE + (1 - _CALIBRATION_SHARE) * share),
    )
    progress(1.0)
    return result


_TRIED_OBSERVERS = ("mse", "tails")
#: Of all the work, as a guess.
_CALIBRATION_SHARE = 0.4


class _Network:
    """A float graph with its statistics, to be quantized in several ways."""

    def __init__(self, graph: Graph, seen: Mapping[str, Statistics], options: Options) -> None:
        self.graph = graph
        self.seen = seen
        self.options = options
        self.points = find_points(graph)
        self._observed = observed_ranges(graph, self.points, seen, options)
        self.codes = choose_codes(graph, self.points, self._observed)
        self._best: Mapping[str, Weights] = {}

    def round_together(self, feeds: Sequence[Feed]) -> None:
        """Lets the errors of weights cancel for inputs like these feeds, from now on."""
        self._best = rounded_together(self.graph, all_weights(self.graph, self.codes), feeds)

    def observed_by(self, observer: str) -> _Network:
        """The same with ranges that another observer chooses."""
        other = _Network(self.graph, self.seen, replace(self.options, observer=observer))
        other._best = self._best
        return other

    def quantized(self, exempt: frozenset[str] = frozenset()) -> Graph:
        """In codes, but for what is exempt."""
        graph, points, codes = self.graph, self.points, self.codes
        if exempt:
            points = find_points(graph, exempt)
            codes = choose_codes(graph, points, self._observed)
        weights = all_weights(graph, codes)
        for name, best in self._best.items():
            if np.array_equal(best.scales, weights[name].scales):
                weights[name] = best
        if self.options.bias_correction:
            means = {name: seen.mean for name, seen in self.seen.items()}
            graph = correct_biases(graph, means, weights, points.floats)
        return insert_codes(graph, points, codes, weights)


#: Feeds that versions of a network are compared on, and their multiplications.
_JUDGED, _JUDGED_WORK = (16, 32), 2e9
#: Feeds that sensitivity is measured on, and the multiplications of all measurements.
_MEASURED, _MEASURED_WORK = (2, 8), 1e11
#: How much of what was chosen is tried.
_TRIED_PARTS = (0.25, 0.5, 0.75, 1.0)


def _with_floats(
    network: _Network, rivals: Sequence[_Network], exact: Yardsticks, progress: Progress
) -> Graph:
    """The network in int8 where it can, with the layers in float that gain the most by it.

    Layers are chosen once; with them in float, `rivals` may be better than the network.
    """
    options = network.options
    plain = network.quantized()
    reached = exact.fidelity(plain)
    tried = [frozenset[str]()]
    if network.codes and options.float_share > 0 and reached < options.target:
        tried += _floats(network, exact, progress)
    pairs = [(n, exempt) for exempt in tried for n in (network, *rivals)]
    versions = (n.quantized(exempt) for n, exempt in pairs[1:])
    scored = [(plain, reached), *((version, exact.fidelity(version)) for version in versions)]
    return max(scored, key=lambda pair: pair[1])[0]


def _floats(network: _Network, exact: Yardsticks, progress: Progress) -> list[frozenset[str]]:
    """What may stay float, from little to all that there is a budget for."""
    options = network.options
    work = _work(network.graph) * len(network.codes)
    count = int(np.clip(_MEASURED_WORK / (work + 1), *_MEASURED))
    some = exact.thinned(count)
    seen = Sensitivity(network.graph, network.codes, some)
    mixture = Mixture(network.graph, seen.noise, progress)
    wanted = some.signals * 10.0 ** (-options.target / 10.0)
    choices = mixture.choices(wanted, options.float_share)
    # The sum of noises is a guess: with each choice the network may become better or not.
    tried = [choices[round(part * (len(choices) - 1))] for part in _TRIED_PARTS]
    return [exempt for exempt in dict.fromkeys(tried) if exempt]


def _work(graph: Graph) -> int:
    return sum(multiplications(graph, node) for node in graph.nodes)


def observed_ranges(
    graph: Graph, points: Points, seen: Mapping[str, Statistics], options: Options
) -> dict[str, Range]:
    """What the codes of every point should stand for, were it alone."""
    observe = OBSERVERS[options.observer or _TRIED_OBSERVERS[0]]
    producers, consumers = graph.producers(), graph.consumers()
    ranges = {}
    for name in points.scaled:
        readers = [] if name in graph.outputs else consumers.get(name, [])
        chosen = observe(seen[name].histogram, _function(readers))
        ranges[name] = _clipped(producers.get(name), chosen).with_zero()
    return ranges


def choose_codes(graph: Graph, points: Points, observed: Mapping[str, Range]) -> dict[str, Codes]:
    """Scale and zero point of every point, some of which share theirs."""
    ranges = {name: observed[name] for name in points.scaled}
    _share_concats(graph, graph.producers(), ranges)
    return {name: activation_codes(ranges[first]) for name, first in points.scaled.items()}


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
        # What was seen of the whole tells of parts that have no codes.
        seen = [own[x] for x in parts] + [own[name]] * (len(parts) < len(node.inputs))
        union = Range(min(x.low for x in seen), max(x.high for x in seen))
        ranges[name] = own[name] = union
        for x in parts:
            if union.high - union.low <= _WIDEST_SHARED * (own[x].high - own[x].low):
                ranges[x] = union
