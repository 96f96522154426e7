# SPDX-License-Identifier: Apache-2.0
"""softmax_f32 and exp_f32 against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitpose import _core
from bitpose.ir.graph import Tensor
from bitpose.ir.reference import OPERATORS
from bitpose.ir.reference.math import exp_f32
from bitpose.ir.reference.operand import Operand

from .problems import GENERATORS, Array, Generator, floats, kernels, same_floats


def reference(x: Array) -> Array:
    tensor = Tensor("x", x.dtype, x.shape)
    return OPERATORS["softmax_f32"](tensor, Operand(tensor, x))


@pytest.mark.parametrize("kernel", kernels("softmax_f32"))
@given(
    rows=st.integers(1, 4),
    n=st.integers(1, 100),
    spread=st.sampled_from([0.0, 1.0, 30.0, 1e4]),
    special=st.booleans(),
    generator=GENERATORS,
)
def test_formula(
    kernel: str, rows: int, n: int, spread: float, special: bool, generator: Generator
) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        x = floats(generator, rows, n, special=special) * np.float32(spread)
    assert same_floats(_core.softmax_f32(kernel, x), reference(x))


@pytest.mark.parametrize("kernel", kernels("softmax_f32"))
def test_accuracy(kernel: str) -> None:
    x = np.random.default_rng(1).normal(0, 5, (10, 1000)).astype(np.float32)
    exact = np.exp((x - x.max(1, keepdims=True)).astype(np.float64))
    exact /= exact.sum(1, keepdims=True)
    np.testing.assert_allclose(_core.softmax_f32(kernel, x), exact, rtol=1e-6)


def every(step: int) -> Array:
    """Every step-th float32."""
    return np.arange(0, 2**32, step).astype(np.uint32).view(np.float32)


def test_exp_is_its_numpy_twin() -> None:
    x = every(9973)
    assert np.array_equal(_core.exp_f32(x).view(np.uint32), exp_f32(x).view(np.uint32))


def test_exp_is_within_a_unit_in_the_last_place() -> None:
    x = every(997)
    x = x[(x > -104) & (x < 88.7)]
    exact = np.exp(x.astype(np.float64))
    unit = np.maximum(np.exp2(np.floor(np.log2(exact)) - 23), 2.0**-149)
    assert np.max(np.abs(_core.exp_f32(x) - exact) / unit) < 0.9


@pytest.mark.parametrize(
    ("x", "y"),
    [(0.0, 1.0), (-0.0, 1.0), (np.inf, np.inf), (-np.inf, 0.0), (88.8, np.inf), (-104.0, 0.0)],
)
def test_exp_at_the_ends(x: float, y: float) -> None:
    assert _core.exp_f32(np.array([x], np.float32))[0] == np.float32(y)
