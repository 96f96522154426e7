# SPDX-License-Identifier: Apache-2.0
"""Normalisations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import NodeProto

from bitpose.compiler import to_graph
from bitpose.errors import InvalidModelError

from .build import check, model, node, operators

Array = NDArray[Any]
F = np.float32
SHAPE = (2, 6, 4, 5)


def weights(*shape: int) -> Array:
    return np.random.default_rng(1).normal(1, 1, shape).astype(F)


CASES: dict[str, tuple[NodeProto, int]] = {
    "layer": (node("LayerNormalization", "x w c", "y", axis=2), 17),
    "layer without bias": (node("LayerNormalization", "x w", "y", axis=-2, epsilon=0.1), 17),
    "instance": (node("InstanceNormalization", "x s b", "y", epsilon=1e-2), 13),
    "group": (node("GroupNormalization", "x s b", "y", num_groups=3), 21),
    "mean and variance": (node("MeanVarianceNormalization", "x", "y", axes=[1, 3]), 13),
    "p 1": (node("LpNormalization", "x", "y", axis=1, p=1), 13),
    "p 2": (node("LpNormalization", "x", "y"), 13),
    "wide window": (node("LRN", "x", "y", size=5, alpha=0.1, beta=0.6, bias=2.0), 13),
    "odd window": (node("LRN", "x", "y", size=3, alpha=0.2), 13),
    "rms": (node("RMSNormalization", "x w", "y", axis=2, epsilon=1e-3), 23),
}


@pytest.mark.parametrize("case", CASES)
def test_normalization(case: str) -> None:
    step, opset = CASES[case]
    constants = {"w": weights(4, 5), "c": weights(4, 5), "s": weights(6), "b": weights(6)}
    used = {name: constants[name] for name in step.input if name in constants}
    check(model([step], {"x": (F, SHAPE)}, ["y"], used, opset=opset), rtol=1e-4, atol=1e-4)


def test_layer_normalization_has_three_outputs() -> None:
    step = node("LayerNormalization", "x w", "y mean deviation", axis=1)
    inputs: Any = {"x": (F, (3, 8))}
    outputs = ["y", "mean", "deviation"]
    proto = model([step], inputs, outputs, {"w": weights(8)}, opset=17)
    check(proto, rtol=1e-4, atol=1e-4)


def test_group_normalization_of_opset_18() -> None:
    """Scale and bias have an element per group."""
    step = node("GroupNormalization", "x s b", "y", num_groups=3)
    constants = {"s": weights(3), "b": weights(3)}
    check(model([step], {"x": (F, SHAPE)}, ["y"], constants, opset=18), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("op", ["InstanceNormalization", "GroupNormalization"])
def test_between_convolutions_pictures_stay_nhwc(op: str) -> None:
    attributes: dict[str, Any] = {"num_groups": 2} if op == "GroupNormalization" else {}
    constants = {"w": weights(6, 6, 1, 1), "s": weights(6), "b": weights(6)}
    steps = [
        node("Conv", "x w", "a"),
        node(op, "a s b", "n", **attributes),
        node("Conv", "n w", "y"),
    ]
    proto = model(steps, {"x": (F, SHAPE)}, ["y"], constants, opset=21)
    found = operators(check(proto, rtol=1e-3, atol=1e-3))
    assert found.count("transpose") == 2


INVALID: dict[str, NodeProto] = {
    "axis": node("LayerNormalization", "x s", "y", axis=4),
    "rank": node("InstanceNormalization", "s s s", "y"),
    "groups": node("GroupNormalization", "x s s", "y", num_groups=4),
    "p": node("LpNormalization", "x", "y", p=3),
    "size": node("LRN", "x", "y", size=0),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid(case: str) -> None:
    step = INVALID[case]
    proto = model([step], {"x": (F, SHAPE)}, ["y"], {"s": weights(6)}, opset=21)
    with pytest.raises(InvalidModelError, match=f"'{step.op_type} y"):
        to_graph(proto.SerializeToString())
