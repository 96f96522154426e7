# SPDX-License-Identifier: Apache-2.0
"""The float and data-moving operators of the reference executor against loops and onnxruntime."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.ir.graph import Tensor
from bitpose.ir.reference import OPERATORS
from bitpose.ir.reference.math import exp_f32
from bitpose.ir.reference.operand import Operand
from bitpose.ir.reference.reducing import in_lanes

Array = NDArray[Any]
RANDOM = np.random.default_rng(12)
GEOMETRY = {"stride_h": 2, "stride_w": 1, "dilation_h": 1, "dilation_w": 2,
            "pad_top": 1, "pad_left": 0, "pad_bottom": 0, "pad_right": 2}  # fmt: skip


def floats(*shape: int) -> Array:
    return RANDOM.standard_normal(shape).astype(np.float32)


def operand(data: Array) -> Operand:
    return Operand(Tensor("x", data.dtype, data.shape), data)


def output(*shape: int, dtype: Any = np.float32) -> Tensor:
    return Tensor("y", np.dtype(dtype), shape)


def apply(op: str, y: Tensor, *inputs: Array, **attributes: Any) -> Array:
    result = OPERATORS[op](y, *map(operand, inputs), **attributes)
    assert result.dtype == y.dtype
    assert result.shape == y.shape
    return result


def fma1(a: np.float32, b: np.float32, c: np.float32) -> np.float32:
    """Exact for numbers of ordinary size that are no near-ties: enough for random data."""
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    near = np.float32(float(exact))
    candidates = [np.nextafter(near, np.float32(d)) for d in (-np.inf, np.inf)] + [near]
    return min(candidates, key=lambda v: abs(Fraction(float(v)) - exact))


@pytest.mark.parametrize("depthwise", [False, True])
def test_convolution_adds_in_order_from_the_bias(depthwise: bool) -> None:
    x, bias = floats(1, 5, 4, 3), floats(3)
    w = floats(2, 3, 3) if depthwise else floats(3, 2, 3, 3)
    name = "dwconv2d_f32" if depthwise else "conv2d_f32"
    got = apply(name, output(1, 3, 2, 3), x, w, bias, fmin=-1.0, fmax=1.5, **GEOMETRY)
    for _, oy, ox, o in np.ndindex(1, 3, 2, 3):
        acc = np.float32(bias[o])
        for ky, kx in np.ndindex(2, 3):
            iy, ix = oy * 2 + ky - 1, ox + kx * 2
            inside = 0 <= iy < 5 and 0 <= ix < 4
            for k in [o] if depthwise else range(3):
                weight = w[ky, kx, k] if depthwise else w[o, ky, kx, k]
                acc = fma1(x[0, iy, ix, k] if inside else np.float32(0), weight, acc)
        assert got[0, oy, ox, o] == min(max(acc, np.float32(-1)), np.float32(1.5))


def test_convolution_keeps_nan_and_splits_blocks() -> None:
    x, w, bias = floats(1, 90, 10, 2), floats(16, 1, 1, 2), floats(16)
    x[0, 3, 4, 1] = np.nan
    plain = {**GEOMETRY, "stride_h": 1, "pad_top": 0, "pad_right": 0}
    got = apply(
        "conv2d_f32", output(1, 90, 10, 16), x, w, bias, fmin=0.0, fmax=float("inf"), **plain
    )
    assert np.isnan(got[0, 3, 4]).all()
    assert np.isnan(got).sum() == 16
    expected = np.maximum(np.einsum("nhwc,oc->nhwo", x, w[:, 0, 0]) + bias, 0)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def test_pools() -> None:
    x = floats(1, 4, 5, 2)
    geometry = {"kernel_h": 2, "kernel_w": 3, "stride_h": 1, "stride_w": 2,
                "dilation_h": 1, "dilation_w": 1,
                "pad_top": 0, "pad_left": 1, "pad_bottom": 0, "pad_right": 1}  # fmt: skip
    x[0, 0, 0, 0], x[0, 0, 1, 0] = np.nan, -np.inf
    largest = apply("maxpool2d_f32", output(1, 3, 3, 2), x, **geometry)
    mean = apply("avgpool2d_f32", output(1, 3, 3, 2), x, count_include_pad=0, **geometry)
    padded = apply("avgpool2d_f32", output(1, 3, 3, 2), x, count_include_pad=1, **geometry)
    for _, oy, ox, c in np.ndindex(1, 3, 3, 2):
        columns = [ix for ix in range(ox * 2 - 1, ox * 2 + 2) if 0 <= ix < 5]
        taps = [x[0, oy + ky, ix, c] for ky in range(2) for ix in columns]
        best, total = taps[0], np.float32(0)
        for tap in taps:
            best = max(best, tap)
            total += tap
        np.testing.assert_equal(largest[0, oy, ox, c], best)
        np.testing.assert_equal(mean[0, oy, ox, c], total / np.float32(len(taps)))
        np.testing.assert_equal(padded[0, oy, ox, c], total / np.float32(6))


@pytest.mark.parametrize(
    ("mode", "name"), list(enumerate(["half_pixel", "asymmetric", "align_corners"]))
)
def test_resize_against_onnxruntime(mode: int, name: str) -> None:
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    x = floats(1, 5, 4, 3)
    scales = (2.6, 3.25)
    h, w = int(5 * scales[0]), int(4 * scales[1])
    helper, f32 = onnx.helper, onnx.TensorProto.FLOAT
    node = helper.make_node(
        "Resize", ["x", "", "scales"], ["y"], mode="linear", coordinate_transformation_mode=name
    )
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", f32, [1, 3, 5, 4])],
        [helper.make_tensor_value_info("y", f32, [1, 3, h, w])],
        [helper.make_tensor("scales", f32, [4], [1, 1, *scales])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    peer = onnxruntime.InferenceSession(model.SerializeToString())
    (expected,) = peer.run(None, {"x": x.transpose(0, 3, 1, 2)})
    got = apply(
        "resize2d_f32", output(1, h, w, 3), x,
        output_h=h, output_w=w, scale_h=scales[0], scale_w=scales[1], coordinate_mode=mode,
    )  # fmt: skip
    np.testing.assert_allclose(got, expected.transpose(0, 2, 3, 1), rtol=1e-4, atol=1e-5)


def test_resize_to_one_pixel_with_aligned_corners() -> None:
    x = floats(1, 3, 3, 1)
    size = {"output_h": 1, "output_w": 1, "scale_h": 1 / 3, "scale_w": 1 / 3}
    got = apply("resize2d_f32", output(1, 1, 1, 1), x, coordinate_mode=2, **size)
    assert got.item() == x[0, 0, 0, 0]


def test_exp_is_accurate_everywhere() -> None:
    x = np.linspace(-104, 89, 200_001).astype(np.float32)
    with np.errstate(over="ignore", under="ignore"):
        exact = np.exp(x.astype(np.float64))
        expected = exact.astype(np.float32)
    unit = np.spacing(np.minimum(expected, np.float32(2.0**127)))
    got = exp_f32(x)
    finite = np.isfinite(got)
    assert np.abs((got.astype(np.float64) - exact)[finite] / unit[finite]).max() < 1.0
    assert (x[~finite] > 88.72).all()
    special = np.array([0, -np.inf, np.inf, np.nan, -1000, 1000], np.float32)
    np.testing.assert_array_equal(
        exp_f32(special), np.array([1, 0, np.inf, np.nan, 0, np.inf], np.float32)
    )


@pytest.mark.parametrize("n", [1, 5, 16, 17, 100])
def test_softmax(n: int) -> None:
    x = floats(3, n) * 5
    y = apply("softmax_f32", output(3, n), x)
    e = np.exp(x.astype(np.float64) - x.max(-1, keepdims=True))
    np.testing.assert_allclose(y, e / e.sum(-1, keepdims=True), rtol=2e-6)


def test_in_lanes_order() -> None:
    x = floats(37)
    lanes = [np.float32(0)] * 16
    for i, v in enumerate(x):
        lanes[i % 16] += v
    for width in (8, 4, 2, 1):
        lanes = [lanes[i] + lanes[i + width] for i in range(width)]
    assert in_lanes(x) == lanes[0]


def test_binary_f32() -> None:
    a, b = floats(2, 1, 3), floats(4, 1)
    y = output(2, 4, 3)
    for function, f in enumerate([np.add, np.subtract, np.multiply, np.divide]):
        np.testing.assert_array_equal(apply("binary_f32", y, a, b, function=function), f(a, b))
    nan, one = np.array([np.nan], np.float32), np.ones(1, np.float32)
    zeros, minus = np.zeros(1, np.float32), -np.zeros(1, np.float32)
    for function in (4, 5):  # The first operand wins unless the second beats it.
        assert np.isnan(apply("binary_f32", output(1), nan, one, function=function))
        assert apply("binary_f32", output(1), one, nan, function=function) == 1
        assert np.signbit(apply("binary_f32", output(1), minus, zeros, function=function))


def test_binary_integer() -> None:
    low, high = -(2**31), 2**31 - 1
    a = np.array([7, -7, 7, -7, 5, low, high], np.int32)
    b = np.array([2, 2, -2, -2, 0, -1, 2], np.int32)
    expected = {
        0: [9, -5, 5, -9, 5, high, low + 1],
        1: [5, -9, 9, -5, 5, low + 1, high - 2],
        2: [14, -14, -14, 14, 0, low, -2],
        3: [3, -3, -3, 3, 0, low, high // 2],
        4: [2, -7, -2, -7, 0, low, 2],
        5: [7, 2, 7, -2, 5, -1, high],
    }
    for function, values in expected.items():
        got = apply("binary_integer", output(7, dtype=np.int32), a, b, function=function)
        np.testing.assert_array_equal(got, values)


def test_moves() -> None:
    x = RANDOM.integers(-128, 128, (2, 3, 4)).astype(np.int8)
    s8 = np.int8
    np.testing.assert_array_equal(
        apply("concat", output(2, 6, 4, dtype=s8), x, x, axis=1), np.concatenate([x, x], 1)
    )
    np.testing.assert_array_equal(
        apply("slice", output(2, 3, 2, dtype=s8), x, axis=2, start=1, length=2, step=1),
        x[:, :, 1:3],
    )
    np.testing.assert_array_equal(
        apply("transpose", output(4, 2, 3, dtype=s8), x, perm0=2, perm1=0, perm2=1,
              perm3=0, perm4=0, perm5=0),
        x.transpose(2, 0, 1),
    )  # fmt: skip
    np.testing.assert_array_equal(apply("reshape", output(24, dtype=s8), x), x.reshape(24))


def test_gather_nd_clamps_what_lies_outside() -> None:
    x = floats(3, 4, 2)
    indices = np.array([[[0, 1], [-1, -4]], [[2, 9], [-7, 3]]], np.int64)
    got = apply("gather_nd", output(2, 2, 2), x, indices, batch_dims=0)
    expected = [[x[0, 1], x[2, 0]], [x[2, 3], x[0, 3]]]
    np.testing.assert_array_equal(got, np.array(expected))
    np.testing.assert_array_equal(
        apply("gather_nd", output(2, 2, 2), x, indices.astype(np.int32), batch_dims=0), got
    )


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_argmax_takes_the_first_of_equals(dtype: Any) -> None:
    x = np.array([[3, 9, 9], [-1, -1, -2]], np.int8)
    got = apply(
        "argmax", output(2, dtype=dtype), x, axis=1, keepdims=0, select_last_index=0, smallest=0
    )
    np.testing.assert_array_equal(got, [1, 0])
    got = apply(
        "argmax", output(1, 3, dtype=dtype), x, axis=0, keepdims=1, select_last_index=0, smallest=0
    )
    np.testing.assert_array_equal(got, [[0, 0, 0]])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64])
def test_cast_from_float_truncates_and_saturates(dtype: Any) -> None:
    x = np.array([1.9, -1.9, np.nan, np.inf, -np.inf, 1e30, -1e30, 2.0**31, -0.5], np.float32)
    limits = np.iinfo(dtype)
    got = apply("cast", output(9, dtype=dtype), x)
    expected = [
        min(max(int(v), limits.min), limits.max) if np.isfinite(v) else 0 for v in x.tolist()
    ]
    expected[3], expected[4] = limits.max, limits.min
    np.testing.assert_array_equal(got, np.array(expected, dtype))


def test_other_casts() -> None:
    x = np.array([2**24 + 1, 300, -129], np.int64)
    got = apply("cast", output(3), x)
    np.testing.assert_array_equal(got, np.array([2**24, 300, -129], np.float32))
    np.testing.assert_array_equal(apply("cast", output(3, dtype=np.int8), x), [1, 44, 127])
