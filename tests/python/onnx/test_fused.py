# SPDX-License-Identifier: Apache-2.0
"""What onnxruntime's optimiser fuses: single operators, and a network that it has saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from bitpose.errors import UnsupportedModelError
from bitpose.onnx import registry

from .build import check, model, node

F = np.float32
RANDOM = np.random.default_rng(3)
CONSTANTS = {
    "w": RANDOM.standard_normal((4, 3, 3, 3)).astype(F),
    "b": RANDOM.standard_normal(4).astype(F),
    "m": RANDOM.standard_normal((2, 5, 7)).astype(F),
    "r": RANDOM.standard_normal(7).astype(F),
    "c": RANDOM.standard_normal((7, 5)).astype(F),
}


def fused(op: str, operands: str, shape: tuple[int, ...], **attributes: Any) -> onnx.ModelProto:
    used = {name: value for name, value in CONSTANTS.items() if name in operands.split()}
    step = node(op, operands, "y", domain=registry.MICROSOFT, **attributes)
    inputs: Any = {"x": (F, shape)}
    if "z" in operands.split():
        inputs["z"] = (F, (1, 4, 4, 6))
    proto = model([step], inputs, ["y"], used)
    proto.opset_import.append(helper.make_opsetid(registry.MICROSOFT, 1))
    return proto


@pytest.mark.parametrize(
    ("activation", "parameters"),
    [
        *(("Relu", []), ("Tanh", []), ("Sigmoid", []), ("LeakyRelu", [0.1])),
        *(("Clip", [-0.5, 0.5]), ("HardSigmoid", [0.3, 0.4])),
    ],
)
def test_activations_of_convolutions(activation: str, parameters: list[float]) -> None:
    attributes: dict[str, Any] = {"activation": activation, "pads": [0, 1, 0, 1]}
    if parameters:
        attributes["activation_params"] = parameters
    check(fused("FusedConv", "x w b", (1, 3, 6, 6), **attributes))


def test_sum_inside_a_convolution() -> None:
    check(fused("FusedConv", "x w b z", (1, 3, 6, 8), activation="Relu"))


@pytest.mark.parametrize("transposes", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_products(transposes: tuple[int, int]) -> None:
    left, right = transposes
    shape = (2, 5, 3) if left else (2, 3, 5)
    if right:
        shape = (2, 7, 3) if left else (2, 3, 7)
    check(fused("FusedMatMul", "x m", shape, alpha=0.3, transA=left, transB=right))
    check(fused("FusedGemm", "x c", (7, 2), transA=1, activation="Relu"))


@pytest.mark.parametrize(
    ("op", "operands"),
    [
        *(("Gelu", "x"), ("BiasGelu", "x r"), ("FastGelu", "x"), ("FastGelu", "x r")),
        ("QuickGelu", "x"),
    ],
)
def test_gelu(op: str, operands: str) -> None:
    check(fused(op, operands, (3, 7)))


def test_an_unknown_activation_is_named() -> None:
    with pytest.raises(UnsupportedModelError, match="activation 'Softsign'"):
        check(fused("FusedConv", "x w", (1, 3, 6, 6), activation="Softsign"))


def test_a_network_that_onnxruntime_has_optimised(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w b", "a"),
        node("Relu", "a", "c1"),
        node("Conv", "c1 v", "d", group=4),
        node("Add", "d c2", "e"),
        node("Relu", "e", "y"),
        node("MaxPool", "c1", "c2", kernel_shape=[3, 3]),
    ]
    nodes.insert(3, nodes.pop())
    constants = {
        **{name: CONSTANTS[name] for name in "wb"},
        "v": RANDOM.standard_normal((4, 1, 3, 3)).astype(F),
    }
    proto = model(nodes, {"x": (F, (1, 3, 9, 9))}, ["y"], constants)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    optimised = onnx.load(tmp_path / "optimised.onnx")
    assert "FusedConv" in {x.op_type for x in optimised.graph.node}
    check(optimised)
