# SPDX-License-Identifier: Apache-2.0
"""Layers that stay in float."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.errors import InputError
from bitpose.ir.graph import Graph
from bitpose.passes import run_passes
from bitpose.quantize import Options, quantize, sensitivity
from bitpose.quantize.calibration import Calibration
from bitpose.quantize.mixed import Mixture, multiplications
from bitpose.quantize.points import find_points
from bitpose.quantize.quantizer import choose_codes, observed_ranges
from bitpose.quantize.sensitivity import Sensitivity
from bitpose.quantize.yardsticks import Yardsticks

from ..passes.build import Draft
from .test_quantizer import SHAPE, conv, feeds, outputs, sqnr

Array = NDArray[Any]
SIZES = 4.0 ** -np.arange(6).reshape(6, 1, 1, 1)


def uneven() -> Graph:
    """Channels that differ by a factor of 1024 and count alike, behind a function.

    Equalization cannot pass the function, and one scale suits the largest channel alone.
    """
    random = np.random.default_rng(3)
    d = Draft()
    d.input("x", SHAPE)
    conv(d, "x", "a", (1, 6, 8, 8), random.normal(0, 20, (6, 3, 1, 1)) * SIZES)
    d.constant("a.b", np.zeros(6), np.float32)
    d.node("HardSwish", "a", "s", (1, 6, 8, 8))
    conv(d, "s", "b", (1, 6, 8, 8), random.normal(0, 1, (6, 1, 3, 3)) / SIZES, group=6)
    conv(d, "b", "c", (1, 16, 8, 8), random.normal(0, 0.3, (16, 6, 3, 3)), fmin=0.0)
    conv(d, "c", "y", (1, 4, 8, 8), random.normal(0, 0.3, (4, 16, 3, 3)))
    return d.graph("y")


def quality(graph: Graph, quantized: Graph) -> float:
    feed = feeds()[0]
    return float(sqnr(outputs(graph, feed), outputs(quantized, feed)))


def test_the_layer_that_suffers_stays_float() -> None:
    graph = uneven()
    plain = quantize(graph, feeds(), Options(float_share=0.0))
    mixed = quantize(graph, feeds(), Options(target=25.0))
    assert quality(graph, mixed) > quality(graph, plain) + 10
    operators = [node.op for node in run_passes(mixed).nodes]
    assert "dwconv2d_f32" in operators
    assert sum(op.startswith("conv2d_qs8") for op in operators) == 3


def test_nothing_stays_float_without_need_or_budget() -> None:
    graph = uneven()
    for options in (Options(float_share=0.0), Options(float_share=0.001), Options(target=0.0)):
        operators = {node.op for node in run_passes(quantize(graph, feeds(), options)).nodes}
        assert not {"dwconv2d_f32", "conv2d_f32"} & operators


def test_the_same_layers_are_chosen_each_time() -> None:
    first, second = (run_passes(quantize(uneven(), feeds())) for _ in range(2))
    assert first.nodes == second.nodes


def test_shares_are_shares() -> None:
    with pytest.raises(InputError, match=r"float_share 1\.5"):
        Options(float_share=1.5)


def test_rounding_is_measured_point_by_point(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, samples = uneven(), feeds()
    points = find_points(graph)
    statistics = Calibration(graph, list(points), samples).plain
    codes = choose_codes(graph, points, observed_ranges(graph, points, statistics, Options()))
    seen = Sensitivity(graph, codes, Yardsticks.of(graph, ["y"], samples))
    noise = {name: float(seen.noise(name)[0]) for name in points}
    assert max(noise, key=lambda name: noise[name]) in ("a", "s")
    assert min(noise.values()) > 0
    monkeypatch.setattr(sensitivity, "_TOGETHER", 2)
    assert {name: float(seen.noise(name)[0]) for name in reversed(list(points))} == noise


def test_noise_falls_until_it_is_as_wanted_or_the_budget_is_spent() -> None:
    graph = uneven()
    costs = {"x": 1.0, "s": 100.0, "b": 10.0, "c": 5.0}

    def noise(name: str) -> NDArray[np.float64]:
        return np.array([costs.get(name, 0.0)])

    mixture = Mixture(graph, noise, lambda share: None)

    def choice(wanted: float, budget: float) -> frozenset[str]:
        return mixture.choices(np.array([wanted]), budget)[-1]

    assert choice(1000.0, 1.0) == frozenset()
    assert choice(20.0, 1.0) == {"s"}
    steps = mixture.choices(np.array([0.5]), 1.0)
    assert steps[:2] == [frozenset(), {"s"}]
    assert all(less < more for less, more in pairwise(steps))
    depthwise = 6 * 9 / sum(multiplications(graph, node) / 64 for node in graph.nodes)
    assert choice(1.0, depthwise * 1.01) == {"s"}
    assert choice(1.0, depthwise * 0.99) == frozenset()


def test_multiplications() -> None:
    d = Draft()
    d.input("x", (1, 3, 8, 8))
    conv(d, "x", "a", (1, 6, 8, 8), np.ones((6, 3, 3, 3)))
    d.node("Sigmoid", "a", "y", (1, 6, 8, 8))
    first, second = d.graph("y").nodes
    graph = d.graph("y")
    assert multiplications(graph, first) == 8 * 8 * 6 * 3 * 9
    assert multiplications(graph, second) == 0


def test_a_concat_spans_parts_that_have_no_codes() -> None:
    d = Draft()
    d.input("x", SHAPE)
    conv(d, "x", "a", (1, 4, 8, 8), np.full((4, 3, 1, 1), 0.1))
    conv(d, "x", "b", (1, 4, 8, 8), np.full((4, 3, 1, 1), 10.0))
    d.node("Concat", "a b", "c", (1, 8, 8, 8), axis=1)
    conv(d, "c", "y", (1, 2, 8, 8), np.ones((2, 8, 1, 1)))
    graph = d.graph("y")
    seen = Calibration(graph, list("xabc"), feeds()).plain
    observed = observed_ranges(graph, find_points(graph), seen, Options(observer="minmax"))
    codes = choose_codes(graph, find_points(graph, frozenset("b")), observed)
    assert "b" not in codes
    assert codes["c"].scale * 255 >= np.float32(seen["b"].high.max() - seen["b"].low.min())
