# SPDX-License-Identifier: Apache-2.0
"""Functions of two floats, through the engine, at the ends of their ranges."""

from __future__ import annotations

import numpy as np
import pytest

from bitpose import _core
from bitpose.cli.machine import instruction_sets
from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.ir.operators import FLOAT_FUNCTIONS
from bitpose.ir.reference import run
from bitpose.lower import lower
from bitpose.model_file import ModelRecord, write_model
from bitpose.session import InferenceSession

from .problems import Array, same_floats

EXTREMES = np.array(
    [
        *(np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 0.5, -0.5, 7.25),
        *(1e-45, -1e-45, 3e38, -3e38, 1e30, 2.0**24 + 2, 1e-38, 3.0),
    ],
    np.float32,
)


def graph(function: str) -> Graph:
    """Every number with every other one."""
    n = len(EXTREMES)
    f32 = np.dtype(np.float32)
    tensors = [Tensor("a", f32, (n, 1)), Tensor("b", f32, (n,)), Tensor("y", f32, (n, n))]
    attributes = {"function": FLOAT_FUNCTIONS.index(function)}
    node = Node("binary_f32", "y", ("a", "b"), ("y",), attributes)
    return Graph("g", (node,), {t.name: t for t in tensors}, ("a", "b"), ("y",))


def results(function: str) -> list[Array]:
    feed = {"a": EXTREMES[:, None], "b": EXTREMES}
    made = graph(function)
    model = write_model(ModelRecord((lower(made),)), _core.schema())
    sessions = [InferenceSession(model, isa=isa) for isa in instruction_sets()]
    return [run(made, feed)["y"], *(s.run(None, feed)[0] for s in sessions)]


@pytest.mark.parametrize("function", FLOAT_FUNCTIONS)
def test_extremes(function: str) -> None:
    expected, *others = results(function)
    assert all(same_floats(got, expected) for got in others)


@pytest.mark.parametrize(("function", "numpy"), [("Fmod", np.fmod), ("Mod", np.remainder)])
def test_remainders_are_exact(function: str, numpy: np.ufunc) -> None:
    x, y = EXTREMES[:, None], EXTREMES
    with np.errstate(all="ignore"):
        expected = numpy(x, y)
    assert same_floats(results(function)[1], expected)


def test_powers() -> None:
    """Of numbers whose power float64 knows well."""
    with np.errstate(all="ignore"):
        exact = np.power(EXTREMES[:, None].astype(np.float64), EXTREMES.astype(np.float64))
        expected = exact.astype(np.float32)
    np.testing.assert_allclose(results("Pow")[1], expected, rtol=2e-7, atol=0)
