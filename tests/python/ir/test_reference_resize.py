# SPDX-License-Identifier: Apache-2.0
"""resize2d_qs8: one number at a time, and onnxruntime between its quantizing neighbours."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.ir.graph import Quantization, Tensor
from bitpose.ir.operators import COORDINATE_MODES
from bitpose.ir.reference import OPERATORS
from bitpose.ir.reference.operand import Operand

Array = NDArray[Any]
F = np.float32
MODES = range(len(COORDINATE_MODES))


def resize(
    codes: Array, q: Quantization, qy: Quantization, scales: tuple[float, float], mode: int
) -> Array:
    """The operator, to the extents that ONNX derives from the scales."""
    n, height, width, channels = codes.shape
    h, w = int(np.floor(height * F(scales[0]))), int(np.floor(width * F(scales[1])))
    y = Tensor("y", codes.dtype, (n, h, w, channels), qy)
    x = Operand(Tensor("x", codes.dtype, codes.shape, q), codes)
    return OPERATORS["resize2d_qs8"](
        y, x, output_h=h, output_w=w, scale_h=scales[0], scale_w=scales[1], coordinate_mode=mode,
        qmin=-128, qmax=127,
    )  # fmt: skip


def neighbours(i: int, inputs: int, outputs: int, scale: float, mode: int) -> Any:
    """(low, weight of low), (high, weight of high) on one axis."""
    position = (F(i) + F(0.5)) / F(scale) - F(0.5)
    if mode == 1:
        position = F(i) / F(scale)
    if mode == 2:
        position = F(i) * F(inputs - 1) / F(outputs - 1)
    position = min(max(position, F(0)), F(inputs - 1))
    low = int(position)
    high = min(low + 1, inputs - 1)
    if low == high:
        return (low, F(0.5)), (high, F(0.5))
    return (low, F(high) - position), (high, position - F(low))


@pytest.mark.parametrize("mode", MODES)
def test_against_loops(mode: int) -> None:
    x = np.random.default_rng(2).integers(-128, 128, (1, 3, 4, 2)).astype(np.int8)
    q, qy = Quantization(0.1, 5), Quantization(0.07, -3)
    got = resize(x, q, qy, (2.6, 1.6), mode)
    assert got.shape == (1, 7, 6, 2)
    for _, oy, ox, c in np.ndindex(*got.shape):
        y = F(0)
        for row, wy in neighbours(oy, 3, 7, 2.6, mode):
            for column, wx in neighbours(ox, 4, 6, 1.6, mode):
                y += wx * wy * (F(int(x[0, row, column, c]) - 5) * F(0.1))
        code = round(float(min(max(y / F(0.07), F(-125)), F(130)))) - 3
        assert got[0, oy, ox, c] == code


def peer(
    x: Array, q: Quantization, qy: Quantization, scales: tuple[float, float], mode: int
) -> Array:
    """The same by onnxruntime, with nothing fused."""
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    helper, types = onnx.helper, onnx.TensorProto
    name = COORDINATE_MODES[mode]
    nodes = [
        helper.make_node("DequantizeLinear", ["x", "s", "z"], ["real"]),
        helper.make_node(
            "Resize", ["real", "", "scales"], ["sums"],
            mode="linear", coordinate_transformation_mode=name,
        ),
        helper.make_node("QuantizeLinear", ["sums", "sy", "zy"], ["y"]),
    ]  # fmt: skip
    constants = [
        helper.make_tensor("s", types.FLOAT, [], [q.scale]),
        helper.make_tensor("z", types.INT8, [], [q.zero_point]),
        helper.make_tensor("sy", types.FLOAT, [], [qy.scale]),
        helper.make_tensor("zy", types.INT8, [], [qy.zero_point]),
        helper.make_tensor("scales", types.FLOAT, [4], [1, 1, *scales]),
    ]
    pictures = x.transpose(0, 3, 1, 2)
    inputs = [helper.make_tensor_value_info("x", types.INT8, pictures.shape)]
    outputs = [helper.make_tensor_value_info("y", types.INT8, None)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    (y,) = session.run(None, {"x": pictures})
    return np.asarray(y.transpose(0, 2, 3, 1))


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"),
    reason="onnxruntime for other processors may fuse products and sums",
)
@pytest.mark.parametrize("ratio", [1.0, 0.7])
@pytest.mark.parametrize("scales", [(2.0, 2.0), (0.5, 3.3), (2.6, 1.0)])
@pytest.mark.parametrize("mode", MODES)
def test_against_onnxruntime(mode: int, scales: tuple[float, float], ratio: float) -> None:
    """Every code, the many ties of averages included."""
    random = np.random.default_rng([mode, int(10 * scales[0]), int(10 * ratio)])
    x = np.clip(np.rint(random.normal(-20, 25, (1, 9, 8, 24))), -128, 127).astype(np.int8)
    q, qy = Quantization(0.0731, -20), Quantization(0.0731 * ratio, 9 if ratio < 1 else -20)
    np.testing.assert_array_equal(resize(x, q, qy, scales, mode), peer(x, q, qy, scales, mode))
