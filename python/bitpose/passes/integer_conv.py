# SPDX-License-Identifier: Apache-2.0
"""Convolutions between 8- and 16-bit tensors as integer arithmetic.

With real = s (q - z) for x, the weights and y, and bias' = bias / (s_x s_w):

    y - z_y = s_x s_w / s_y * (bias' + sum (x - z_x) (w - z_w))

so the accumulator is an integer once bias' is rounded, and one multiplier per output channel brings
it to the steps of y. Weights keep every bit; they are only laid out anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import Unsupported, UnsupportedModelError
from bitpose.ir.graph import Node, Quantization, Tensor
from bitpose.ir.names import derived
from bitpose.passes import spatial
from bitpose.passes.fold_clips import code_of
from bitpose.passes.qdq import any_codes, quantization_of
from bitpose.passes.rewriter import Rewriter, integer, number

Array = NDArray[Any]

#: The largest |bias| of a 16-bit operator (kernels/igemm_qs16/igemm_qs16.h).
_MOST_BIAS = 2.0**30


@dataclass(frozen=True, eq=False)
class Weights:
    """Constant int8 weights [O, I, kh, kw] with a scale per output channel and one zero point."""

    tensor: Tensor
    scales: NDArray[np.float32]
    zero_point: int

    @property
    def codes(self) -> Array:
        assert self.tensor.data is not None
        return self.tensor.data


def integer_conv(r: Rewriter, quantize: Node, conv: Node) -> bool:
    """Before -> after, in the place of `quantize`:

        1. Q(Conv(D(x), D(w)))               ->   conv2d_qs8(x, w, 0, s_x s_w / s_y)
        2. Q(Conv(D(x), D(w), D(bias)))      ->   conv2d_qs8 with the bias in units of s_x s_w
        3. Q(Conv(D(x), D(w), float bias))   ->   the same
        4. 1 .. 3 with a group per channel   ->   dwconv2d_qs8
        5. 1 .. 4 with ConvTranspose         ->   deconv2d_qs8, dwdeconv2d_qs8
        6. 1 .. 5, Q with a scale per output
           channel and one zero point        ->   the same with s_y of each channel; the codes say
                                                  that they have the scale 1
        7. 1 .. 4 and 6 where x or y is int16 ->  conv2d_qs16, dwconv2d_qs16; an int8 x is widened
                                                  by requantize to int16 with zero point 0

    A bias whose scale is not s_x s_w is rescaled in float64 and rounded to nearest even. fmin and
    fmax of the convolution become part of qmin and qmax. Returns False, and changes nothing, where
    an operand is no such thing. Raises UnsupportedModelError where a sum of case 1 .. 6 could leave
    int32.
    """
    x, weights = any_codes(r, conv.inputs[0]), _weights(r, conv)
    bias = None if weights is None else _real_bias(r, conv, len(weights.scales))
    if x is None or weights is None or bias is None:
        return False
    result = _result(r, quantize, conv)
    if result is None:
        return False
    y, y_scales = result
    qx = quantization_of(x)
    steps = np.float64(qx.scale) * weights.scales.astype(np.float64)
    counts = np.rint(bias / steps)
    wide = np.int16 in (x.dtype, y.dtype)
    if not wide:
        _prove_accumulators(conv, weights, qx, counts)
    elif not _suits_16_bits(conv, x, weights, counts):
        return False
    ratios = (steps / y_scales).astype(np.float32)
    _check_multipliers(conv, ratios)
    qmin, qmax = _bounds(quantize, conv, y)
    spatial.emit_nhwc(
        r,
        f"{spatial.conv_operator(conv, weights.tensor)}_{'qs16' if wide else 'qs8'}",
        _widened(r, x, y) if wide else x,
        y,
        # The scale that they state is the largest of their channels; the engine does not use it.
        spatial.conv_weights(
            r, conv, weights.tensor, Quantization(float(weights.scales.max()), weights.zero_point)
        ),
        r.constant(derived(y.name, "bias"), counts.astype(np.int32)),
        r.constant(derived(y.name, "multiplier"), ratios),
        **spatial.conv_window(conv),
        qmin=qmin,
        qmax=qmax,
    )
    return True


def _result(r: Rewriter, quantize: Node, conv: Node) -> tuple[Tensor, NDArray[np.float64]] | None:
    """The codes that are written, and the scale of each channel."""
    y = r.tensor(quantize.outputs[0])
    if len(quantize.inputs) == 1:
        return y, np.array(quantization_of(y).scale, np.float64)
    scales, zero_points = (r.tensor(name).data for name in quantize.inputs[1:])
    if scales is None or zero_points is None or integer(quantize, "axis") != 1:
        return None
    # One qmax stands for all channels, so the clamp must lie at or beyond the last code of each.
    top = np.rint(number(conv, "fmax", math.inf) / scales.astype(np.float64))
    bounded = np.any(top + zero_points[0] < np.iinfo(y.dtype).max)
    if np.any(zero_points != zero_points[0]) or bounded or _low(conv) not in (-math.inf, 0.0):
        return None
    note = Quantization(1.0, int(zero_points[0]))
    return replace(y, quantization=note), scales.astype(np.float64)


def _low(conv: Node) -> float:
    return number(conv, "fmin", -math.inf)


def _bounds(quantize: Node, conv: Node, y: Tensor) -> tuple[int, int]:
    """Codes between which the result stays."""
    if len(quantize.inputs) == 3:
        limits = np.iinfo(y.dtype)
        low = int(limits.min) if _low(conv) < 0 else quantization_of(y).zero_point
        return low, int(limits.max)
    bounds = (integer(quantize, "qmin"), integer(quantize, "qmax"))
    high = number(conv, "fmax", math.inf)
    return code_of(_low(conv), y, *bounds), code_of(high, y, *bounds)


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


def _prove_accumulators(
    conv: Node, weights: Weights, x: Quantization, bias: NDArray[np.float64]
) -> None:
    """Refuses weights with which a sum could leave int32: |bias| + |x - z| sum|w - z| < 2^31."""
    reach = max(127 - x.zero_point, x.zero_point + 128)
    magnitudes = np.abs(weights.codes.astype(np.int64) - weights.zero_point)
    sums = magnitudes.reshape(len(bias), -1).sum(axis=1)
    worst = np.abs(bias) + reach * sums.astype(np.float64)
    if np.any(~(worst < 2.0**31)):
        channel = int(np.argmax(worst))
        problem = f"the sum of output channel {channel} could reach {worst[channel]:.3g}"
        raise UnsupportedModelError(
            [Unsupported(conv.name, conv.op, 0, problem, "|bias| + |x| sum|w| below 2^31")]
        )


def _suits_16_bits(conv: Node, x: Tensor, weights: Weights, bias: NDArray[np.float64]) -> bool:
    """Whether the 16-bit operators can do it: they have no zero points and limit the bias, and a
    depthwise sum is int32 throughout. What they cannot do is done in floats.
    """
    operator = spatial.conv_operator(conv, weights.tensor)
    zero_point = quantization_of(x).zero_point if x.dtype == np.int16 else 0
    magnitudes = np.abs(weights.codes.astype(np.int64)).reshape(len(bias), -1).sum(axis=1)
    most = 2.0**31 - 1 - 32768.0 * magnitudes if operator.startswith("dw") else _MOST_BIAS
    return (
        operator in ("conv2d", "dwconv2d")
        and zero_point == weights.zero_point == 0
        and bool(np.all(np.abs(bias) <= np.minimum(most, _MOST_BIAS)))
    )


def _widened(r: Rewriter, x: Tensor, y: Tensor) -> Tensor:
    """x as int16 with the zero point 0: q - z, exactly."""
    if x.dtype == np.int16:
        return x
    note = Quantization(quantization_of(x).scale, 0)
    name = derived(y.name, "wide")
    wide = replace(x, name=name, dtype=np.dtype(np.int16), quantization=note, data=None)
    r.emit("requantize", [x.name], wide, qmin=-32768, qmax=32767)
    return wide


def _check_multipliers(conv: Node, ratios: NDArray[np.float32]) -> None:
    if not np.all(np.isfinite(ratios) & (ratios > 0)):
        problem = "s_x s_w / s_y of a channel is not a positive float32"
        raise UnsupportedModelError([Unsupported(conv.name, conv.op, 0, problem, "larger scales")])
