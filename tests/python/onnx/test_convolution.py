# SPDX-License-Identifier: Apache-2.0
"""Grouped, one-dimensional and transposed convolutions, of floats and of 8-bit tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import NodeProto

from bitpose.errors import UnsupportedModelError

from .build import check, dequantize, model, node, operators, parameters, quantize

F = np.float32


def normal(*shape: int) -> NDArray[Any]:
    return np.random.default_rng(1).normal(0, 1, shape).astype(F)


#: Shapes of x and of the weights, attributes.
Case = tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]

CONVOLUTIONS: dict[str, Case] = {
    "groups": ((2, 6, 9, 8), (8, 3, 3, 3), {"group": 2, "pads": [1, 1, 1, 1]}),
    "groups 1x1": ((2, 12, 5, 4), (6, 4, 1, 1), {"group": 3}),
    "groups of one channel": ((1, 3, 9, 8), (6, 1, 3, 3), {"group": 3, "strides": [2, 1]}),
    "one output": ((1, 6, 9, 8), (3, 2, 3, 3), {"group": 3}),
    "dilated depthwise": ((1, 3, 9, 8), (3, 1, 3, 2), {"group": 3, "dilations": [2, 3]}),
    "large pads": ((1, 3, 5, 4), (4, 3, 1, 2), {"pads": [2, 0, 1, 3]}),
    "1-D": ((2, 4, 20), (6, 4, 5), {"pads": [2, 3], "strides": [2], "dilations": [2]}),
    "1-D depthwise": ((2, 4, 20), (4, 1, 3), {"group": 4, "auto_pad": "SAME_UPPER"}),
}


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_conv(case: str) -> None:
    x, w, attributes = CONVOLUTIONS[case]
    constants = {"w": normal(*w), "b": normal(w[0])}
    step = node("Conv", "x w b", "y", **attributes)
    graph = check(model([step], {"x": (F, x)}, ["y"], constants), rtol=1e-4, atol=1e-4)
    wanted = "dwconv2d_f32" if "depthwise" in case else "conv2d_f32"
    assert wanted in operators(graph)


def test_a_chain_of_1d_convolutions_has_no_transposes() -> None:
    steps = [
        node("Transpose", "x", "a", perm=[0, 2, 1]),
        node("Conv", "a w", "b", pads=[1, 1]),
        node("Relu", "b", "c"),
        node("Mul", "c s", "d"),
        node("Conv", "d v", "e"),
        node("Transpose", "e", "y", perm=[0, 2, 1]),
    ]
    constants = {"w": normal(4, 3, 3), "v": normal(5, 4, 1), "s": normal(1, 4, 1)}
    graph = check(model(steps, {"x": (F, (2, 9, 3))}, ["y"], constants), rtol=1e-4, atol=1e-4)
    assert [op for op in operators(graph) if op != "reshape"] == [
        *("conv2d_f32", "binary_f32", "conv2d_f32")
    ]


DECONVOLUTIONS: dict[str, Case] = {
    "plain": ((2, 3, 5, 4), (3, 6, 3, 3), {}),
    "upsampling": ((1, 5, 6, 4), (5, 3, 4, 4), {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "uneven": (
        (1, 5, 6, 4),
        (5, 3, 3, 2),
        {"strides": [3, 2], "pads": [1, 0, 2, 1], "output_padding": [2, 1]},
    ),
    "gaps": ((1, 4, 5, 4), (4, 3, 2, 1), {"strides": [3, 2]}),
    "dilated": (
        (1, 4, 5, 4),
        (4, 3, 3, 3),
        {"strides": [2, 3], "dilations": [2, 2], "pads": [1, 2, 0, 1]},
    ),
    "groups": ((1, 6, 5, 4), (6, 2, 3, 3), {"group": 2, "strides": [2, 2]}),
    "depthwise": (
        (1, 6, 5, 4),
        (6, 1, 4, 4),
        {"group": 6, "strides": [2, 2], "pads": [1, 1, 1, 1]},
    ),
    "same upper": ((1, 3, 5, 4), (3, 2, 3, 4), {"strides": [2, 3], "auto_pad": "SAME_UPPER"}),
    "same lower": ((1, 3, 5, 4), (3, 2, 4, 3), {"strides": [2, 1], "auto_pad": "SAME_LOWER"}),
    "output shape": ((1, 3, 5, 4), (3, 2, 3, 3), {"strides": [3, 2], "output_shape": [14, 8]}),
    "1-D": ((2, 4, 9), (4, 3, 4), {"strides": [2], "pads": [1, 1], "output_padding": [1]}),
}


@pytest.mark.parametrize("case", DECONVOLUTIONS)
@pytest.mark.parametrize("bias", [False, True])
def test_conv_transpose(case: str, bias: bool) -> None:
    x, w, attributes = DECONVOLUTIONS[case]
    constants = {"w": normal(*w), "b": normal(w[1] * attributes.get("group", 1))}
    steps = [
        node("ConvTranspose", "x w b" if bias else "x w", "z", **attributes),
        node("Relu", "z", "y"),
    ]
    graph = check(model(steps, {"x": (F, x)}, ["y"], constants), rtol=1e-4, atol=1e-4)
    wanted = "dwdeconv2d_f32" if case == "depthwise" else "deconv2d_f32"
    assert [op for op in operators(graph) if op not in ("reshape", "transpose")] == [wanted]


def _qdq(
    step: NodeProto,
    x: tuple[int, ...],
    w: NDArray[Any],
    axis: int,
    outputs: int,
    per_channel: bool,
    last: NodeProto | None = None,
) -> Any:
    """Q(step(D(x), D(w), D(b))) with codes that fill the range of y, or `last` instead of Q."""
    random = np.random.default_rng(2)
    channels = w.shape[axis]
    scales = random.uniform(0.005, 0.02, channels) if per_channel else 0.01
    zero_points = np.zeros(channels) if per_channel else 0
    terms = w.size / outputs
    constants = {
        "w": w,
        "b": random.integers(-3000, 3000, outputs).astype(np.int32),
        **parameters("x", 0.1, 10, np.uint8),
        **parameters("w", scales, zero_points),
        **parameters("y", 0.1 * 0.01 * 3000 * np.sqrt(terms) / 50, 120, np.uint8),
        "b.s": np.full(outputs, 0.1 * 0.01, F),
        "b.z": np.zeros(outputs, np.int32),
    }
    if per_channel:
        repeated = np.tile(scales, outputs // channels)
        constants["b.s"] = (F(0.1) * repeated.astype(F)).astype(F)
    steps = [
        dequantize("x", "xf", "x"),
        dequantize("w", "wf", "w", **({"axis": axis} if per_channel else {})),
        dequantize("b", "bf", "b", axis=0),
        step,
        last or quantize("yf", "y", "y"),
    ]
    return model(steps, {"x": (np.uint8, x)}, ["y"], constants)


@pytest.mark.parametrize("case", CONVOLUTIONS)
@pytest.mark.parametrize("per_channel", [False, True])
def test_conv_between_codes(case: str, per_channel: bool) -> None:
    x, shape, attributes = CONVOLUTIONS[case]
    w = np.random.default_rng(3).integers(-127, 128, shape).astype(np.int8)
    step = node("Conv", "xf wf bf", "yf", **attributes)
    graph = check(_qdq(step, x, w, 0, shape[0], per_channel), steps=1)
    wanted = "dwconv2d_qs8" if "depthwise" in case else "conv2d_qs8"
    assert wanted in operators(graph)


@pytest.mark.parametrize("case", DECONVOLUTIONS)
@pytest.mark.parametrize("per_channel", [False, True])
def test_conv_transpose_between_codes(case: str, per_channel: bool) -> None:
    x, shape, attributes = DECONVOLUTIONS[case]
    group = attributes.get("group", 1)
    if per_channel and group > 1:
        pytest.skip("a scale of several groups' channels")
    w = np.random.default_rng(3).integers(-127, 128, shape).astype(np.int8)
    step = node("ConvTranspose", "xf wf bf", "yf", **attributes)
    graph = check(_qdq(step, x, w, 1, shape[1] * group, per_channel), steps=1)
    wanted = "dwdeconv2d_qs8" if case == "depthwise" else "deconv2d_qs8"
    assert wanted in operators(graph)


@pytest.mark.parametrize("case", CONVOLUTIONS)
@pytest.mark.parametrize("per_channel", [False, True])
def test_conv_from_codes_to_floats(case: str, per_channel: bool) -> None:
    x, shape, attributes = CONVOLUTIONS[case]
    w = np.random.default_rng(3).integers(-127, 128, shape).astype(np.int8)
    step = node("Conv", "xf wf bf", "yf", **attributes)
    graph = check(_qdq(step, x, w, 0, shape[0], per_channel, node("Relu", "yf", "y")), atol=1e-4)
    wanted = "dwconv2d_qs8_f32" if "depthwise" in case else "conv2d_qs8_f32"
    assert wanted in operators(graph)


@pytest.mark.parametrize("case", DECONVOLUTIONS)
@pytest.mark.parametrize("per_channel", [False, True])
def test_conv_transpose_from_codes_to_floats(case: str, per_channel: bool) -> None:
    x, shape, attributes = DECONVOLUTIONS[case]
    group = attributes.get("group", 1)
    if per_channel and group > 1:
        pytest.skip("a scale of several groups' channels")
    w = np.random.default_rng(3).integers(-127, 128, shape).astype(np.int8)
    step = node("ConvTranspose", "xf wf bf", "yf", **attributes)
    proto = _qdq(step, x, w, 1, shape[1] * group, per_channel, node("Sigmoid", "yf", "y"))
    wanted = "dwdeconv2d_f32" if case == "depthwise" else "deconv2d_qs8_f32"
    assert wanted in operators(check(proto, atol=1e-4))


def test_dense_layer_from_codes_to_floats() -> None:
    """A float bias is rounded to the steps of the sum."""
    constants = {
        "w": np.random.default_rng(3).integers(-127, 128, (7, 20)).astype(np.int8),
        "b": normal(7),
        **parameters("x", 0.1, 10, np.uint8),
        **parameters("w", 0.01, 0),
    }
    steps = [
        dequantize("x", "xf", "x"),
        dequantize("w", "wf", "w"),
        node("Gemm", "xf wf b", "y", transB=1),
    ]
    graph = check(model(steps, {"x": (np.uint8, (3, 20))}, ["y"], constants), atol=1e-3)
    assert "conv2d_qs8_f32" in operators(graph)


REFUSED: dict[str, tuple[NodeProto, str]] = {
    "3-D": (node("Conv", "v k", "y"), r"rank 3 \[N, C, W\] or 4 \[N, C, H, W\]"),
    "3-D transposed": (node("ConvTranspose", "v k", "y"), r"rank 3 \[N, C, W\] or 4"),
    "negative": (node("Conv", "x w", "y", pads=[-1, 0, 0, 0]), r"pads are \[-1, 0, 0, 0\]"),
    "run-time weights": (node("ConvTranspose", "x x", "y"), "computed at run time"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    step, message = REFUSED[case]
    constants = {"w": normal(4, 3, 3, 3), "k": normal(1, 1, 1, 1, 1)}
    inputs: Any = {"x": (F, (3, 3, 8, 8)), "v": (F, (1, 1, 1, 1, 1))}
    with pytest.raises(UnsupportedModelError, match=message):
        check(model([step], inputs, ["y"], constants))
