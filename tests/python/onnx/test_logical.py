# SPDX-License-Identifier: Apache-2.0
"""Comparisons, truth values, choice and conversion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitpose.errors import InvalidModelError, UnsupportedModelError

from .build import check, model, node, operators

F, B = np.float32, np.bool_
SHAPE = (2, 3, 4)
DTYPES = (F, np.int8, np.uint8, np.int32, np.int64, B)
SPECIAL = np.array([0, np.nan, np.inf, -np.inf, 1.5, -0.0], F)


def several(dtype: type[np.generic], *shape: int, seed: int = 0) -> Any:
    """Few values, so that some are equal."""
    return np.random.default_rng(seed).integers(0, 3, shape).astype(dtype)


@pytest.mark.parametrize("dtype", [F, np.int32, np.int64])
@pytest.mark.parametrize("op", ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"])
def test_relations(op: str, dtype: type[np.generic]) -> None:
    inputs = {"x": (dtype, SHAPE), "v": (dtype, (3, 1))}
    proto = model([node(op, "x v", "y")], inputs, ["y"], opset=16)
    feed = {"x": several(dtype, *SHAPE), "v": several(dtype, 3, 1, seed=1)}
    assert operators(check(proto, feed=feed)) == ["compare"]


@pytest.mark.parametrize("op", ["Equal", "Less", "GreaterOrEqual"])
def test_relations_of_special_values(op: str) -> None:
    proto = model([node(op, "x v", "y")], {"x": (F, (6,)), "v": (F, (6, 1))}, ["y"], opset=16)
    check(proto, feed={"x": SPECIAL, "v": SPECIAL[:, None]})


def test_equal_of_bools() -> None:
    check(model([node("Equal", "x v", "y")], {"x": (B, SHAPE), "v": (B, (4,))}, ["y"]))


@pytest.mark.parametrize("op", ["And", "Or", "Xor"])
def test_logic(op: str) -> None:
    proto = model([node(op, "x v", "y")], {"x": (B, SHAPE), "v": (B, (3, 1))}, ["y"])
    assert operators(check(proto)) == ["logic"]


def test_not() -> None:
    check(model([node("Not", "x", "y")], {"x": (B, SHAPE)}, ["y"]))


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("IsNaN", {}),
        ("IsInf", {}),
        ("IsInf", {"detect_negative": 0}),
        ("IsInf", {"detect_positive": 0}),
        ("IsInf", {"detect_negative": 0, "detect_positive": 0}),
    ],
)
def test_special_values(op: str, attributes: dict[str, int]) -> None:
    proto = model([node(op, "x", "y", **attributes)], {"x": (F, (6,))}, ["y"])
    check(proto, feed={"x": SPECIAL})


@pytest.mark.parametrize("dtype", [F, np.uint8, np.int32, np.int64])
@pytest.mark.parametrize(("condition", "other"), [(SHAPE, (4,)), ((3, 1), ()), ((), SHAPE)])
def test_where(dtype: type[np.generic], condition: tuple[int, ...], other: tuple[int, ...]) -> None:
    inputs: dict[str, Any] = {"c": (B, condition), "x": (dtype, SHAPE), "v": (dtype, other)}
    assert operators(check(model([node("Where", "c x v", "y")], inputs, ["y"]))) == ["where"]


NUMBERS = {F: 1, np.int8: 3, np.uint8: 2, np.int32: 6, np.int64: 7, B: 9}


@pytest.mark.parametrize("to", DTYPES)
@pytest.mark.parametrize("source", DTYPES)
def test_cast(source: type[np.generic], to: type[np.generic]) -> None:
    """Of numbers that both have."""
    proto = model([node("Cast", "x", "y", to=NUMBERS[to])], {"x": (source, SHAPE)}, ["y"])
    check(proto, feed={"x": several(source, *SHAPE)}, rtol=0, atol=0)


def test_cast_like() -> None:
    inputs: dict[str, Any] = {"x": (F, SHAPE), "v": (np.int32, (1,))}
    nodes = [node("CastLike", "x v", "a"), node("Add", "a v", "y")]
    graph = check(model(nodes, inputs, ["y"], opset=15))
    assert operators(graph) == ["cast", "binary_integer"]


def test_dropout_keeps_everything() -> None:
    nodes = [node("Dropout", "x", "a mask"), node("Relu", "a", "y")]
    graph = check(model(nodes, {"x": (F, SHAPE)}, ["y", "mask"]))
    assert operators(graph) == ["unary_f32", "reshape"]


def test_dropout_in_training() -> None:
    constants = {"r": np.array(0.5, F), "zero": np.array(0.0, F), "t": np.array(True)}
    check(model([node("Dropout", "x zero t", "y")], {"x": (F, SHAPE)}, ["y"], constants))
    with pytest.raises(UnsupportedModelError, match="training_mode false, or ratio 0"):
        check(model([node("Dropout", "x r t", "y")], {"x": (F, SHAPE)}, ["y"], constants))


def test_dtypes_that_do_not_fit() -> None:
    inputs: dict[str, Any] = {"x": (F, SHAPE), "v": (np.int32, SHAPE)}
    for op, operands in (("Equal", "x v"), ("And", "x x"), ("Where", "x x x")):
        with pytest.raises(InvalidModelError, match="operands are"):
            check(model([node(op, operands, "y")], inputs, ["y"]))
