# SPDX-License-Identifier: Apache-2.0
"""What operators of the reference executor read and how they are registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Quantization, Tensor

Array = NDArray[Any]
Function = Callable[..., Array]

#: Every operator of the engine by its wire name.
OPERATORS: dict[str, Function] = {}


@dataclass(frozen=True, eq=False)
class Operand:
    """An input of an operator: its tensor record and its elements, of the record's shape."""

    tensor: Tensor
    data: Array

    @property
    def scale(self) -> np.float32:
        return np.float32(_quantization(self.tensor).scale)

    @property
    def zero_point(self) -> int:
        return zero_point(self.tensor)

    def centred(self) -> NDArray[np.int32]:
        """The elements minus their zero point."""
        return self.data.astype(np.int32) - np.int32(self.zero_point)


def operator(function: Function) -> Function:
    """Registers `function(y, *operands, **attributes)` under its own name.

    `y` is the record of the output (its dtype, shape and quantization are known before the run);
    keyword parameters are the attributes of the operator as they stand in the model file.
    """
    OPERATORS[function.__name__] = function
    return function


def zero_point(tensor: Tensor) -> int:
    """The zero point of a tensor, 0 where it is not quantized."""
    return tensor.quantization.zero_point if tensor.quantization is not None else 0


def scale(tensor: Tensor) -> np.float32:
    """The scale of a quantized tensor."""
    return np.float32(_quantization(tensor).scale)


def clamped(acc: Array, fmin: float, fmax: float) -> Array:
    """The twin of kernels/base/clamp.h: NaN stays NaN, -0 stays -0."""
    low, high = np.float32(fmin), np.float32(fmax)
    acc = np.where(acc < low, low, acc)
    return np.where(acc > high, high, acc)


def _quantization(tensor: Tensor) -> Quantization:
    if tensor.quantization is None:
        raise ValueError(f"tensor {tensor.name!r} must be quantized")
    return tensor.quantization
