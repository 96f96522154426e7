# SPDX-License-Identifier: Apache-2.0
"""Pools with every kind of window, of floats and of 8-bit tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .build import check, dequantize, model, node, operators, parameters, quantize

F = np.float32
X = (2, 3, 9, 8)

WINDOWS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "dilated": (X, {"kernel_shape": [2, 3], "dilations": [3, 2], "strides": [2, 1]}),
    "dilated pads": (X, {"kernel_shape": [3, 2], "dilations": [2, 3], "pads": [2, 1, 1, 1]}),
    "ceil": (X, {"kernel_shape": [3, 3], "strides": [3, 3], "ceil_mode": 1}),
    "ceil pads": (
        X,
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1},
    ),
    "same lower": (X, {"kernel_shape": [3, 2], "strides": [2, 3], "auto_pad": "SAME_LOWER"}),
    "1-D": ((2, 3, 20), {"kernel_shape": [4], "strides": [3], "pads": [1, 2]}),
    "1-D ceil": ((2, 3, 19), {"kernel_shape": [3], "strides": [2], "ceil_mode": 1}),
}


@pytest.mark.parametrize("case", WINDOWS)
@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.uint8])
def test_max_pool(case: str, dtype: type[np.generic]) -> None:
    x, attributes = WINDOWS[case]
    graph = check(model([node("MaxPool", "x", "y", **attributes)], {"x": (dtype, x)}, ["y"]))
    wanted = "maxpool2d_f32" if dtype == np.float32 else "maxpool2d_s8"
    assert wanted in operators(graph)


@pytest.mark.parametrize("case", WINDOWS)
@pytest.mark.parametrize("storage_order", [0, 1])
def test_max_pool_with_indices(case: str, storage_order: int) -> None:
    x, attributes = WINDOWS[case]
    step = node("MaxPool", "x", "y i", storage_order=storage_order, **attributes)
    graph = check(model([step], {"x": (F, x)}, ["y", "i"]))
    assert "maxpool2d_indices" in operators(graph)


@pytest.mark.parametrize("case", WINDOWS)
@pytest.mark.parametrize("counted", [0, 1])
def test_average_pool(case: str, counted: int) -> None:
    x, attributes = WINDOWS[case]
    step = node("AveragePool", "x", "y", count_include_pad=counted, **attributes)
    check(model([step], {"x": (F, x)}, ["y"], opset=19))


@pytest.mark.parametrize("case", ["ceil pads", "same lower", "1-D"])
def test_average_pool_between_codes(case: str) -> None:
    x, attributes = WINDOWS[case]
    steps = [
        dequantize("x", "a", "q"),
        node("AveragePool", "a", "b", count_include_pad=1, **attributes),
        quantize("b", "y", "q"),
    ]
    constants = parameters("q", 0.1, 7, np.uint8)
    graph = check(model(steps, {"x": (np.uint8, x)}, ["y"], constants), steps=1)
    assert "avgpool2d_qs8" in operators(graph)


@pytest.mark.parametrize("shape", [(2, 3, 7), (2, 3, 5, 6), (2, 3, 2, 4, 3)])
@pytest.mark.parametrize("op", ["GlobalAveragePool", "GlobalMaxPool"])
def test_global_pool(op: str, shape: tuple[int, ...]) -> None:
    check(model([node(op, "x", "y")], {"x": (F, shape)}, ["y"]))


@pytest.mark.parametrize("p", [1, 2, 3])
@pytest.mark.parametrize("case", ["ceil pads", "same lower", "1-D", "dilated"])
def test_lp_pool(case: str, p: int) -> None:
    x, attributes = WINDOWS[case]
    step = node("LpPool", "x", "y", p=p, **attributes)
    check(model([step], {"x": (F, x)}, ["y"], opset=18), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_global_lp_pool(p: int) -> None:
    step = node("GlobalLpPool", "x", "y", p=p)
    check(model([step], {"x": (F, X)}, ["y"]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("case", [((2, 3, 8, 6), [2, 2]), ((2, 3, 9), [3])])
def test_max_unpool(case: tuple[tuple[int, ...], list[int]]) -> None:
    x, kernel = case
    steps = [
        node("MaxPool", "x", "a i", kernel_shape=kernel, strides=kernel),
        node("MaxUnpool", "a i", "y", kernel_shape=kernel, strides=kernel),
    ]
    check(model(steps, {"x": (F, x)}, ["y"]))
