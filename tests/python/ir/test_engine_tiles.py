# SPDX-License-Identifier: Apache-2.0
"""Operators that work in tiles, on tensors with several of them, against the reference executor."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.ir.reference import run
from bitpose.ir.shapes import output_shape

from .test_engine import model_bytes, same_bits, sessions

Array = NDArray[Any]
RANDOM = np.random.default_rng(5)


def anything(shape: tuple[int, ...], dtype: str) -> Array:
    return RANDOM.integers(-(2**40), 2**40, shape).astype(dtype)


def check(op: str, operands: list[Array], attributes: Mapping[str, int], dtype: str) -> None:
    tensors = [Tensor(f"x{i}", x.dtype, x.shape) for i, x in enumerate(operands)]
    y = Tensor("y", np.dtype(dtype), ())
    y = Tensor("y", y.dtype, output_shape(op, tensors, attributes, y))
    names = tuple(t.name for t in tensors)
    node = Node(op, "node", names, ("y",), attributes)
    graph = Graph("case", (node,), {t.name: t for t in [*tensors, y]}, names, ("y",))
    feed = dict(zip(names, operands, strict=True))
    expected = run(graph, feed)["y"]
    for name, session in sessions(model_bytes(graph)):
        assert same_bits(session.run(None, feed)[0], expected), name


@pytest.mark.parametrize("dtype", ["int8", "float32", "int64"])
@pytest.mark.parametrize("shape", [(70, 5, 9), (3, 200, 65), (1, 257, 2), (130, 1, 131)])
def test_transpose(dtype: str, shape: tuple[int, ...]) -> None:
    x = anything(shape, dtype)
    for perm in itertools.permutations(range(3)):
        padded = (*perm, 0, 0, 0)
        check("transpose", [x], {f"perm{i}": p for i, p in enumerate(padded)}, dtype)


@pytest.mark.parametrize(
    ("shape", "perm"),
    [
        ((2, 33, 31, 24), (0, 3, 1, 2)),  # NHWC to NCHW
        ((2, 24, 33, 31), (0, 2, 3, 1)),
        ((2, 3, 4, 5, 6, 7), (5, 4, 3, 2, 1, 0)),
        ((2, 3, 4, 5, 6, 7), (1, 0, 3, 2, 4, 5)),  # Blocks of 42 elements stay whole.
        ((9, 7, 11, 2), (2, 1, 0, 3)),  # Pairs of bytes.
        ((300, 300), (1, 0)),
    ],
)
def test_transpose_of_more_axes(shape: tuple[int, ...], perm: tuple[int, ...]) -> None:
    padded = (*perm, *([0] * (6 - len(perm))))
    x = anything(shape, "int8")
    check("transpose", [x], {f"perm{i}": p for i, p in enumerate(padded)}, "int8")


@pytest.mark.parametrize("dtype", ["int8", "int32", "float32"])
@pytest.mark.parametrize("shape", [(40, 3, 150), (2, 500, 64), (1, 9, 65)])
def test_argmax(dtype: str, shape: tuple[int, ...]) -> None:
    x = (RANDOM.integers(-5, 5, shape)).astype(dtype)  # Full of ties.
    if dtype == "float32":
        x[RANDOM.random(shape) < 0.02] = np.nan
    for axis, keepdims in itertools.product(range(3), range(2)):
        check("argmax", [x], {"axis": axis, "keepdims": keepdims}, "int64")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_concat_and_slice(axis: int) -> None:
    parts = [anything((60, 50, 40), "int32") for _ in range(3)]
    check("concat", parts, {"axis": axis}, "int32")
    check("slice", parts[:1], {"axis": axis, "start": 7, "length": 30}, "int32")


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((90_000,), (90_000,)),
        ((300, 301), ()),
        ((3, 1, 150), (200, 1)),
        ((1, 7, 1, 9, 1, 50), (6, 1, 8, 1, 10, 50)),
    ],
)
def test_binary(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    for function in range(6):
        operands = [RANDOM.normal(0, 1, shape).astype(np.float32) for shape in (a, b)]
        check("binary_f32", operands, {"function": function}, "float32")
        check("binary_f32", operands[::-1], {"function": function}, "float32")


def test_softmax() -> None:
    for shape in [(700, 9), (3, 4000), (2, 3, 5, 33)]:
        check("softmax_f32", [RANDOM.normal(0, 9, shape).astype(np.float32)], {}, "float32")


def test_gather_of_long_rows() -> None:
    data = anything((30, 20, 500), "int8")
    indices = RANDOM.integers(-40, 40, (50, 2))
    check("gather_nd", [data, indices], {}, "int8")
