# SPDX-License-Identifier: Apache-2.0
"""Whole float graphs to int8, and each step of the way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.ir.graph import Graph
from bitpose.ir.reference import run
from bitpose.passes import FLOAT_PIPELINE, run_passes
from bitpose.quantize import Options, quantize
from bitpose.quantize.bias_correction import correct_biases
from bitpose.quantize.calibration import Calibration
from bitpose.quantize.codes import activation_codes
from bitpose.quantize.equalization import equalizable, equalize, even_factors
from bitpose.quantize.observers import Range
from bitpose.quantize.weights import all_weights, rounded
from bitpose.quantize.yardsticks import Yardsticks

from ..passes.build import Draft

Array = NDArray[Any]
SHAPE = (1, 3, 8, 8)


def conv(d: Draft, x: str, y: str, shape: tuple[int, ...], weights: Array, **more: Any) -> str:
    d.constant(f"{y}.w", weights, np.float32)
    d.constant(f"{y}.b", np.linspace(-1, 1, len(weights)), np.float32)
    pads = (weights.shape[2] // 2, weights.shape[3] // 2) * 2
    geometry = {"strides": (1, 1), "dilations": (1, 1), "pads": pads, "group": 1}
    return d.node("Conv", f"{x} {y}.w {y}.b", y, shape, **geometry | more)


def network(spread: float = 1.0) -> Graph:
    """Two branches of unlike range that are joined; `spread` sets the heads' channels apart."""
    random = np.random.default_rng(0)
    d = Draft()
    d.input("x", SHAPE)
    conv(d, "x", "a", (1, 8, 8, 8), random.normal(0, 0.5, (8, 3, 3, 3)), fmin=0.0)
    conv(d, "a", "b", (1, 4, 8, 8), random.normal(0, 0.02, (4, 8, 1, 1)))
    d.node("Sigmoid", "a", "s", (1, 8, 8, 8))
    d.node("Mul", "a s", "m", (1, 8, 8, 8))
    d.node("Concat", "m b", "c", (1, 12, 8, 8), axis=1)
    scales = spread ** np.arange(6).reshape(6, 1, 1, 1)
    conv(d, "c", "y", (1, 6, 8, 8), random.normal(0, 0.3, (6, 12, 1, 1)) * scales)
    return d.graph("y")


def feeds(count: int = 4) -> list[dict[str, Array]]:
    random = np.random.default_rng(5)
    return [{"x": random.normal(0, 1, SHAPE).astype(np.float32)} for _ in range(count)]


def outputs(graph: Graph, feed: dict[str, Array]) -> Array:
    return np.asarray(run(run_passes(graph), feed)["y"])


def sqnr(exact: Array, got: Array, axes: Any = None) -> Any:
    noise = np.square(exact.astype(np.float64) - got).sum(axes)
    return 10 * np.log10(np.square(exact.astype(np.float64)).sum(axes) / noise)


@pytest.mark.parametrize("observer", ["mse", "minmax", "percentile"])
def test_a_network_keeps_its_values(observer: str) -> None:
    graph = network()
    quantized = quantize(graph, feeds(), Options(observer=observer))
    final = run_passes(quantized)
    floats = {node.op for node in final.nodes if node.op.endswith("_f32")}
    assert floats <= {"conv2d_qs8_f32"}
    for feed in feeds()[:2]:
        assert sqnr(outputs(graph, feed), outputs(quantized, feed)) > 30


def test_heads_of_unlike_ranges_keep_each_its_precision() -> None:
    graph = network(spread=8.0)
    feed = feeds()[0]
    exact, got = outputs(graph, feed), outputs(quantize(graph, feeds()), feed)
    per_channel = sqnr(exact, got, (0, 2, 3))
    assert per_channel.min() > 28  # The last channel is 32768 times as large as the first.


def test_the_same_graph_and_feeds_give_the_same_result() -> None:
    first, second = (run_passes(quantize(network(), feeds())) for _ in range(2))
    assert first.nodes == second.nodes
    for tensor in first.constants():
        np.testing.assert_array_equal(tensor.data, second.tensor(tensor.name).data)


def test_unknown_observers_and_missing_feeds_are_refused() -> None:
    with pytest.raises(InputError, match="observer 'best'; there are minmax, percentile, mse"):
        Options(observer="best")
    with pytest.raises(InputError, match="at least one input"):
        quantize(network(), [])


def test_statistics() -> None:
    graph, samples = network(), feeds()
    calibration = Calibration(graph, ["x", "a"], samples).plain
    x = np.concatenate([feed["x"] for feed in samples])
    seen = calibration["x"]
    np.testing.assert_array_equal(seen.low, x.min((0, 2, 3)))
    np.testing.assert_array_equal(seen.high, x.max((0, 2, 3)))
    np.testing.assert_allclose(seen.mean, x.mean((0, 2, 3)), atol=1e-6)
    assert seen.histogram.counts.sum() == x.size
    assert calibration["a"].histogram.low == 0


def test_bias_correction_takes_the_mean_error_away() -> None:
    """A weight that rounds badly shifts the mean of its channel; the bias shifts it back."""
    d = Draft()
    d.input("x", SHAPE)
    weights = np.array([1.0, 0.0039, 0.0039]).reshape(1, 3, 1, 1)
    conv(d, "x", "y", (1, 1, 8, 8), weights)
    graph = d.graph("y")
    samples = [{"x": np.abs(feed["x"]) * np.float32(50)} for feed in feeds()]
    mean = Calibration(graph, ["x"], samples).plain["x"].mean

    def shift(with_correction: bool) -> float:
        options = Options(equalization=False, bias_correction=with_correction)
        quantized = quantize(graph, samples, options)
        errors = [outputs(quantized, feed) - outputs(graph, feed) for feed in samples]
        return float(np.abs(np.mean(errors)))

    assert mean.min() > 30
    assert shift(True) < shift(False) / 4
    corrected = correct_biases(graph, {"x": np.zeros(3)}, all_weights(graph, {}))
    assert corrected.tensor(corrected.nodes[0].inputs[2]).data == graph.tensor("y.b").data


def separable() -> Graph:
    """A convolution whose channels are of unlike size; a depthwise one alone reads it."""
    d = Draft()
    d.input("x", SHAPE)
    sizes = 2.0 ** -np.arange(6).reshape(6, 1, 1, 1)
    conv(d, "x", "a", (1, 6, 8, 8), np.full((6, 3, 1, 1), 0.5) * sizes, fmin=0.0, fmax=6.0)
    d.constant("a.b", sizes.reshape(-1), np.float32)
    conv(d, "a", "y", (1, 6, 8, 8), np.ones((6, 1, 3, 3)), group=6)
    return d.graph("y")


def test_equalization_keeps_the_function_and_evens_out_channels() -> None:
    graph = separable()
    assert equalizable(graph) == ["a"]
    calibration = Calibration(
        graph, ["a"], feeds(), factors=lambda reach: even_factors(graph, reach)
    )
    before, after = calibration.plain["a"].high, calibration.even["a"].high
    assert before.max() / before.min() > 3
    np.testing.assert_allclose(after, np.maximum(before, before.max() / 1.5), rtol=1e-5)
    even = equalize(graph, calibration.factors)
    counted = Calibration(even, ["a"], feeds()).plain["a"]
    np.testing.assert_allclose(counted.high, after, rtol=1e-5)
    np.testing.assert_allclose(counted.mean, calibration.even["a"].mean, rtol=1e-4)
    for feed in feeds():
        np.testing.assert_allclose(outputs(even, feed), outputs(graph, feed), rtol=1e-5, atol=1e-5)


def test_equalization_helps_small_channels() -> None:
    graph, feed = separable(), feeds()[0]
    exact = outputs(graph, feed)
    plain, even = (
        sqnr(exact, outputs(quantize(graph, feeds(), Options(equalization=e)), feed), (0, 2, 3))
        for e in (False, True)
    )
    assert even.min() > plain.min() + 6


def test_the_better_of_both_is_kept() -> None:
    graph = separable()
    exact = Yardsticks.of(graph, ["y"], feeds())
    one, other, best = (
        exact.fidelity(quantize(graph, feeds(), Options(equalization=even)))
        for even in (True, False, None)
    )
    assert one != other
    assert best == max(one, other)


def test_what_several_read_is_not_equalized() -> None:
    assert not equalizable(network())


def test_codes_contain_zero_exactly() -> None:
    for low, high in [(0, 6), (-1, 1), (-3, -1), (2, 5), (0, 0)]:
        codes = activation_codes(Range(low, high))
        ends = (np.array([-128, 127]) - int(codes.zero_point)) * np.float64(codes.scale)
        assert ends[0] <= min(low, 0) + codes.scale / 2
        assert ends[1] >= max(high, 0) - codes.scale / 2 or high == low == 0


def test_weights_are_symmetric_per_channel() -> None:
    weights = np.array([[[[0.5, -1.0]]], [[[0.0, 0.0]]], [[[2.54, 0.01]]]], np.float32)
    got = rounded(weights)
    assert got.codes.dtype == np.int8
    np.testing.assert_array_equal(got.codes.reshape(3, 2), [[64, -127], [0, 0], [127, 0]])
    np.testing.assert_array_equal(got.scales, np.array([1 / 127, 1, 2.54 / 127], np.float32))


def test_a_channel_that_is_all_bias_stays_within_int32() -> None:
    d = Draft()
    d.input("x", SHAPE)
    weights = np.array([1.0, 1e-15]).reshape(2, 1, 1, 1) * np.ones((2, 3, 1, 1))
    conv(d, "x", "y", (1, 2, 8, 8), weights)
    graph = d.graph("y")
    feed = feeds()[0]
    got = outputs(quantize(graph, feeds()), feed)
    np.testing.assert_allclose(got, outputs(graph, feed), atol=0.1)


def test_transposed_convolutions_are_quantized_too() -> None:
    d = Draft()
    d.input("x", SHAPE)
    conv(d, "x", "a", (1, 4, 8, 8), np.random.default_rng(1).normal(0, 1, (4, 3, 3, 3)), fmin=0.0)
    d.constant("w", np.random.default_rng(2).normal(0, 1, (4, 1, 2, 2)), np.float32)
    geometry = {"strides": (2, 2), "dilations": (1, 1), "pads": (0, 0, 0, 0), "group": 4}
    d.node("ConvTranspose", "a w", "b", (1, 4, 16, 16), **geometry, output_padding=(0, 0))
    d.constant("v", np.random.default_rng(3).normal(0, 1, (2, 4, 2, 2)), np.float32)
    geometry["group"] = 1
    d.node("ConvTranspose", "b v", "y", (1, 2, 32, 32), **geometry, output_padding=(0, 0))
    graph, feed = d.graph("y"), feeds()[0]
    quantized = quantize(graph, feeds())
    final = run_passes(quantized)
    assert {"dwdeconv2d_qs8", "deconv2d_qs8_f32"} <= {node.op for node in final.nodes}
    assert sqnr(outputs(graph, feed), outputs(quantized, feed)) > 30


def test_dense_layers_are_quantized_too() -> None:
    random = np.random.default_rng(3)
    d = Draft()
    d.input("x", (4, 16))
    d.constant("w", random.normal(0, 1, (16, 8)), np.float32)
    d.constant("v", random.normal(0, 1, (8, 5)), np.float32)
    d.node("MatMul", "x w", "h", (4, 8), transpose_b=0)
    d.node("Clip", "h", "r", (4, 8), low=0.0, high=math.inf)
    d.node("MatMul", "r v", "y", (4, 5), transpose_b=0)
    graph = run_passes(d.graph("y"), FLOAT_PIPELINE)
    feed = {"x": random.normal(0, 1, (4, 16)).astype(np.float32)}
    quantized = quantize(graph, [feed])
    names = [node.op for node in run_passes(quantized).nodes]
    assert names.count("conv2d_qs8") == names.count("conv2d_qs8_f32") == 1
    assert "matmul_f32" not in names
    assert sqnr(outputs(graph, feed), outputs(quantized, feed)) > 30
