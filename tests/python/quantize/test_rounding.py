# SPDX-License-Identifier: Apache-2.0
"""Weights whose errors cancel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.ir.graph import Graph
from bitpose.quantize.calibration import Calibration
from bitpose.quantize.points import find_points
from bitpose.quantize.quantizer import Options, choose_codes, observed_ranges
from bitpose.quantize.rounding import rounded_together
from bitpose.quantize.weights import Weights, all_weights

from ..passes.build import Draft
from .test_quantizer import conv, feeds, outputs

Array = NDArray[Any]


def smooth_feeds() -> list[dict[str, Array]]:
    """Pictures whose pixels and channels are alike, as those of real ones are."""
    random = np.random.default_rng(2)
    return [
        {"x": (feed["x"] * 0.1 + random.normal(0, 1, (1, 1, 1, 8))).astype(np.float32)}
        for feed in feeds(6)
    ]


def layer(shape: tuple[int, ...], **more: Any) -> Graph:
    d = Draft()
    d.input("x", (1, 3, 8, 8))
    weights = np.random.default_rng(1).normal(0, 1, shape)
    side = (8 + 2 * (shape[2] // 2) - shape[2]) // more.get("strides", (1, 1))[0] + 1
    conv(d, "x", "y", (1, shape[0], side, side), weights, **more)
    return d.graph("y")


def with_weights(graph: Graph, weights: Weights) -> Graph:
    (node,) = graph.nodes
    real = weights.codes * weights.scales.astype(np.float64)[:, None, None, None]
    d = Draft()
    d.input("x", (1, 3, 8, 8))
    conv(d, "x", "y", graph.tensor("y").shape, real, **node.attributes)
    return d.graph("y")


def error(graph: Graph, weights: Weights) -> float:
    """The variance of the results' errors; their mean is the bias's matter."""
    rounded = with_weights(graph, weights)
    errors = [outputs(rounded, f).astype(np.float64) - outputs(graph, f) for f in smooth_feeds()]
    return float(np.concatenate(errors).var(axis=(0, 2, 3)).sum())


@pytest.mark.parametrize(
    ("shape", "more"),
    [
        ((8, 3, 1, 1), {}),
        ((4, 3, 3, 3), {}),
        ((4, 3, 3, 3), {"strides": (2, 2)}),
        ((6, 1, 3, 3), {"group": 3}),
        ((3, 1, 3, 3), {"group": 3, "dilations": (2, 2), "pads": (2, 2, 2, 2)}),
    ],
)
def test_errors_cancel_where_inputs_are_alike(shape: Any, more: dict[str, Any]) -> None:
    graph = layer(shape, **more)
    nearest = all_weights(graph, {})
    together = rounded_together(graph, nearest, smooth_feeds())
    np.testing.assert_array_equal(together["y"].scales, nearest["y"].scales)
    assert np.abs(together["y"].codes.astype(int) - nearest["y"].codes).max() in (1, 2, 3)
    assert error(graph, together["y"]) < 0.8 * error(graph, nearest["y"])


def test_inputs_that_say_nothing_change_nothing() -> None:
    graph = layer((4, 3, 3, 3))
    nearest = all_weights(graph, {})
    silent = [{"x": np.zeros((1, 3, 8, 8), np.float32)}]
    together = rounded_together(graph, nearest, silent)
    np.testing.assert_array_equal(together["y"].codes, nearest["y"].codes)


def test_transposed_convolutions_stay_nearest() -> None:
    d = Draft()
    d.input("x", (1, 3, 8, 8))
    d.constant("w", np.random.default_rng(1).normal(0, 1, (2, 3, 2, 2)), np.float32)
    geometry = {"strides": (2, 2), "dilations": (1, 1), "pads": (0, 0, 0, 0), "group": 1}
    d.node("ConvTranspose", "x w", "y", (1, 2, 16, 16), **geometry, output_padding=(0, 0))
    graph = d.graph("y")
    nearest = all_weights(graph, {})
    assert rounded_together(graph, nearest, smooth_feeds()) == nearest


def test_codes_stay_symmetric() -> None:
    graph = layer((4, 3, 3, 3))
    points = find_points(graph)
    statistics = Calibration(graph, ["x", "y"], smooth_feeds()).plain
    codes = choose_codes(graph, points, observed_ranges(graph, points, statistics, Options()))
    together = rounded_together(graph, all_weights(graph, codes), smooth_feeds())
    assert together["y"].codes.min() >= -127
