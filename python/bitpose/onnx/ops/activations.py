# SPDX-License-Identifier: Apache-2.0
"""Functions of one float."""

from __future__ import annotations

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder
from bitpose.onnx.registry import onnx_operator


def _unary(b: Builder, x: Tensor, **parameters: float) -> Tensor:
    b.require_dtype(x, "the operand", "float32")
    return b.emit(b.op, [x], x.shape, x.dtype, **parameters)


@onnx_operator(7)
def Acos(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(9)
def Acosh(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Asin(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(9)
def Asinh(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Atan(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(9)
def Atanh(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Ceil(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(12)
def Celu(b: Builder, x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """float32."""
    return _unary(b, x, alpha=alpha)


@onnx_operator(7)
def Cos(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(9)
def Cosh(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Elu(b: Builder, x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """float32."""
    return _unary(b, x, alpha=alpha)


@onnx_operator(9)
def Erf(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Exp(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Floor(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(20)
def Gelu(b: Builder, x: Tensor, *, approximate: str = "none") -> Tensor:
    """float32; exact or by tanh."""
    b.require_dtype(x, "the operand", "float32")
    if approximate not in ("none", "tanh"):
        b.invalid(f"approximate is {approximate!r}")
    return b.emit("Gelu" if approximate == "none" else "GeluTanh", [x], x.shape)


@onnx_operator(7)
def HardSigmoid(b: Builder, x: Tensor, *, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    """float32."""
    return _unary(b, x, alpha=alpha, beta=beta)


@onnx_operator(14)
def HardSwish(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def LeakyRelu(b: Builder, x: Tensor, *, alpha: float = 0.01) -> Tensor:
    """float32."""
    return _unary(b, x, alpha=alpha)


@onnx_operator(7)
def Log(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(18)
def Mish(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Reciprocal(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(11)
def Round(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Selu(
    b: Builder,
    x: Tensor,
    *,
    alpha: float = 1.67326319217681884765625,
    gamma: float = 1.05070102214813232421875,
) -> Tensor:
    """float32."""
    return _unary(b, x, alpha=alpha, gamma=gamma)


@onnx_operator(9)
def Shrink(b: Builder, x: Tensor, *, bias: float = 0.0, lambd: float = 0.5) -> Tensor:
    """float32."""
    return _unary(b, x, bias=bias, lambd=lambd)


@onnx_operator(7)
def Sigmoid(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Sin(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(9)
def Sinh(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Softplus(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Softsign(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Sqrt(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(24)
def Swish(b: Builder, x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """float32."""
    return _unary(b, x, alpha=alpha)


@onnx_operator(7)
def Tan(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(7)
def Tanh(b: Builder, x: Tensor) -> Tensor:
    """float32."""
    return _unary(b, x)


@onnx_operator(10)
def ThresholdedRelu(b: Builder, x: Tensor, *, alpha: float = 1.0) -> Tensor:
    """float32."""
    return _unary(b, x, alpha=alpha)
