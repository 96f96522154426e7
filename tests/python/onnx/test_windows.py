# SPDX-License-Identifier: Apache-2.0
"""Convolutions, dense layers, pools and resizes of floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.errors import UnsupportedModelError

from .build import check, model, node, operators

F = np.float32
X = (2, 3, 9, 8)


def weights(*shape: int) -> NDArray[Any]:
    return np.random.default_rng(1).normal(0, 1, shape).astype(F)


CONVOLUTIONS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "1x1": ((5, 3, 1, 1), {}),
    "3x3": ((5, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
    "stride": ((4, 3, 3, 2), {"pads": [0, 0, 1, 1], "strides": [2, 3]}),
    "dilation": ((4, 3, 3, 3), {"pads": [2, 1, 4, 3], "dilations": [3, 2]}),
    "same upper": ((4, 3, 3, 4), {"auto_pad": "SAME_UPPER", "strides": [2, 1]}),
    "same lower": ((4, 3, 3, 4), {"auto_pad": "SAME_LOWER", "strides": [2, 1]}),
    "valid": ((4, 3, 3, 3), {"auto_pad": "VALID"}),
    "depthwise": ((3, 1, 3, 3), {"group": 3, "pads": [1, 0, 1, 2]}),
}


@pytest.mark.parametrize("case", CONVOLUTIONS)
@pytest.mark.parametrize("bias", [False, True])
def test_conv(case: str, bias: bool) -> None:
    shape, attributes = CONVOLUTIONS[case]
    constants = {"w": weights(*shape), "b": weights(shape[0])}
    step = node("Conv", "x w b" if bias else "x w", "y", **attributes)
    graph = check(model([step], {"x": (F, X)}, ["y"], constants), rtol=1e-4, atol=1e-4)
    name = "dwconv2d_f32" if case == "depthwise" else "conv2d_f32"
    assert operators(graph) == ["transpose", name, "transpose"]


def test_nhwc_pictures_are_not_transposed() -> None:
    steps = [
        node("Transpose", "x", "a", perm=[0, 3, 1, 2]),
        node("Conv", "a w", "b"),
        node("Relu", "b", "c"),
        node("Transpose", "c", "y", perm=[0, 2, 3, 1]),
    ]
    proto = model(steps, {"x": (F, (1, 5, 6, 3))}, ["y"], {"w": weights(4, 3, 2, 2)})
    assert operators(check(proto, rtol=1e-4, atol=1e-4)) == ["conv2d_f32"]


POOLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "pads": {"pads": [1, 0, 0, 2], "strides": [2, 1]},
    "ceil": {"ceil_mode": 1, "strides": [2, 2]},
    "ceil pads": {"ceil_mode": 1, "strides": [3, 2], "pads": [1, 1, 0, 1]},
    "same": {"auto_pad": "SAME_UPPER", "strides": [2, 3]},
}


@pytest.mark.parametrize("case", POOLS)
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_pool(op: str, case: str) -> None:
    step = node(op, "x", "y", kernel_shape=[2, 3], **POOLS[case])
    graph = check(model([step], {"x": (F, X)}, ["y"]))
    name = {"MaxPool": "maxpool2d_f32", "AveragePool": "avgpool2d_f32"}[op]
    assert operators(graph) == ["transpose", name, "transpose"]


def test_average_with_padding_counted() -> None:
    attributes: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    step = node("AveragePool", "x", "y", count_include_pad=1, **attributes)
    check(model([step], {"x": (F, X)}, ["y"]))


@pytest.mark.parametrize("op", ["GlobalAveragePool", "GlobalMaxPool"])
def test_global_pool(op: str) -> None:
    """Of one pixel per channel the transpose is a reshape."""
    graph = check(model([node(op, "x", "y")], {"x": (F, X)}, ["y"]))
    assert operators(graph)[-1] == "reshape"


def test_reduce_mean() -> None:
    old = node("ReduceMean", "x", "y", axes=[2, 3], keepdims=0)
    check(model([old], {"x": (F, X)}, ["y"]))
    new = node("ReduceMean", "x a", "y")
    check(model([new], {"x": (F, X)}, ["y"], {"a": np.array([-1, -2], np.int64)}, opset=18))


@pytest.mark.parametrize(
    "mode", ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
)
@pytest.mark.parametrize("scales", [(2.0, 2.0), (0.5, 1.6)])
def test_resize(mode: str, scales: tuple[float, float]) -> None:
    step = node("Resize", "x - s", "y", mode="linear", coordinate_transformation_mode=mode)
    constants = {"s": np.array([1, 1, *scales], F)}
    graph = check(model([step], {"x": (F, X)}, ["y"], constants), atol=1e-5)
    assert operators(graph) == ["transpose", "resize2d_f32", "transpose"]


def test_resize_to_sizes() -> None:
    step = node("Resize", "x - - s", "y", mode="linear")
    constants = {"s": np.array([2, 3, 5, 20], np.int64)}
    check(model([step], {"x": (F, X)}, ["y"], constants))


def test_resize_of_opset_10() -> None:
    step = node("Resize", "x s", "y", mode="linear")
    constants = {"s": np.array([1, 1, 3, 2], F)}
    check(model([step], {"x": (F, X)}, ["y"], constants, opset=10))


@pytest.mark.parametrize("transposed", [0, 1])
@pytest.mark.parametrize("bias", [(), (5,), (1, 5)])
def test_gemm(transposed: int, bias: tuple[int, ...]) -> None:
    constants = {"w": weights(5, 7) if transposed else weights(7, 5)}
    if bias:
        constants["c"] = weights(*bias)
    step = node("Gemm", "x w c" if bias else "x w", "y", transB=transposed)
    graph = check(model([step], {"x": (F, (3, 7))}, ["y"], constants), rtol=1e-4, atol=1e-5)
    assert operators(graph) == ["reshape", "conv2d_f32", "reshape"]


def test_matmul() -> None:
    step = node("MatMul", "x w", "y")
    graph = check(
        model([step], {"x": (F, (2, 3, 7))}, ["y"], {"w": weights(7, 5)}), rtol=1e-4, atol=1e-5
    )
    assert operators(graph) == ["reshape", "conv2d_f32", "reshape"]


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("opset", [11, 13])
def test_softmax(axis: int, opset: int) -> None:
    proto = model([node("Softmax", "x", "y", axis=axis)], {"x": (F, (2, 3, 4))}, ["y"], opset=opset)
    check(proto)


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.uint8, np.int32])
def test_argmax(dtype: type[np.generic], keepdims: int) -> None:
    step = node("ArgMax", "x", "y", axis=1, keepdims=keepdims)
    check(model([step], {"x": (dtype, (2, 40, 3))}, ["y"]))


REFUSED: dict[str, tuple[Any, str]] = {
    "volume": (
        node("MaxPool", "v", "y", kernel_shape=[1, 1, 1]),
        r"rank 3 \[N, C, W\] or 4 \[N, C, H, W\]",
    ),
    "cubic": (
        node("Resize", "z - s", "y", mode="cubic"),
        "the operand is int32; supported: float32",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    step, message = REFUSED[case]
    constants = {"w": weights(6, 1, 1, 1), "k": weights(4, 3, 3, 3), "s": np.ones(4, F)}
    inputs: Any = {"x": (F, X), "v": (F, (1, 1, 1, 1, 1)), "m": (F, (2, 2)), "n": (F, (2, 2))}
    inputs["z"] = (np.int32, X)
    with pytest.raises(UnsupportedModelError, match=message):
        check(model([step], inputs, ["y"], constants))
