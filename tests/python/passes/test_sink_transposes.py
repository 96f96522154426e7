# SPDX-License-Identifier: Apache-2.0
"""Transposes and reshapes: fewer of them, the same elements."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitpose.ir.graph import Graph
from bitpose.ir.reference import run
from bitpose.passes import permutations
from bitpose.passes.sink_transposes import sink_transposes

from .build import Draft

Shape = tuple[int, ...]


@pytest.mark.parametrize(
    ("before", "after", "groups"),
    [
        ((2, 12, 5), (2, 3, 4, 5), [((0,), (0,)), ((1,), (1, 2)), ((2,), (3,))]),
        ((6, 4), (4, 6), [((0, 1), (0, 1))]),
        ((2, 1, 3), (2, 3), [((0,), (0,)), ((1, 2), (1,))]),
        ((2, 3), (2, 3, 1, 1), [((0,), (0,)), ((1,), (1, 2, 3))]),
        ((4, 1), (4,), [((0, 1), (0,))]),
        ((), (), []),
    ],
)
def test_axis_groups(
    before: Shape, after: Shape, groups: list[tuple[tuple[int, ...], tuple[int, ...]]]
) -> None:
    assert permutations.axis_groups(before, after) == groups


def transposed(d: Draft, x: str, y: str, p: permutations.Permutation) -> str:
    shape = permutations.apply(d.tensors[x].shape, p)
    return d.node("transpose", x, y, shape, **permutations.attributes(p))


def operators(graph: Graph) -> list[str]:
    return [node.op for node in graph.nodes]


def shuffled(groups: int) -> Graph:
    """Channels of an NHWC picture, shuffled by a network that works on NCHW."""
    d = Draft()
    d.input("x", (1, 5, 7, 12))
    transposed(d, "x", "a", permutations.TO_NCHW)
    d.node("reshape", "a", "b", (1, groups, 12 // groups, 5, 7))
    transposed(d, "b", "c", (0, 2, 1, 3, 4))
    d.node("reshape", "c", "e", (1, 12, 5, 7))
    transposed(d, "e", "y", permutations.TO_NHWC)
    return d.graph("y")


@pytest.mark.parametrize("groups", [2, 3, 12])
def test_a_channel_shuffle_is_one_transpose(groups: int) -> None:
    graph = shuffled(groups)
    after = sink_transposes(graph)
    assert operators(after).count("transpose") == (0 if groups == 12 else 1)
    assert_same(graph, after)


def test_heads_that_are_reshaped_need_no_transpose() -> None:
    """[1, H, W, anchors * values] to [1, H * W * anchors, values], by way of NCHW."""
    d = Draft()
    d.input("x", (1, 5, 7, 12))
    transposed(d, "x", "a", permutations.TO_NCHW)
    d.node("reshape", "a", "b", (1, 3, 4, 35))
    transposed(d, "b", "c", (0, 3, 1, 2))
    d.node("reshape", "c", "y", (1, 105, 4))
    graph = d.graph("y")
    after = sink_transposes(graph)
    assert "transpose" not in operators(after)
    assert_same(graph, after)


def assert_same(graph: Graph, after: Graph) -> None:
    x = graph.tensor("x")
    feed = {"x": np.arange(x.elements, dtype=np.float32).reshape(x.shape)}
    np.testing.assert_array_equal(run(after, feed)["y"], run(graph, feed)["y"])


def factored(draw: st.DrawFn, elements: int) -> Shape:
    """A shape of so many elements, units among the extents."""
    extents: list[int] = []
    while elements > 1 and len(extents) < 4:
        extent = draw(st.sampled_from([f for f in range(1, elements + 1) if elements % f == 0]))
        extents.append(extent)
        elements //= extent
    return (*extents, elements)


@st.composite
def chains(draw: st.DrawFn) -> Graph:
    """Transposes and reshapes in any order, an elementwise operator among them."""
    d = Draft()
    shape = factored(draw, draw(st.sampled_from([12, 16, 30, 36])))
    d.input("x", shape)
    name = "x"
    steps = draw(st.lists(st.sampled_from(["transpose", "reshape", "cast"]), max_size=7))
    for i, step in enumerate([*steps, "cast"]):
        shape = d.tensors[name].shape
        new = "y" if i == len(steps) else f"t{i}"
        if step == "transpose":
            name = transposed(d, name, new, tuple(draw(st.permutations(range(len(shape))))))
        elif step == "reshape":
            name = d.node("reshape", name, new, factored(draw, math.prod(shape)))
        else:
            name = d.node("cast", name, new, shape)
    return d.graph("y")


@settings(max_examples=300, deadline=None)
@given(chains())
def test_any_chain_keeps_its_elements(graph: Graph) -> None:
    after = sink_transposes(graph)
    assert_same(graph, after)
    assert operators(after).count("transpose") <= operators(graph).count("transpose") + 1
