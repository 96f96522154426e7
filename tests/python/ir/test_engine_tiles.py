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


def check(
    op: str,
    operands: list[Array],
    attributes: Mapping[str, int],
    dtype: str,
    constants: int = 0,
) -> None:
    """The last `constants` of the operands are constants."""
    count = len(operands) - constants
    tensors = [
        Tensor(f"x{i}", x.dtype, x.shape) if i < count else Tensor.constant(f"x{i}", x)
        for i, x in enumerate(operands)
    ]
    y = Tensor("y", np.dtype(dtype), ())
    y = Tensor("y", y.dtype, output_shape(op, tensors, attributes, y))
    names = tuple(t.name for t in tensors)
    node = Node(op, "node", names, ("y",), attributes)
    graph = Graph("case", (node,), {t.name: t for t in [*tensors, y]}, names[:count], ("y",))
    feed = dict(zip(names[:count], operands, strict=False))
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
    for axis, last, smallest in itertools.product(range(3), range(2), range(2)):
        attributes = {"axis": axis, "keepdims": last, "select_last_index": last}
        check("argmax", [x], attributes | {"smallest": smallest}, "int64")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_concat_and_slice(axis: int) -> None:
    parts = [anything((60, 50, 40), "int32") for _ in range(3)]
    check("concat", parts, {"axis": axis}, "int32")
    check("slice", parts[:1], {"axis": axis, "start": 7, "length": 30, "step": 1}, "int32")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_selection(axis: int) -> None:
    x = anything((60, 50, 40), "float32")
    check("slice", [x], {"axis": axis, "start": 39, "length": 14, "step": -3}, "float32")
    indices = np.concatenate([np.arange(30), RANDOM.integers(-40, 40, 90)])
    check("gather", [x, indices], {"axis": axis}, "float32")
    shape = tuple(200 if i == axis else n - 3 for i, n in enumerate(x.shape))
    chosen = RANDOM.integers(-40, 40, shape)
    check("gather_elements", [x, chosen], {"axis": axis}, "float32")
    check("topk", [x], {"axis": axis, "k": 11, "largest": axis % 2}, "int64")
    check("cumulative_sum", [x], {"axis": axis, "exclusive": 0, "reverse": 1}, "float32")
    k = RANDOM.integers(0, 40, (70, 4)).astype(np.int32)
    w = RANDOM.normal(0, 1, (70, 4)).astype(np.float32)
    check("resample_f32", [x, k, w], {"axis": axis}, "float32", constants=2)


def test_pad_of_many_rows() -> None:
    amounts = {f"{side}{i}": 0 for side in ("before", "after") for i in range(6)}
    x, value = anything((20, 30, 40, 3), "int8"), np.array(7, np.int8)
    check("pad", [x, value], amounts | {"before1": 2, "after2": 1}, "int8")
    check("pad", [x, value], amounts | {"after0": 3, "before3": 5}, "int8")


@pytest.mark.parametrize("shape", [(60, 50, 40), (2, 3000), (3, 9, 9, 130), (7, 31, 17, 2, 3)])
def test_reductions(shape: tuple[int, ...]) -> None:
    x = RANDOM.normal(0, 1, shape).astype(np.float32)
    x[RANDOM.random(shape) < 1e-4] = np.nan
    codes = RANDOM.integers(-128, 128, shape).astype(np.int8)
    for axes in range(1, 2 ** len(shape)):
        attributes = {"function": axes % 8, "axes": axes}
        check("reduce_f32", [x], attributes, "float32")
        check("reduce_integer", [codes], attributes | {"function": axes % 6}, "int8")


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
    check("gather_nd", [data, indices], {"batch_dims": 0}, "int8")
