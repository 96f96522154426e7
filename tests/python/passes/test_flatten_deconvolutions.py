# SPDX-License-Identifier: Apache-2.0
"""Transposed convolutions that become convolutions of single pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitpose.ir.graph import Graph
from bitpose.ir.reference import run
from bitpose.passes import run_passes
from bitpose.passes.flatten_deconvolutions import flatten_deconvolutions

from .build import Draft


def deconvolution(
    outputs: int = 2, kernel: tuple[int, int] = (2, 3), bias: bool = True, **attributes: Any
) -> Graph:
    random = np.random.default_rng(1)
    d = Draft()
    d.input("x", (2, 5, 3, 4))
    d.constant("w", random.normal(0, 1, (outputs, 5, *kernel)), np.float32)
    d.constant("b", random.normal(0, 1, outputs), np.float32)
    window: dict[str, Any] = {"strides": (2, 3), "dilations": (1, 1), "pads": (0, 0, 0, 0)}
    window |= {"group": 1, "output_padding": (0, 0), **attributes}
    top, left, bottom, right = window["pads"]
    extra = np.add(window["output_padding"], kernel) - (top + bottom, left + right)
    height, width = np.multiply((2, 3), window["strides"]) + extra
    operands = "x w b" if bias else "x w"
    d.node("ConvTranspose", operands, "y", (2, outputs, int(height), int(width)), **window)
    return d.graph("y")


@pytest.mark.parametrize("outputs", [1, 2, 8])
@pytest.mark.parametrize("bias", [False, True])
def test_windows_that_do_not_overlap(outputs: int, bias: bool) -> None:
    graph = deconvolution(outputs, bias=bias, fmin=-0.5)
    flat = flatten_deconvolutions(graph)
    assert [node.op for node in flat.nodes].count("Conv") == 1
    assert "ConvTranspose" not in {node.op for node in flat.nodes}
    final = [node.op for node in run_passes(graph).nodes]
    # From NCHW, to blocks of pixels, and to NCHW, which is a view for one channel.
    assert final.count("transpose") == (2 if outputs == 1 else 3)


def test_pixels_go_to_their_places() -> None:
    graph = deconvolution()
    x = np.random.default_rng(2).normal(0, 1, (2, 5, 3, 4)).astype(np.float32)
    w, b = (graph.tensor(name).data for name in ("w", "b"))
    assert w is not None
    assert b is not None
    exact = np.einsum("nchw,ocij->nohiwj", x.astype(np.float64), w.astype(np.float64))
    exact = exact.reshape(2, 2, 6, 12) + b.astype(np.float64).reshape(-1, 1, 1)
    got = run(run_passes(graph), {"x": x})["y"]
    np.testing.assert_allclose(got, exact, atol=1e-5)


@pytest.mark.parametrize(
    "other",
    [
        {"kernel": (3, 3)},
        {"kernel": (1, 1), "strides": (1, 1)},
        {"pads": (0, 0, 1, 0)},
        {"output_padding": (0, 1)},
        {"outputs": 9},
    ],
)
def test_others_stay(other: dict[str, Any]) -> None:
    graph = deconvolution(**other)
    assert flatten_deconvolutions(graph) is graph
