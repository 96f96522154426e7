# SPDX-License-Identifier: Apache-2.0
"""The engine against the reference executor, bit by bit: single operators and whole networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose import _core
from bitpose.cli.feeds import random_feed
from bitpose.cli.machine import instruction_sets
from bitpose.compiler import compile as compile_model
from bitpose.ir.graph import Graph
from bitpose.ir.operators import ENGINE
from bitpose.ir.reference import run
from bitpose.lower import lower
from bitpose.model_file import ModelRecord, write_model
from bitpose.pose.demo_network import build_network
from bitpose.session import InferenceSession

from .. import shared
from .cases import make_case, operators

SEEDS = range(25)
SEVERAL_THREADS = 3


def test_every_operator_has_cases() -> None:
    assert set(operators()) == set(ENGINE)


def model_bytes(graph: Graph) -> bytes:
    return write_model(ModelRecord((lower(graph),)), _core.schema())


def sessions(model: bytes) -> Iterator[tuple[str, InferenceSession]]:
    """A session for each instruction set of this CPU, and one with several threads."""
    for isa in instruction_sets():
        yield isa, InferenceSession(model, isa=isa)
    yield "threads", InferenceSession(model, threads=SEVERAL_THREADS)


def same_bits(got: NDArray[Any], expected: NDArray[Any]) -> bool:
    return (
        got.dtype == expected.dtype
        and got.shape == expected.shape
        and got.tobytes() == expected.tobytes()
    )


@pytest.mark.parametrize("op", operators())
def test_operator(op: str) -> None:
    for seed in SEEDS:
        case = make_case(op, seed)
        expected = run(case.graph, case.feed)["y"]
        for name, session in sessions(model_bytes(case.graph)):
            (got,) = session.run(None, case.feed)
            assert same_bits(got, expected), f"seed {seed}, {name}"


@pytest.mark.parametrize("name", ["movenet_lightning_ptq", "mobilenet_v2_quant", "pem_cpm"])
def test_network(name: str) -> None:
    model = compile_model(shared.model(name))
    assert model.graph is not None
    session = InferenceSession(model.to_bytes(), keep_intermediates=True)
    feed = random_feed(session.get_inputs())
    expected = run(model.graph, feed)
    session.run(None, feed)
    tensors = session.tensors()
    assert set(model.graph.outputs) <= set(tensors)
    for tensor, got in tensors.items():
        # NaN is made canonical at the outputs alone; these networks have none.
        assert same_bits(got, expected[tensor]), tensor
    for isa, other in sessions(model.to_bytes()):
        for output, got in zip(model.graph.outputs, other.run(None, feed), strict=True):
            assert same_bits(got, expected[output]), isa


def test_demo_network_in_float() -> None:
    model = compile_model(build_network())
    assert model.graph is not None
    feed = {"picture": np.full((1, 192, 192, 3), 77, np.uint8)}
    expected = run(model.graph, feed)["heatmaps"]
    for isa, session in sessions(model.to_bytes()):
        assert same_bits(session.run(None, feed)[0], expected), isa
