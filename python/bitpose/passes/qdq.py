# SPDX-License-Identifier: Apache-2.0
"""What passes ask about QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

import numpy as np

from bitpose.errors import GraphError
from bitpose.ir.graph import Quantization, Tensor
from bitpose.ir.operators import CODES
from bitpose.passes.rewriter import Rewriter


def quantization_of(tensor: Tensor) -> Quantization:
    """The quantization of a tensor that must have one."""
    if tensor.quantization is None:
        raise GraphError(f"tensor {tensor.name!r} has no scale")
    return tensor.quantization


def codes(r: Rewriter, name: str) -> Tensor | None:
    """The int8 tensor with one scale that a float tensor is dequantized from, or None."""
    tensor = any_codes(r, name)
    return tensor if tensor is not None and tensor.dtype == np.int8 else None


def any_codes(r: Rewriter, name: str) -> Tensor | None:
    """The same of int8 or int16."""
    source = r.producer(name)
    if source is None or source.op != "DequantizeLinear" or len(source.inputs) != 1:
        return None
    tensor = r.tensor(source.inputs[0])
    return tensor if tensor.dtype.name in CODES else None


def float32_ratio(numerator: float, denominator: float) -> float:
    """numerator / denominator in float64, rounded once to float32."""
    return float(np.float32(np.float64(numerator) / np.float64(denominator)))
