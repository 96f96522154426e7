# SPDX-License-Identifier: Apache-2.0
"""Convolutions of codes as sums of integers.

With real = s (q - z) for x and the weights, and bias' = bias / (s_x s_w),

    y = s_x s_w * (bias' + sum (x - z_x) (w - z_w))

so the sum is an integer once bias' is rounded. Weights keep every bit; they are only laid out anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Attribute, Node, Quantization, Tensor
from bitpose.ir.names import derived
from bitpose.passes import spatial
from bitpose.passes.qdq import any_codes, quantization_of
from bitpose.passes.rewriter import Rewriter, integer


@dataclass(frozen=True, eq=False)
class Weights:
    """Constant int8 weights [O, I, kh, kw] with a scale per output channel and one zero point."""

    tensor: Tensor
    scales: NDArray[np.float32]
    zero_point: int

    @property
    def codes(self) -> NDArray[Any]:
        assert self.tensor.data is not None
        return self.tensor.data


@dataclass(frozen=True, eq=False)
class IntegerSums:
    """What a convolution adds up: codes x, weights, and the bias of each output channel.

    steps: s_x s_w, float64 [O], what a sum counts.
    bias: integers in float64 [O], nearest to the bias in these steps; they may lie beyond int32.
    """

    x: Tensor
    weights: Weights
    steps: NDArray[np.float64]
    bias: NDArray[np.float64]

    def bounds(self) -> NDArray[np.float64]:
        """|bias| + |x - z| sum|w - z|, which no sum of an output channel exceeds."""
        zero_point = quantization_of(self.x).zero_point
        reach = max(127 - zero_point, zero_point + 128)
        magnitudes = np.abs(self.weights.codes.astype(np.int64) - self.weights.zero_point)
        sums: NDArray[np.int64] = magnitudes.reshape(len(self.bias), -1).sum(axis=1)
        bounds: NDArray[np.float64] = np.abs(self.bias) + reach * sums.astype(np.float64)
        return bounds


def integer_sums(r: Rewriter, conv: Node) -> IntegerSums | None:
    """The sums of Conv(D(x), D(w)), Conv(D(x), D(w), D(bias)), Conv(D(x), D(w), float bias) and the
    like of ConvTranspose, or None where an operand is no such thing.

    A bias whose scale is not s_x s_w is rescaled in float64 and rounded to nearest even.
    """
    x, weights = any_codes(r, conv.inputs[0]), _weights(r, conv)
    bias = None if weights is None else _real_bias(r, conv, len(weights.scales))
    if x is None or weights is None or bias is None:
        return None
    steps = np.float64(quantization_of(x).scale) * weights.scales.astype(np.float64)
    return IntegerSums(x, weights, steps, np.rint(bias / steps))


def emit_sums(
    r: Rewriter,
    suffix: str,
    conv: Node,
    sums: IntegerSums,
    x: Tensor,
    y: Tensor,
    multiplier: NDArray[np.float32],
    **limits: Attribute,
) -> None:
    """Writes y by the operator of the engine whose name ends in `suffix`; x are the codes of `sums`
    or the same in a wider dtype.
    """
    weights = sums.weights
    # The scale that they state is the largest of their channels; the engine does not use it.
    note = Quantization(float(weights.scales.max()), weights.zero_point)
    spatial.emit_nhwc(
        r,
        f"{spatial.conv_operator(conv, weights.tensor)}_{suffix}",
        x,
        y,
        spatial.conv_weights(r, conv, weights.tensor, note),
        r.constant(derived(y.name, "bias"), sums.bias.astype(np.int32)),
        r.constant(derived(y.name, "multiplier"), multiplier),
        **spatial.conv_window(conv),
        **limits,
    )


def _weights(r: Rewriter, conv: Node) -> Weights | None:
    """The constant codes below the second operand, if they have one zero point."""
    source = r.producer(conv.inputs[1])
    if source is None or source.op != "DequantizeLinear":
        return None
    tensor = r.tensor(source.inputs[0])
    if tensor.data is None or tensor.dtype != np.int8:
        return None
    outputs = tensor.shape[0]
    if len(source.inputs) == 1:
        q = quantization_of(tensor)
        scales = np.full(outputs, q.scale, np.float32)
        return Weights(tensor, scales, q.zero_point)
    per_channel, zero_points = (r.tensor(name).data for name in source.inputs[1:])
    if per_channel is None or zero_points is None or integer(source, "axis") != 0:
        return None
    if np.any(zero_points != zero_points[0]):
        return None
    return Weights(tensor, per_channel, int(zero_points[0]))


def _real_bias(r: Rewriter, conv: Node, outputs: int) -> NDArray[np.float64] | None:
    """The bias as real numbers, exact up to one rounding of float64."""
    if len(conv.inputs) < 3:
        return np.zeros(outputs)
    source = r.producer(conv.inputs[2])
    if source is None:
        data = r.tensor(conv.inputs[2]).data
        return None if data is None else data.astype(np.float64)
    if source.op != "DequantizeLinear":
        return None
    tensor = r.tensor(source.inputs[0])
    if tensor.data is None:
        return None
    if len(source.inputs) == 3:
        scale, zero_point = (r.tensor(name).data for name in source.inputs[1:])
        if scale is None or zero_point is None:
            return None
    else:
        q = quantization_of(tensor)
        scale, zero_point = np.array(q.scale, np.float32), np.array(q.zero_point)
    centred = tensor.data.astype(np.float64) - zero_point.astype(np.float64)
    return centred * scale.astype(np.float64)
