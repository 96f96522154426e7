# SPDX-License-Identifier: Apache-2.0
"""BatchNormalization, Softmax, LogSoftmax and Hardmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bitpose.errors import InvalidModelError, UnsupportedModelError

from .build import Array, check, model, node, operators

F = np.float32
SHAPE = (2, 3, 4, 5)
PARAMETERS = ("scale", "bias", "mean", "var")


def statistics(channels: int = 3) -> dict[str, Array]:
    rng = np.random.default_rng(4)
    return {name: rng.uniform(0.5, 2, channels).astype(F) for name in PARAMETERS}


@pytest.mark.parametrize("opset", [7, 9, 14, 15])
@pytest.mark.parametrize("shape", [SHAPE, (2, 3), (2, 3, 4)])
def test_batch_normalization(shape: tuple[int, ...], opset: int) -> None:
    nodes = [node("BatchNormalization", "x scale bias mean var", "y", epsilon=1e-2)]
    proto = model(nodes, {"x": (F, shape)}, ["y"], statistics(), opset)
    assert operators(check(proto)) == ["binary_f32", "binary_f32"]


def test_parameters_of_the_run() -> None:
    nodes = [node("BatchNormalization", "x scale bias mean var", "y")]
    inputs: dict[str, Any] = {"x": (F, SHAPE), **dict.fromkeys(PARAMETERS, (F, (3,)))}
    proto = model(nodes, inputs, ["y"], opset=15)
    x = np.random.default_rng(0).normal(0, 1, SHAPE).astype(F)
    check(proto, feed={"x": x, **statistics()})


@pytest.mark.parametrize("bias", [False, True])
def test_becomes_part_of_a_convolution(bias: bool) -> None:
    rng = np.random.default_rng(1)
    constants = {**statistics(), "w": rng.normal(0, 1, (3, 2, 3, 3)).astype(F)}
    constants |= {"b": rng.normal(0, 1, 3).astype(F)} if bias else {}
    nodes = [
        node("Conv", "x w b" if bias else "x w", "c"),
        node("BatchNormalization", "c scale bias mean var", "n"),
        node("Relu", "n", "y"),
    ]
    graph = check(model(nodes, {"x": (F, (1, 2, 6, 6))}, ["y"], constants, 15), atol=1e-4)
    assert operators(graph) == ["transpose", "conv2d_f32", "transpose"]


def test_training_is_refused() -> None:
    nodes = [node("BatchNormalization", "x scale bias mean var", "y m v", training_mode=1)]
    with pytest.raises(UnsupportedModelError, match="training_mode is 1; supported"):
        check(model(nodes, {"x": (F, SHAPE)}, ["y"], statistics(), 15))
    nodes = [node("BatchNormalization", "x scale bias mean var", "y", spatial=0)]
    with pytest.raises(UnsupportedModelError, match="spatial is 0; supported"):
        check(model(nodes, {"x": (F, SHAPE)}, ["y"], statistics(), 7))


def test_parameters_that_do_not_fit() -> None:
    nodes = [node("BatchNormalization", "x scale bias mean var", "y")]
    with pytest.raises(InvalidModelError, match="a parameter has shape"):
        check(model(nodes, {"x": (F, SHAPE)}, ["y"], statistics(4), 15))


@pytest.mark.parametrize("axis", [-1, 0, 1, 2])
@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax", "Hardmax"])
def test_along_an_axis(op: str, axis: int, opset: int) -> None:
    proto = model([node(op, "x", "y", axis=axis)], {"x": (F, SHAPE[1:])}, ["y"], opset=opset)
    check(proto, rtol=1e-6, atol=1e-7)


def test_hardmax_takes_the_first_of_equals() -> None:
    proto = model([node("Hardmax", "x", "y")], {"x": (F, (2, 4))}, ["y"])
    check(proto, feed={"x": np.array([[1, 3, 3, 0], [2, 2, 2, 2]], F)})
