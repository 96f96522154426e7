# SPDX-License-Identifier: Apache-2.0
"""Which tensors become int8."""

from __future__ import annotations

import numpy as np
import pytest

from bitpose.quantize.points import find_points

from ..passes.build import Draft

CONV = {"strides": (1, 1), "dilations": (1, 1), "pads": (0, 0, 0, 0), "group": 1}
X = (1, 4, 6, 6)


def draft() -> Draft:
    d = Draft()
    d.input("x", X)
    d.constant("w", np.ones((4, 4, 1, 1)), np.float32)
    return d


def test_what_convolutions_read_has_codes_and_what_they_end_in_has_none() -> None:
    d = draft()
    d.node("Conv", "x w", "a", X, **CONV)
    d.node("Sigmoid", "a", "s", X)
    d.node("Mul", "a s", "m", X)
    d.node("Conv", "m w", "y", X, **CONV)
    d.node("Exp", "y", "e", X)
    points = find_points(d.graph("e"))
    assert points.scaled == {name: name for name in "xasm"}
    assert points.heads == ("y",)


def test_moved_elements_have_no_scale_of_their_own() -> None:
    d = draft()
    d.node("Conv", "x w", "a", X, **CONV)
    d.node("Reshape", "a", "r", (1, 4, 4, 9))
    d.node("Resize", "r", "z", (1, 4, 8, 18), scales=(2.0, 2.0), coordinate_mode="half_pixel")
    d.node("Conv", "z w", "y", (1, 4, 8, 18), **CONV)
    points = find_points(d.graph("y"))
    assert points.scaled == {"x": "x", "a": "a", "z": "a"}


def test_what_leads_to_outputs_alone_stays_float() -> None:
    d = draft()
    d.node("Conv", "x w", "a", X, **CONV)
    d.node("Softmax", "a", "y", X, axis=1)
    d.node("Add", "a y", "z", X)
    points = find_points(d.graph("z"))
    assert points.scaled == {"x": "x"}
    assert points.heads == ("a",)


def test_weights_that_are_computed_are_left_alone() -> None:
    d = draft()
    d.input("v", (4, 4, 1, 1))
    d.node("Conv", "x v", "y", X, **CONV)
    points = find_points(d.graph("y"))
    assert not list(points)


def test_what_is_exempt_stays_float_with_what_reads_it() -> None:
    d = draft()
    d.node("Conv", "x w", "a", X, **CONV)
    d.node("Sigmoid", "a", "s", X)
    d.node("Conv", "s w", "b", X, **CONV)
    d.node("Conv", "b w", "y", X, **CONV)
    graph = d.graph("y")
    points = find_points(graph, frozenset("s"))
    assert list(points.scaled) == ["x", "b"]
    assert points.heads == ("a", "y")
    assert points.floats == {"b"}


@pytest.mark.parametrize("op", ["Conv", "ConvTranspose"])
def test_depthwise_heads(op: str) -> None:
    """Those of a Conv give floats from sums of codes, those of a ConvTranspose are computed so."""
    d = draft()
    d.constant("v", np.ones((4, 1, 1, 1)), np.float32)
    d.node("Conv", "x w", "a", X, **CONV)
    extra = {"output_padding": (0, 0)} if op == "ConvTranspose" else {}
    d.node(op, "a v", "y", X, **CONV | {"group": 4} | extra)
    points = find_points(d.graph("y"))
    assert list(points.scaled) == ["x", "a"]
    assert points.heads == ("y",)
    assert points.floats == ({"y"} if extra else set())
