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
from bitpose.quantize.calibration import Calibration, Feed, Progress, Runner
from bitpose.quantize.codes import Codes, activation_codes, channel_codes
from bitpose.quantize.equalization import equalizable, equalize
from bitpose.quantize.insert import insert_codes
from bitpose.quantize.observers import OBSERVERS, Function, Range
from bitpose.quantize.points import JOINING, Points, find_points, has_weights, origin_of
from bitpose.quantize.weights import all_weights

Array = NDArray[Any]

#: Tensors that meet in a Concat share a scale unless that makes the range of one wider than this.
_WIDEST_SHARED = 3.0


@dataclass(frozen=True)
class Options:
    """How a network is quantized.

    `observer` chooses ranges: "mse", "minmax", "percentile" or "entropy". `equalization` evens out
    the channels of what one convolution alone reads; None tries both and keeps what is nearer to
    the float network on the feeds. `bias_correction` removes the mean error that rounded weights
    cause in each channel.
    """

    observer: str = "mse"
    equalization: bool | None = None
    bias_correction: bool = True

    def __post_init__(self) -> None:
        if self.observer not in OBSERVERS:
            raise InputError(f"observer {self.observer!r}; there are {', '.join(OBSERVERS)}")


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
    names = equalizable(graph)
    if options.equalization is False or not names:
        return _quantize(graph, feeds, options, progress)
    stages = 2 if options.equalization else 3
    even = _quantize(
        _equalized(graph, names, feeds, lambda share: progress(share / stages)),
        feeds,
        options,
        lambda share: progress((1 + share) / stages),
    )
    if options.equalization:
        return even
    plain = _quantize(graph, feeds, options, lambda share: progress((2 + share) / stages))
    runner = Runner(graph, ())
    exact = [runner.run(feed) for feed in feeds]
    return max((even, plain), key=lambda candidate: fidelity(exact, candidate, feeds))


def _quantize(graph: Graph, feeds: Sequence[Feed], options: Options, progress: Progress) -> Graph:
    points = find_points(graph)
    inputs = [node.inputs[0] for node in graph.nodes if has_weights(graph, node)]
    names = list(dict.fromkeys([*points, *inputs]))
    calibration = Calibration(graph, names, feeds, progress)
    codes = choose_codes(graph, points, calibration, options)
    weights = all_weights(graph, codes)
    if options.bias_correction:
        graph = correct_biases(graph, {name: calibration[name].mean for name in inputs}, weights)
    return insert_codes(graph, points, codes, weights)


def fidelity(
    exact: Sequence[Mapping[str, Array]], quantized: Graph, feeds: Sequence[Feed]
) -> float:
    """The mean over the outputs of their signal to quantization noise on feeds, in decibels.

    `exact` has the outputs of the float network for each feed.
    """
    runner = Runner(quantized, ())
    signal, noise = (np.zeros(len(quantized.outputs)) for _ in range(2))
    for feed, reference in zip(feeds, exact, strict=True):
        got = runner.run(feed)
        for i, name in enumerate(quantized.outputs):
            x, y = (values[name].astype(np.float64).reshape(-1) for values in (reference, got))
            signal[i] += total(x * x)
            noise[i] += total((x - y) * (x - y))
    ratios = np.maximum(signal, 1e-30) / np.maximum(noise, 1e-30)
    return 10.0 * float(total(elementary.log(ratios))) / (len(ratios) * math.log(10.0))


def _equalized(
    graph: Graph, names: Sequence[str], feeds: Sequence[Feed], progress: Progress
) -> Graph:
    seen = Calibration(graph, names, feeds, progress)
    reach = {name: np.maximum(-seen[name].low, seen[name].high) for name in names}
    return equalize(graph, reach)


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
        codes[name] = channel_codes(calibration[name].low, calibration[name].high)
    return codes


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
    for node in graph.nodes:
        name = node.outputs[0]
        if node.op not in JOINING or name not in ranges:
            continue
        parts = [x for x in (origin_of(producers, part) for part in node.inputs) if x in ranges]
        seen = [ranges[x] for x in parts] or [ranges[name]]
        union = Range(min(x.low for x in seen), max(x.high for x in seen))
        ranges[name] = union
        for x in parts:
            if union.high - union.low <= _WIDEST_SHARED * (ranges[x].high - ranges[x].low):
                ranges[x] = union
