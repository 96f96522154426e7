# SPDX-License-Identifier: Apache-2.0
"""Dense layers, which are convolutions over a picture of one pixel."""

from __future__ import annotations

import math

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder
from bitpose.onnx.registry import onnx_operator


def _dense(b: Builder, x: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    """[M, K] times weights [N, K], as a 1x1 Conv of [M, K, 1, 1]."""
    rows, inputs = x.shape
    outputs = weights.shape[0]
    if weights.shape != (outputs, inputs):
        b.invalid(f"weights {list(weights.shape)} for {list(x.shape)}")
    b.require_dtype(x, "the operand", "float32")
    pixels = b.reshape(x, (rows, inputs, 1, 1))
    kernel = b.reshape(weights, (outputs, inputs, 1, 1))
    y = b.emit(
        "Conv",
        [pixels, kernel] if bias is None else [pixels, kernel, bias],
        (rows, outputs, 1, 1),
        strides=(1, 1),
        dilations=(1, 1),
        pads=(0, 0, 0, 0),
        group=1,
    )
    return b.reshape(y, (rows, outputs))


def _transposed(b: Builder, x: Tensor) -> Tensor:
    return b.emit("Transpose", [x], (x.shape[1], x.shape[0]), x.dtype, perm=(1, 0))


@onnx_operator(7)
def Gemm(
    b: Builder,
    x: Tensor,
    w: Tensor,
    c: Tensor | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
) -> Tensor:
    """Dense layer: constant B, alpha and beta 1, transA 0, C with one element per column."""
    b.require_rank(x, "A", 2, "[M, K]")
    b.require_rank(w, "B", 2, "[K, N]")
    if alpha != 1 or transA or (c is not None and beta != 1):
        b.refuse(f"alpha {alpha}, beta {beta}, transA {transA}", "alpha 1, beta 1, transA 0")
    outputs = w.shape[0] if transB else w.shape[1]
    if c is not None and c.elements != outputs:
        b.refuse(f"C has shape {list(c.shape)}", f"{outputs} elements, one per column")
    bias = None if c is None else b.reshape(c, (outputs,))
    return _dense(b, x, w if transB else _transposed(b, w), bias)


@onnx_operator(7)
def MatMul(b: Builder, x: Tensor, w: Tensor) -> Tensor:
    """Dense layer: constant right operand of rank 2."""
    b.require_rank(w, "the right operand", 2, "[K, N]")
    if len(x.shape) < 2:
        b.refuse(f"the left operand has shape {list(x.shape)}", "rank 2 or more")
    rows = b.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))
    y = _dense(b, rows, _transposed(b, w), None)
    return b.reshape(y, (*x.shape[:-1], w.shape[1]))
