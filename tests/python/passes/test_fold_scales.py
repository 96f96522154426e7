# SPDX-License-Identifier: Apache-2.0
"""Scales and shifts of channels behind a convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitpose.passes.fold_scales import fold_scales

from .build import Draft, lines

WEIGHTS = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape(3, 2, 1, 1)
PICTURE = (1, 3, 4, 4)


def draft(bias: bool = True, **attributes: Any) -> Draft:
    d = Draft()
    d.input("x", (1, 2, 4, 4))
    d.constant("w", WEIGHTS, np.float32)
    d.constant("b", [1.0, 2.0, 3.0], np.float32)
    window: dict[str, Any] = {"strides": (1, 1), "dilations": (1, 1), "pads": (0, 0, 0, 0)}
    operands = "x w b" if bias else "x w"
    d.node("Conv", operands, "c", PICTURE, **window, group=1, **attributes)
    d.constant("s", np.array([2.0, 4.0, 8.0]).reshape(3, 1, 1), np.float32)
    d.constant("half", 0.5, np.float32)
    d.constant("rows", np.ones((4, 1)), np.float32)
    return d


def constants(d: Draft, output: str) -> tuple[list[float], list[float]]:
    """Weights and bias of the Conv that is left."""
    graph = fold_scales(d.graph(output))
    (node,) = graph.nodes
    assert (node.op, node.outputs) == ("Conv", (output,))
    weights, bias = (graph.tensor(name).data for name in node.inputs[1:])
    assert weights is not None
    assert bias is not None
    return weights.reshape(-1).tolist(), bias.tolist()


@pytest.mark.parametrize(
    ("op", "inputs", "weights", "bias"),
    [
        ("Mul", "c s", [2, 4, 12, 16, 40, 48], [2, 8, 24]),
        ("Mul", "s c", [2, 4, 12, 16, 40, 48], [2, 8, 24]),
        ("Div", "c half", [2, 4, 6, 8, 10, 12], [2, 4, 6]),
        ("Add", "c s", [1, 2, 3, 4, 5, 6], [3, 6, 11]),
        ("Sub", "c s", [1, 2, 3, 4, 5, 6], [-1, -2, -5]),
    ],
)
def test_folds(op: str, inputs: str, weights: list[float], bias: list[float]) -> None:
    d = draft()
    d.node(op, inputs, "y", PICTURE)
    assert constants(d, "y") == (weights, bias)


def test_behind_a_transposed_convolution_too() -> None:
    d = Draft()
    d.input("x", (1, 2, 4, 4))
    d.constant("w", WEIGHTS, np.float32)
    window: dict[str, Any] = {"strides": (1, 1), "dilations": (1, 1), "pads": (0, 0, 0, 0)}
    d.node("ConvTranspose", "x w", "c", PICTURE, **window, group=1, output_padding=(0, 0))
    d.constant("s", np.array([2.0, 4.0, 8.0]).reshape(3, 1, 1), np.float32)
    d.node("Mul", "c s", "y", PICTURE)
    (node,) = fold_scales(d.graph("y")).nodes
    assert (node.op, node.outputs) == ("ConvTranspose", ("y",))


def test_batch_normalization_folds_without_a_bias() -> None:
    d = draft(bias=False)
    d.node("Mul", "c s", "m", PICTURE)
    d.node("Add", "m half", "y", PICTURE)
    assert constants(d, "y") == ([2, 4, 12, 16, 40, 48], [0.5, 0.5, 0.5])


@pytest.mark.parametrize(("op", "inputs"), [("Mul", "c rows"), ("Sub", "s c"), ("Div", "half c")])
def test_others_stay(op: str, inputs: str) -> None:
    d = draft()
    d.node(op, inputs, "y", PICTURE)
    graph = d.graph("y")
    assert fold_scales(graph) is graph


def test_what_is_clamped_or_read_twice_stays() -> None:
    clamped = draft(fmin=0.0, fmax=6.0)
    clamped.node("Mul", "c s", "y", PICTURE)
    graph = clamped.graph("y")
    assert fold_scales(graph) is graph
    shared = draft()
    shared.node("Mul", "c s", "y", PICTURE)
    graph = shared.graph("y", "c")
    assert fold_scales(graph) is graph
    assert len(lines(graph)) == 2
