# SPDX-License-Identifier: Apache-2.0
"""Convolutions of codes whose results stay real numbers."""

from __future__ import annotations

import math

import numpy as np

from bitpose.ir.graph import Graph, Node
from bitpose.passes import spatial
from bitpose.passes.integer_sums import emit_sums, integer_sums
from bitpose.passes.rewriter import Rewriter, number


def real_convolutions(graph: Graph) -> Graph:
    """Before -> after (D: DequantizeLinear of int8):

        1. Conv(D(x), D(w)), Conv(D(x), D(w), bias)  ->  conv2d_qs8_f32, multiplier s_x s_w
        2. the same with a group per channel         ->  dwconv2d_qs8_f32
        3. the same as 1 of ConvTranspose            ->  deconv2d_qs8_f32

    The bias is rounded to steps of s_x s_w, fmin and fmax are those of the convolution. A layer
    that could leave int32 stays float, and so does a depthwise ConvTranspose. Runs behind
    integer_operators, which takes the convolutions whose result is quantized.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        if node.op not in spatial.CONVOLUTIONS or not _convert(r, node):
            r.keep(node)
    return r.finish()


def _convert(r: Rewriter, conv: Node) -> bool:
    sums = integer_sums(r, conv)
    if sums is None or sums.x.dtype != np.int8 or sums.x.is_constant:
        return False
    if spatial.conv_operator(conv, sums.weights.tensor) == "dwdeconv2d":
        return False
    multiplier = sums.steps.astype(np.float32)
    if not np.all(sums.bounds() < 2.0**31) or not np.all(
        np.isfinite(multiplier) & (multiplier > 0)
    ):
        return False
    emit_sums(
        r,
        "qs8_f32",
        conv,
        sums,
        sums.x,
        r.tensor(conv.outputs[0]),
        multiplier,
        fmin=number(conv, "fmin", -math.inf),
        fmax=number(conv, "fmax", math.inf),
    )
    return True
