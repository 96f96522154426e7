# SPDX-License-Identifier: Apache-2.0
"""Products of matrices."""

from __future__ import annotations

import numpy as np

from bitpose.errors import GraphError
from bitpose.ir.graph import Tensor
from bitpose.ir.shapes import broadcast, matmul_shape
from bitpose.onnx.builder import Builder
from bitpose.onnx.registry import onnx_operator


def transposed(b: Builder, x: Tensor, *perm: int) -> Tensor:
    """x with its axes in another order."""
    if perm == tuple(range(len(x.shape))):
        return x
    return b.emit("Transpose", [x], [x.shape[i] for i in perm], x.dtype, perm=perm)


def matmul(
    b: Builder, x: Tensor, w: Tensor, bias: Tensor | None = None, transpose_b: int = 0
) -> Tensor:
    """A product of float32 matrices of rank 2 or more, and a bias of one element per column."""
    b.require_dtype(x, "the left operand", "float32")
    b.require_dtype(w, "the right operand", "float32")
    try:
        shape = matmul_shape(x.shape, w.shape, transpose_b)
    except GraphError as error:
        b.invalid(str(error))
    operands = [x, w] if bias is None else [x, w, bias]
    return b.emit("MatMul", operands, shape, transpose_b=transpose_b)


def as_matrices(b: Builder, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Operands of MatMul, those of one axis as a row and as a column."""
    if not x.shape or not w.shape:
        b.invalid("an operand is a scalar")
    return (
        b.reshape(x, (1, *x.shape)) if len(x.shape) == 1 else x,
        b.reshape(w, (*w.shape, 1)) if len(w.shape) == 1 else w,
    )


def without_vectors(b: Builder, y: Tensor, x: Tensor, w: Tensor) -> Tensor:
    """The product without the axes that `as_matrices` has put in."""
    shape = y.shape[:-1] if len(w.shape) == 1 else y.shape
    if len(x.shape) == 1:
        at = len(y.shape) - 2
        shape = shape[:at] + shape[at + 1 :]
    return y if shape == y.shape else b.reshape(y, shape)


@onnx_operator(7)
def MatMul(b: Builder, x: Tensor, w: Tensor) -> Tensor:
    """Any ranks, float32 or quantized; a constant right operand of rank 2 makes a dense layer."""
    return without_vectors(b, matmul(b, *as_matrices(b, x, w)), x, w)


def _scaled(b: Builder, x: Tensor, factor: float) -> Tensor:
    if factor == 1:
        return x
    return b.emit("Mul", [x, b.constant(np.array(factor, np.float32))], x.shape)


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
    """float32 or quantized; a constant B makes a dense layer."""
    b.require_rank(x, "A", 2, "[M, K]")
    b.require_rank(w, "B", 2, "[K, N]")
    left = transposed(b, x, 1, 0) if transA else x
    columns = w.shape[0 if transB else 1]
    bias = None
    if c is not None and alpha == beta == 1 and c.elements == columns == c.shape[-1]:
        bias, c = b.reshape(c, (columns,)), None
    y = _scaled(b, matmul(b, left, w, bias, 1 if transB else 0), alpha)
    if c is None or beta == 0:
        return y
    try:
        shape = broadcast(y.shape, c.shape)
    except GraphError as error:
        b.invalid(str(error))
    if shape != y.shape:
        b.invalid(f"C has shape {list(c.shape)} for a product {list(y.shape)}")
    return b.emit("Add", [y, _scaled(b, c, beta)], y.shape)
