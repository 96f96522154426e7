# SPDX-License-Identifier: Apache-2.0
"""Operators with scales among their operands, against onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

from bitpose.errors import UnsupportedModelError
from bitpose.onnx import registry

from .build import check, model, node, operators

Array = NDArray[Any]
CODES = [np.int8, np.uint8]


def quantized(name: str, scale: float, zero_point: int, dtype: Any) -> dict[str, Array]:
    return {f"{name}.s": np.array(scale, np.float32), f"{name}.z": np.array(zero_point, dtype)}


def network(
    op: str,
    operands: str,
    shapes: Mapping[str, Sequence[int]],
    dtype: Any,
    constants: Mapping[str, Array] | None = None,
    domain: str = registry.MICROSOFT,
    **attributes: Any,
) -> onnx.ModelProto:
    """One operator; inputs of `shapes` have codes, x.s and x.z and the like are constants."""
    signed = np.dtype(dtype) == np.int8
    fixed = {
        **quantized("x", 0.03, 3 if signed else 131, dtype),
        **quantized("w", 0.02, -5 if signed else 120, dtype),
        **quantized("y", 0.05, -7 if signed else 122, dtype),
        **(constants or {}),
    }
    operation = node(op, operands, "out", domain=domain, **attributes)
    proto = model(
        [operation], {name: (dtype, shape) for name, shape in shapes.items()}, ["out"],
        {name: value for name, value in fixed.items() if name in operands.split()},
    )  # fmt: skip
    if domain:
        proto.opset_import.append(helper.make_opsetid(domain, 1))
    return proto


def codes(dtype: Any, *shape: int) -> Array:
    limits = np.iinfo(dtype)
    return np.random.default_rng(1).integers(limits.min, limits.max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("per_channel", [False, True])
def test_conv(dtype: Any, per_channel: bool) -> None:
    scales = np.array([0.01, 0.02, 0.005, 0.03], np.float32) if per_channel else np.float32(0.01)
    constants = {
        "w": codes(np.int8, 4, 3, 3, 3),
        "w.s": np.asarray(scales),
        "w.z": np.zeros(np.shape(scales), np.int8),
        "b": np.array([100, -2000, 30, 0], np.int32),
    }
    operands = "x x.s x.z w w.s w.z y.s y.z b"
    graph = check(
        network("QLinearConv", operands, {"x": (1, 3, 7, 5)}, dtype, constants, "",
                pads=[1, 1, 1, 1], strides=[2, 1]),
        steps=1,
    )  # fmt: skip
    assert "conv2d_qs8" in operators(graph)


@pytest.mark.parametrize("dtype", CODES)
def test_matmul(dtype: Any) -> None:
    operands = "x x.s x.z w w.s w.z y.s y.z"
    proto = network("QLinearMatMul", operands, {"x": (4, 6)}, dtype, {"w": codes(dtype, 6, 5)}, "")
    assert "conv2d_qs8" in operators(check(proto, steps=1))


@pytest.mark.parametrize("scaled", [False, True])
def test_gemm(scaled: bool) -> None:
    constants = {
        "w": codes(np.int8, 5, 6),
        "w.z": np.array(0, np.int8),
        "c": np.arange(-2, 3, dtype=np.int32) * 100,
    }
    operands = "x x.s x.z w w.s w.z c" + " y.s y.z" * scaled
    proto = network("QGemm", operands, {"x": (3, 6)}, np.int8, constants, transB=1)
    check(proto, steps=1)


@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
def test_binary(op: str, dtype: Any) -> None:
    shapes = {"x": (2, 3, 4), "w": (3, 1)}
    check(network(op, "x x.s x.z w w.s w.z y.s y.z", shapes, dtype), steps=1)


@pytest.mark.parametrize("dtype", CODES)
def test_concat(dtype: Any) -> None:
    shapes = {"x": (1, 2, 3, 4), "w": (1, 5, 3, 4)}
    check(network("QLinearConcat", "y.s y.z x x.s x.z w w.s w.z", shapes, dtype, axis=1), steps=1)


@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("QLinearAveragePool", {"kernel_shape": [2, 2], "strides": [2, 1]}),
        ("QLinearGlobalAveragePool", {"channels_last": 0}),
        ("QLinearLeakyRelu", {"alpha": 0.2}),
        ("QLinearSigmoid", {}),
    ],
)
def test_unary(op: str, attributes: dict[str, Any], dtype: Any) -> None:
    proto = network(op, "x x.s x.z y.s y.z", {"x": (1, 3, 6, 4)}, dtype, **attributes)
    check(proto, steps=1)


def test_softmax() -> None:
    constants = quantized("y", 1 / 256, 0, np.uint8)
    operands = "x x.s x.z y.s y.z"
    proto = network(
        "QLinearSoftmax", operands, {"x": (3, 10)}, np.uint8, constants, axis=-1, opset=13
    )
    check(proto, steps=1)


def test_channels_last_is_refused() -> None:
    proto = network(
        "QLinearGlobalAveragePool", "x x.s x.z y.s y.z", {"x": (1, 6, 4, 3)}, np.int8,
        channels_last=1,
    )  # fmt: skip
    with pytest.raises(UnsupportedModelError, match="channels_last is set"):
        check(proto)


def test_operators_of_other_domains_are_refused_by_name() -> None:
    proto = network("QMoE", "x", {"x": (1, 2)}, np.int8)
    with pytest.raises(UnsupportedModelError, match=r"QMoE .*no importer in the domain 'com.micro"):
        check(proto)
