# SPDX-License-Identifier: Apache-2.0
"""Convolutions between 8- and 16-bit tensors as integer arithmetic.

With the sums of integer_sums.py and real = s (q - z) for y

    y - z_y = s_x s_w / s_y * sum

so one multiplier per output channel brings a sum to the steps of y.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import Unsupported, UnsupportedModelError
from bitpose.ir.graph import Node, Quantization, Tensor
from bitpose.ir.names import derived
from bitpose.passes import spatial
from bitpose.passes.fold_clips import code_of
from bitpose.passes.integer_sums import IntegerSums, emit_sums, integer_sums
from bitpose.passes.qdq import quantization_of
from bitpose.passes.rewriter import Rewriter, integer, number

#: The largest |bias| of a 16-bit operator (kernels/igemm_qs16/igemm_qs16.h).
_MOST_BIAS = 2.0**30


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
    sums = integer_sums(r, conv)
    result = None if sums is None else _result(r, quantize, conv)
    if sums is None or result is None:
        return False
    y, y_scales = result
    x = sums.x
    wide = np.int16 in (x.dtype, y.dtype)
    if not wide:
        _prove_accumulators(conv, sums)
    elif not _suits_16_bits(conv, sums):
        return False
    ratios = (sums.steps / y_scales).astype(np.float32)
    _check_multipliers(conv, ratios)
    qmin, qmax = _bounds(quantize, conv, y)
    if wide:
        emit_sums(r, "qs16", conv, sums, _widened(r, x, y), y, ratios, qmin=qmin, qmax=qmax)
    else:
        emit_sums(r, "qs8", conv, sums, x, y, ratios, qmin=qmin, qmax=qmax)
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


def _prove_accumulators(conv: Node, sums: IntegerSums) -> None:
    """Refuses weights with which a sum could leave int32."""
    bounds = sums.bounds()
    if np.any(~(bounds < 2.0**31)):
        channel = int(np.argmax(bounds))
        problem = f"the sum of output channel {channel} could reach {bounds[channel]:.3g}"
        raise UnsupportedModelError(
            [Unsupported(conv.name, conv.op, 0, problem, "|bias| + |x| sum|w| below 2^31")]
        )


def _suits_16_bits(conv: Node, sums: IntegerSums) -> bool:
    """Whether the 16-bit operators can do it: they have no zero points and limit the bias, and a
    depthwise sum is int32 throughout. What they cannot do is done in floats.
    """
    operator = spatial.conv_operator(conv, sums.weights.tensor)
    zero_point = quantization_of(sums.x).zero_point if sums.x.dtype == np.int16 else 0
    magnitudes = np.abs(sums.weights.codes.astype(np.int64)).reshape(len(sums.bias), -1).sum(axis=1)
    most = 2.0**31 - 1 - 32768.0 * magnitudes if operator.startswith("dw") else _MOST_BIAS
    return (
        operator in ("conv2d", "dwconv2d")
        and zero_point == sums.weights.zero_point == 0
        and bool(np.all(np.abs(sums.bias) <= np.minimum(most, _MOST_BIAS)))
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
