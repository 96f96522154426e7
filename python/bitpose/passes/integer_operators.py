# SPDX-License-Identifier: Apache-2.0
"""Turns what stands between DequantizeLinear and QuantizeLinear into integer operators."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from bitpose.ir.graph import Graph, Node, Quantization, Tensor
from bitpose.passes import spatial
from bitpose.passes.integer_conv import integer_conv
from bitpose.passes.qdq import any_codes, codes, float32_ratio, quantization_of
from bitpose.passes.rational import best_fraction
from bitpose.passes.rewriter import Rewriter, integer

#: Largest magnitude of a multiplier of add_qs8: int16.
_MULTIPLIER_LIMIT = 32767


def integer_operators(graph: Graph) -> Graph:
    """Before -> after (D: DequantizeLinear, Q: QuantizeLinear; s, z: scale and zero point):

        1. Q(Conv(D(x), D(w), bias))   ->   conv2d_qs8 and its like, see integer_conv.py
        2. Q(Add(D(a), D(b)))          ->   add_qs8, with s_a : s_b as a fraction of int16 terms
        3. Q(Sub(D(a), D(b)))          ->   add_qs8 with a negative multiplier
        4. Q(Mul(D(a), D(b)))          ->   mul_qs8, multiplier s_a s_b / s_y
        5. Q(AveragePool(D(x)))        ->   avgpool2d_qs8, multiplier s_x / s_y
        6. Q(Resize(D(x)))             ->   resize2d_qs8
        7. Q(MatMul(D(a), D(b)))       ->   matmul_qs8, multiplier s_a s_b / s_y
        8. Q(D(x)), x or y int16       ->   requantize

    Of these 1 and 8 know int16; the others are left to floats where one of the tensors is int16.

    qmin and qmax are those of Q. Pictures turn NHWC: a transpose is put before and behind.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        source = r.producer(node.inputs[0]) if node.op == "QuantizeLinear" else None
        if source is None or not _convert(r, node, source):
            r.keep(node)
    return r.finish()


def _convert(r: Rewriter, quantize: Node, node: Node) -> bool:
    """Replaces `quantize` by an integer operator, or leaves it and returns False."""
    if node.op in spatial.CONVOLUTIONS:
        return integer_conv(r, quantize, node)
    if node.op == "DequantizeLinear":
        return _requantize(r, quantize)
    if r.tensor(quantize.outputs[0]).dtype != np.int8:
        return False
    match node.op:
        case "Add" | "Sub":
            return _add(r, quantize, node)
        case "Mul":
            return _mul(r, quantize, node, "mul_qs8")
        case "MatMul" if len(node.inputs) == 2:
            transpose_b = integer(node, "transpose_b")
            return _mul(r, quantize, node, "matmul_qs8", transpose_b=transpose_b)
        case "AveragePool":
            return _average(r, quantize, node)
        case "Resize":
            return _resize(r, quantize, node)
        case _:
            return False


def _requantize(r: Rewriter, quantize: Node) -> bool:
    """Case 8. Between int8 and int8 it is a table."""
    x, y = any_codes(r, quantize.inputs[0]), r.tensor(quantize.outputs[0])
    if x is None or y.quantization is None or x.is_constant:
        return False
    r.emit("requantize", [x.name], y, **_range(quantize))
    return True


def _quantizations(*tensors: Tensor) -> list[Quantization]:
    return [quantization_of(t) for t in tensors]


def _range(quantize: Node) -> dict[str, int]:
    return {name: integer(quantize, name) for name in ("qmin", "qmax")}


def _operands(r: Rewriter, node: Node) -> tuple[Tensor, Tensor] | None:
    a, b = (codes(r, x) for x in node.inputs)
    if a is None or b is None or (a.is_constant and b.is_constant):
        return None
    return a, b


def _add(r: Rewriter, quantize: Node, node: Node) -> bool:
    """Cases 2 and 3: s_a (a - z_a) + s_b (b - z_b) = s_a / m_a (a m_a + b m_b + bias)."""
    operands = _operands(r, node)
    if operands is None:
        return False
    y = r.tensor(quantize.outputs[0])
    qa, qb, qy = _quantizations(*operands, y)
    ma, mb = add_multipliers(qa.scale, qb.scale)
    if node.op == "Sub":
        mb = -mb
    # Whichever multiplier is not 0 gives the scale of the sum; both do, to within the fraction.
    unit = qa.scale / ma if ma >= abs(mb) else qb.scale / abs(mb)
    r.emit(
        "add_qs8",
        [x.name for x in operands],
        y,
        a_multiplier=ma,
        b_multiplier=mb,
        bias=-(qa.zero_point * ma + qb.zero_point * mb),
        multiplier=float32_ratio(unit, qy.scale),
        **_range(quantize),
    )
    return True


def add_multipliers(a_scale: float, b_scale: float) -> tuple[int, int]:
    """(m_a, m_b), both within [0, 32767] and not both 0, with m_a : m_b closest to the scales.

    The larger scale gets the larger multiplier, and the error that matters is that of the smaller
    operand beside the larger, so the fraction approximates smaller / larger. It is off by less than
    2^-15 / m of the larger scale, where m is the larger multiplier: with codes of at most 255 that
    is below a hundredth of a step. |a m_a + b m_b| < 2 * 255 * 32767 < 2^24 is exact in float32.
    """
    a, b = Fraction(a_scale), Fraction(b_scale)
    small, large = best_fraction(min(a, b) / max(a, b), _MULTIPLIER_LIMIT)
    return (small, large) if a < b else (large, small)


def _mul(r: Rewriter, quantize: Node, node: Node, op: str, **attributes: int) -> bool:
    """Cases 4 and 7."""
    operands = _operands(r, node)
    if operands is None:
        return False
    y = r.tensor(quantize.outputs[0])
    qa, qb, qy = _quantizations(*operands, y)
    m = float32_ratio(qa.scale * qb.scale, qy.scale)
    inputs = [x.name for x in operands]
    r.emit(op, inputs, y, multiplier=m, **_range(quantize), **attributes)
    return True


def _average(r: Rewriter, quantize: Node, node: Node) -> bool:
    """Case 5."""
    x = codes(r, node.inputs[0])
    if x is None:
        return False
    y = r.tensor(quantize.outputs[0])
    qx, qy = _quantizations(x, y)
    spatial.emit_nhwc(
        r,
        "avgpool2d_qs8",
        x,
        y,
        **spatial.pool_window(node),
        count_include_pad=integer(node, "count_include_pad"),
        multiplier=float32_ratio(qx.scale, qy.scale),
        **_range(quantize),
    )
    return True


def _resize(r: Rewriter, quantize: Node, node: Node) -> bool:
    """Case 6."""
    x = codes(r, node.inputs[0])
    if x is None:
        return False
    y = r.tensor(quantize.outputs[0])
    window = spatial.resize_window(node, y)
    spatial.emit_nhwc(r, "resize2d_qs8", x, y, **window, **_range(quantize))
    return True
