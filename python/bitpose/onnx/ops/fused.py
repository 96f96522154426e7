# SPDX-License-Identifier: Apache-2.0
"""Operators that onnxruntime's optimiser fuses from others, where it saves what it has done."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder, Floats, Ints
from bitpose.onnx.ops.arithmetic import arithmetic
from bitpose.onnx.ops.convolution import Conv
from bitpose.onnx.ops.matrix import Gemm, as_matrices, matmul, transposed, without_vectors
from bitpose.onnx.registry import MICROSOFT, onnx_operator

#: Activations inside FusedConv and FusedGemm, with as many parameters as they have.
_ACTIVATIONS = {
    "": 0, "Relu": 0, "Tanh": 0, "Sigmoid": 0, "LeakyRelu": 1, "Clip": 2, "HardSigmoid": 2
}  # fmt: skip


def _activated(b: Builder, x: Tensor, activation: str, parameters: Sequence[float]) -> Tensor:
    count = _ACTIVATIONS.get(activation)
    if count is None or len(parameters) < count:
        known = ", ".join(name for name in _ACTIVATIONS if name)
        b.refuse(f"activation {activation!r} with parameters {list(parameters)}", known)
    match activation:
        case "":
            return x
        case "Relu":
            return b.emit("Clip", [x], x.shape, low=0.0, high=math.inf)
        case "LeakyRelu":
            return b.emit("LeakyRelu", [x], x.shape, alpha=parameters[0])
        case "Clip":
            return b.emit("Clip", [x], x.shape, low=parameters[0], high=parameters[1])
        case "HardSigmoid":
            alpha, beta = parameters[:2]
            return b.emit("HardSigmoid", [x], x.shape, alpha=alpha, beta=beta)
        case _:
            return b.emit(activation, [x], x.shape)


@onnx_operator(7, domain=MICROSOFT)
def FusedConv(
    b: Builder,
    x: Tensor,
    w: Tensor,
    bias: Tensor | None = None,
    z: Tensor | None = None,
    *,
    activation: str = "",
    activation_params: Floats = (),
    auto_pad: str = "NOTSET",
    dilations: Ints | None = None,
    group: int = 1,
    kernel_shape: Ints | None = None,
    pads: Ints | None = None,
    strides: Ints | None = None,
) -> Tensor:
    """As Conv, then + Z, then Relu, Tanh, Sigmoid, LeakyRelu, Clip or HardSigmoid."""
    y = Conv(
        b, x, w, bias, auto_pad=auto_pad, dilations=dilations, group=group,
        kernel_shape=kernel_shape, pads=pads, strides=strides,
    )  # fmt: skip
    if z is not None:
        y = arithmetic(b, "Add", y, z)
    return _activated(b, y, activation, activation_params)


@onnx_operator(7, domain=MICROSOFT)
def FusedGemm(
    b: Builder,
    x: Tensor,
    w: Tensor,
    c: Tensor | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    transA: int = 0,
    transB: int = 0,
    activation: str = "",
    activation_alpha: float = 0.0,
    activation_beta: float = 0.0,
    activation_gamma: float = 0.0,
) -> Tensor:
    """As Gemm, then an activation of FusedConv."""
    y = Gemm(b, x, w, c, alpha=alpha, beta=beta, transA=transA, transB=transB)
    return _activated(b, y, activation, (activation_alpha, activation_beta))


@onnx_operator(7, domain=MICROSOFT)
def FusedMatMul(
    b: Builder,
    x: Tensor,
    w: Tensor,
    *,
    alpha: float = 1.0,
    transA: int = 0,
    transB: int = 0,
    transBatchA: int = 0,
    transBatchB: int = 0,
) -> Tensor:
    """float32; transBatchA and transBatchB 0."""
    if transBatchA or transBatchB:
        b.refuse("transBatchA or transBatchB", "0")
    left, right = as_matrices(b, x, w)
    if transA and len(x.shape) > 1:
        rank = len(left.shape)
        left = transposed(b, left, *range(rank - 2), rank - 1, rank - 2)
    y = matmul(b, left, right, transpose_b=int(bool(transB) and len(w.shape) > 1))
    if alpha != 1:
        y = b.emit("Mul", [y, b.constant(np.array(alpha, np.float32))], y.shape)
    return without_vectors(b, y, x, w)


@onnx_operator(7, domain=MICROSOFT)
def Gelu(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _gelu(b, "Gelu", x, None)


@onnx_operator(7, domain=MICROSOFT)
def BiasGelu(b: Builder, x: Tensor, bias: Tensor) -> Tensor:
    """float32."""
    return _gelu(b, "Gelu", x, bias)


@onnx_operator(7, domain=MICROSOFT)
def FastGelu(b: Builder, x: Tensor, bias: Tensor | None = None) -> Tensor:
    """float32."""
    return _gelu(b, "GeluTanh", x, bias)


def _gelu(b: Builder, op: str, x: Tensor, bias: Tensor | None) -> Tensor:
    b.require_dtype(x, "the operand", "float32")
    y = x if bias is None else arithmetic(b, "Add", x, bias)
    return b.emit(op, [y], y.shape)


@onnx_operator(7, domain=MICROSOFT)
def QuickGelu(b: Builder, x: Tensor, *, alpha: float = 1.702) -> Tensor:
    """float32."""
    b.require_dtype(x, "the operand", "float32")
    return b.emit("Swish", [x], x.shape, alpha=alpha)
