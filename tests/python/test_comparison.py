# SPDX-License-Identifier: Apache-2.0
"""Distances between versions of a network."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bitpose
from bitpose.comparison import compare_layers, compare_outputs, decibels, real, sqnr
from bitpose.session import NodeArg

from .tiny import colour_means

X = np.random.default_rng(3).uniform(-1, 1, (1, 3, 8, 8)).astype(np.float32)


def test_decibels() -> None:
    assert decibels(100.0, 1.0) == 20
    assert decibels(1.0, 0.0) == math.inf
    assert decibels(0.0, 1.0) == -math.inf
    exact = np.array([3.0, 4.0])
    assert sqnr(exact, exact) == math.inf
    assert sqnr(exact, exact + np.array([0.3, 0.4])) == pytest.approx(20)


def test_codes_stand_for_reals() -> None:
    node = NodeArg("x", [2], "tensor(int8)", np.dtype(np.int8), 0.5, 3)
    np.testing.assert_array_equal(real(node, np.array([3, -128], np.int8)), [0, -65.5])


def test_a_float_network_and_its_int8() -> None:
    model = colour_means()
    quantized = bitpose.compile(model, precision="int8", calibration=[{"x": X}])
    exact, other = (
        bitpose.InferenceSession(m.to_bytes(), keep_intermediates=True)
        for m in (bitpose.compile(model), quantized)
    )
    (output,) = compare_outputs(exact, other, [{"x": X}])
    assert output.name == "y"
    assert 20 < output.sqnr < 80
    assert 0.99 < output.cosine < 1
    layers = compare_layers(exact, other, [{"x": X}])
    assert {"y", "r"} <= {d.name for d in layers}
    assert all(d.sqnr > 20 for d in layers)
    assert all(d.sqnr == math.inf for d in compare_layers(exact, exact, [{"x": X}]))
