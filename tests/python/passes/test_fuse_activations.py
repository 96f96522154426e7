# SPDX-License-Identifier: Apache-2.0
"""Activations that are spelt out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitpose.ir.graph import Graph
from bitpose.passes.fuse_activations import fuse_activations

from .build import Draft, lines

SHAPE = (2, 3)
CONSTANTS = {
    "third": 3.0,
    "six": 6.0,
    "sixth": 1 / 6,
    "half": 0.5,
    "one": 1.0,
    "two": 2.0,
    "root": 2**0.5,
    "inverse": 0.5**0.5,
    "slope": 1.75,
    "c": 0.044715,
    "s": 0.7978845608028654,
}

Step = tuple[str, str, str] | tuple[str, str, str, dict[str, Any]]


def draft(*steps: Step) -> Draft:
    d = Draft()
    d.input("x", SHAPE)
    for name, value in CONSTANTS.items():
        d.constant(name, value, np.float32)
    for op, inputs, output, *attributes in steps:
        d.node(op, inputs, output, SHAPE, **(attributes[0] if attributes else {}))
    return d


SWISH: list[Step] = [("Sigmoid", "x", "g"), ("Mul", "x g", "y")]
CLIP = {"low": 0.0, "high": 6.0}
HARD: list[Step] = [("Add", "x third", "a"), ("Clip", "a", "b", CLIP)]
ERF: list[Step] = [("Div", "x root", "a"), ("Erf", "a", "b"), ("Add", "b one", "g")]
CUBE: list[Step] = [("Mul", "x x", "x2"), ("Mul", "x2 x", "x3")]
TANH: list[Step] = [
    *(("Mul", "x3 c", "a"), ("Add", "x a", "b"), ("Mul", "b s", "d")),
    *(("Tanh", "d", "e"), ("Add", "one e", "g")),
]
SPELLINGS: list[tuple[str, list[Step]]] = [
    ("Swish", SWISH),
    ("Swish", [("Sigmoid", "x", "g"), ("Mul", "g x", "y")]),
    ("Swish", [("Mul", "x slope", "a"), ("Sigmoid", "a", "g"), ("Mul", "x g", "y")]),
    ("HardSwish", [*HARD, ("Mul", "x b", "c0"), ("Div", "c0 six", "y")]),
    ("HardSwish", [*HARD, ("Div", "b six", "c0"), ("Mul", "c0 x", "y")]),
    ("HardSwish", [*HARD, ("Mul", "b sixth", "c0"), ("Mul", "x c0", "y")]),
    ("HardSwish", [("HardSigmoid", "x", "g", {"alpha": 1 / 6, "beta": 0.5}), ("Mul", "x g", "y")]),
    ("Mish", [("Softplus", "x", "a"), ("Tanh", "a", "g"), ("Mul", "x g", "y")]),
    ("Gelu", [*ERF, ("Mul", "x g", "h"), ("Mul", "h half", "y")]),
    ("Gelu", [*ERF, ("Mul", "x half", "h"), ("Mul", "h g", "y")]),
    ("Gelu", [*ERF, ("Mul", "half g", "h"), ("Mul", "x h", "y")]),
    ("Gelu", [("Mul", "x inverse", "a"), *ERF[1:], ("Mul", "x g", "h"), ("Div", "h two", "y")]),
    ("GeluTanh", [*CUBE, *TANH, ("Mul", "x half", "h"), ("Mul", "h g", "y")]),
    ("GeluTanh", [("Pow", "x third", "x3"), *TANH, ("Mul", "half x", "h"), ("Mul", "h g", "y")]),
]


def fused(graph: Graph) -> list[str]:
    return [line.partition(" = ")[2] for line in lines(fuse_activations(graph))]


@pytest.mark.parametrize(("expected", "steps"), SPELLINGS)
def test_spellings(expected: str, steps: list[Step]) -> None:
    (line,) = fused(draft(*steps).graph("y"))
    alpha = 1.75 if len(steps) == 3 else 1.0
    parameters = f", alpha={alpha:g}" if expected == "Swish" else ""
    assert line == f"{expected}(x{parameters})"


@pytest.mark.parametrize(("expected", "steps"), SPELLINGS)
def test_pieces_with_another_reader_stay(expected: str, steps: list[Step]) -> None:
    gate = steps[-2][2]
    graph = draft(*steps).graph("y", gate)
    assert fuse_activations(graph) is graph


OTHERS: list[list[Step]] = [
    [*SWISH[:-1], ("Mul", "g half", "h"), ("Mul", "x h", "y")],
    [("Add", "x third", "a"), ("Clip", "a", "b", {"low": 0.0, "high": 5.0})],
    [("Add", "x six", "a"), *HARD[1:], ("Mul", "x b", "c0"), ("Div", "c0 six", "y")],
    [*ERF, ("Mul", "x g", "y")],
    [("Mul", "x half", "a"), *ERF[1:], ("Mul", "x g", "h"), ("Mul", "h half", "y")],
    [*CUBE[:1], ("Mul", "x2 x2", "x3"), *TANH, ("Mul", "x half", "h"), ("Mul", "h g", "y")],
    [("Tanh", "x", "g"), ("Mul", "x g", "y")],
    [("Sigmoid", "x", "g"), ("Mul", "x x", "x2"), ("Mul", "g x2", "y")],
]


@pytest.mark.parametrize("steps", OTHERS)
def test_other_functions_stay(steps: list[Step]) -> None:
    graph = draft(*steps).graph(steps[-1][2])
    assert fuse_activations(graph) is graph


def test_broadcast_operands_stay() -> None:
    d = Draft()
    d.input("x", (3,))
    d.input("v", SHAPE)
    d.node("Sigmoid", "x", "g", (3,))
    d.node("Mul", "x g", "y", (3,))
    d.node("Mul", "v g", "z", SHAPE)
    graph = d.graph("y", "z")
    assert fuse_activations(graph) is graph
