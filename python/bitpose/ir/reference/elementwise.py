# SPDX-License-Identifier: Apache-2.0
"""Operators that work element by element, with the operations of the kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bitpose.ir import elementwise
from bitpose.ir.fma import fma
from bitpose.ir.graph import Tensor
from bitpose.ir.operators import (
    COMPARISONS,
    FLOAT_FUNCTIONS,
    INTEGER_FUNCTIONS,
    LOGIC,
    UNARY,
    UNARY_FUNCTIONS,
)
from bitpose.ir.reference.math import (
    Float32,
    erf_f32,
    exp_f32,
    expm1_f32,
    log_f32,
    mish_f32,
    number,
    sigmoid_f32,
    softplus_f32,
    tanh_f32,
)
from bitpose.ir.reference.operand import Array, Operand, operator, scale
from bitpose.ir.reference.quantized import rounded

_ZERO, _HALF, _ONE, _SIXTH = (np.array(v, np.float32) for v in (0.0, 0.5, 1.0, 1 / 6))
_SQRT_HALF = number("0x1.6a09e6p-1")
#: 2 sqrt(2 / pi), and 0.044715 of it.
_GELU_LINEAR, _GELU_CUBIC = number("0x1.988454p+0"), number("0x1.2444f2p-4")


def _elu(x: Float32, a: Float32, b: Float32) -> Float32:
    return np.where(x < 0, a * expm1_f32(x), x)


def _celu(x: Float32, a: Float32, b: Float32) -> Float32:
    return np.where(x < 0, a * expm1_f32(x / a), x)


def _selu(x: Float32, a: Float32, b: Float32) -> Float32:
    return np.where(x < 0, (b * a) * expm1_f32(x), b * x)


def _hard_sigmoid(x: Float32, a: Float32, b: Float32) -> Float32:
    line = fma(x, a, b)
    line = np.where(line < _ZERO, _ZERO, line)
    return np.where(line > _ONE, _ONE, line)


def _gelu(x: Float32, a: Float32, b: Float32) -> Float32:
    return (x * _HALF) * (_ONE + erf_f32(x * _SQRT_HALF))


def _gelu_tanh(x: Float32, a: Float32, b: Float32) -> Float32:
    return x * sigmoid_f32(x * fma(x * x, _GELU_CUBIC, _GELU_LINEAR))


#: Of alpha and beta, where the literal function rounded to float32 is something else.
_FLOAT32: Mapping[str, Callable[[Float32, Float32, Float32], Float32]] = {
    "Celu": _celu,
    "Elu": _elu,
    "Erf": lambda x, a, b: erf_f32(x),
    "Exp": lambda x, a, b: exp_f32(x),
    "Gelu": _gelu,
    "GeluTanh": _gelu_tanh,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": lambda x, a, b: x * _hard_sigmoid(x, _SIXTH, _HALF),
    "Log": lambda x, a, b: log_f32(x),
    "Mish": lambda x, a, b: mish_f32(x),
    "Selu": _selu,
    "Sigmoid": lambda x, a, b: sigmoid_f32(x),
    "Softplus": lambda x, a, b: softplus_f32(x),
    "Softsign": lambda x, a, b: x / (_ONE + np.abs(x)),
    "Swish": lambda x, a, b: x * sigmoid_f32(a * x),
    "Tanh": lambda x, a, b: tanh_f32(x),
}


@operator
def unary_f32(y: Tensor, x: Operand, *, function: int, alpha: float, beta: float) -> Array:
    """The function of that number; the parameters are float32."""
    name = UNARY_FUNCTIONS[function]
    parameters = [np.array(v, np.float32) for v in (alpha, beta)]
    with np.errstate(all="ignore"):
        if name in _FLOAT32:
            return np.asarray(_FLOAT32[name](x.data, *parameters))
    named = zip(UNARY[name], map(float, parameters), strict=False)
    return elementwise.evaluate(name, [x.data], dict(named))


@operator
def binary_f32(y: Tensor, a: Operand, b: Operand, *, function: int) -> Array:
    """The function of that number; broadcasts."""
    with np.errstate(all="ignore"):
        return elementwise.BINARY[FLOAT_FUNCTIONS[function]](a.data, b.data).astype(np.float32)


@operator
def binary_integer(y: Tensor, a: Operand, b: Operand, *, function: int) -> Array:
    """In int64, wrapped to the dtype; broadcasts."""
    return elementwise.evaluate(INTEGER_FUNCTIONS[function], [a.data, b.data], {})


_RELATIONS = dict(
    zip(
        COMPARISONS,
        (np.equal, np.less, np.less_equal, np.greater, np.greater_equal),
        strict=True,
    )
)
_LOGIC = dict(zip(LOGIC, (np.logical_and, np.logical_or, np.logical_xor), strict=True))


@operator
def compare(y: Tensor, a: Operand, b: Operand, *, function: int) -> Array:
    """Whether a and b stand in the relation; broadcasts."""
    with np.errstate(invalid="ignore"):
        return np.asarray(_RELATIONS[COMPARISONS[function]](a.data, b.data))


@operator
def logic(y: Tensor, a: Operand, b: Operand, *, function: int) -> Array:
    """And, or, exclusive or; broadcasts."""
    return np.asarray(_LOGIC[LOGIC[function]](a.data, b.data))


@operator
def where(y: Tensor, condition: Operand, a: Operand, b: Operand) -> Array:
    """condition ? a : b; broadcasts."""
    return np.where(condition.data, a.data, b.data)


@operator
def requantize(y: Tensor, x: Operand, *, qmin: int, qmax: int) -> Array:
    """Dequantized and quantized: rint(clamp(float(q - zx) * s_x / s_y)) + zy."""
    with np.errstate(all="ignore"):
        return rounded(x.centred().astype(np.float32) * x.scale / scale(y), y, qmin, qmax)
