# SPDX-License-Identifier: Apache-2.0
"""Float graphs to quantized ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.ir import elementary, elementwise
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
    the float network on the feeds. `bias_correction` removes the mean error that
    rounded weights cause in each channel.
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
    if options.equalization is not None:
        return _quantize(graph, feeds, options, progress)
    candidates = [
        _quantize(graph, feeds, replace(options, equalization=even), stage)
        for even, stage in (
            (True, lambda share: progress(share / 2)),
            (False, lambda share: progress((1 + share) / 2)),
        )
    ]
    return max(candidates, key=lambda candidate: fidelity(graph, candidate, feeds))


def _quantize(graph: Graph, feeds: Sequence[Feed], options: Options, progress: Progress) -> Graph:
    if options.equalization:
        graph = _equalized(graph, feeds, lambda share: progress(share / 2))
    points = find_points(graph)
    inputs = [node.inputs[0] for node in graph.nodes if has_weights(graph, node)]
    names = list(dict.fromkeys([*points, *inputs]))
    calibration = Calibration(graph, names, feeds, lambda share: progress((1 + share) / 2))
    codes = choose_codes(graph, points, calibration, options)
    weights = all_weights(graph, codes)
    if options.bias_correction:
        graph = correct_biases(graph, {name: calibration[name].mean for name in inputs}, weights)
    return insert_codes(graph, points, codes, weights)


def fidelity(graph: Graph, quantized: Graph, feeds: Sequence[Feed]) -> float:
    """The mean over the outputs of their signal to quantization noise on feeds, in decibels."""
    exact, rounded = Runner(graph, ()), Runner(quantized, ())
    signal, noise = np.zeros(len(graph.outputs)), np.zeros(len(graph.outputs))
    for feed in feeds:
        left, right = exact.run(feed), rounded.run(feed)
        for i, name in enumerate(graph.outputs):
            x, y = (values[name].astype(np.float64) for values in (left, right))
            signal[i] += _total(x * x)
            noise[i] += _total((x - y) * (x - y))
    ratios = np.maximum(signal, 1e-30) / np.maximum(noise, 1e-30)
    return 10.0 * _total(elementary.log(ratios)) / (len(ratios) * math.log(10.0))


def _total(x: NDArray[np.float64]) -> float:
    """One addition after the other: the same bits on every machine."""
    return float(np.cumsum(x)[-1])


def _equalized(graph: Graph, feeds: Sequence[Feed], progress: Progress) -> Graph:
    seen = Calibration(graph, equalizable(graph), feeds, progress)
    reach = {name: np.maximum(-seen[name].low, seen[name].high) for name in equalizable(graph)}
    return equalize(graph, reach)


def choose_codes(
    graph: Graph, points: Points, calibration: Calibration, options: Options
) -> dict[str, Codes]:
    """Scale and zero point of every point."""
    observe = OBSERVERS[options.observer]
    ranges = {}
    for name in points.scaled:
        seen = calibration[name].histogram
        ranges[name] = _clipped(graph, name, observe(seen, _function(graph, name))).with_zero()
    _share_concats(graph, ranges)
    for name, first in points.scaled.items():
        ranges[name] = ranges[first]
    codes = {name: activation_codes(values) for name, values in ranges.items()}
    for name in points.heads:
        codes[name] = channel_codes(calibration[name].low, calibration[name].high)
    return codes


def _clipped(graph: Graph, name: str, values: Range) -> Range:
    """A convolution with a clamp gives nothing outside it."""
    node = graph.producers().get(name)
    if node is None:
        return values
    low, high = (node.attributes.get(end) for end in ("fmin", "fmax"))
    return Range(
        max(values.low, low) if isinstance(low, float) else values.low,
        min(values.high, high) if isinstance(high, float) else values.high,
    )


def _function(graph: Graph, name: str) -> Function:
    """The elementwise function through which alone a tensor is read, if there is one."""
    readers = graph.consumers().get(name, [])
    if name in graph.outputs or len(readers) != 1 or readers[0].op not in UNARY:
        return None
    node = readers[0]
    return lambda x: _evaluate(node, x)


def _evaluate(node: Node, x: NDArray[np.float64]) -> NDArray[np.float64]:
    value = elementwise.evaluate(node.op, [x.astype(np.float32)], node.attributes)
    return value.astype(np.float64)


def _share_concats(graph: Graph, ranges: dict[str, Range]) -> None:
    """Gives a Concat and its parts one range, so that joining them moves bytes and nothing else.

    A part that would lose too much keeps its own and goes through a table.
    """
    producers = graph.producers()
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
