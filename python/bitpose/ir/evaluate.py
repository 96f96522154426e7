# SPDX-License-Identifier: Apache-2.0
"""The value of one node whose operands are constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bitpose.ir import elementwise
from bitpose.ir.graph import Attribute, Node, Quantization, Tensor
from bitpose.ir.reference import OPERATORS, Operand

Array = NDArray[Any]


def evaluate_node(node: Node, inputs: Sequence[Tensor], output: Tensor) -> Array | None:
    """The elements of `output`, or None for an operation that is never folded.

    All `inputs` are constants. Every result is defined to the last bit.
    """
    operands = [x.data for x in inputs if x.data is not None]
    if elementwise.is_elementwise(node.op):
        value = elementwise.evaluate(node.op, operands, node.attributes)
    elif node.op in OPERATORS:
        pairs = zip(inputs, operands, strict=True)
        value = OPERATORS[node.op](
            output, *(Operand(x, data) for x, data in pairs), **node.attributes
        )
    elif node.op == "QuantizeLinear":
        value = _quantize(node, operands, output)
    elif node.op == "DequantizeLinear":
        value = _dequantize(node, inputs, operands)
    else:
        moved = _move(node.op, operands, node.attributes, output)
        if moved is None:
            return None
        value = moved
    return np.broadcast_to(value, output.shape).astype(output.dtype)


def _move(
    op: str, operands: Sequence[Array], attributes: Mapping[str, Attribute], output: Tensor
) -> Array | None:
    a = cast(Mapping[str, Any], attributes)
    x = operands[0]
    match op:
        case "Reshape":
            return x.reshape(output.shape)
        case "Transpose":
            return x.transpose(a["perm"])
        case "Slice":
            chosen = a["start"] + a["step"] * np.arange(a["length"])
            return np.asarray(x.take(chosen, a["axis"]))
        case "Concat":
            return np.concatenate(operands, a["axis"])
        case "Pad":
            return _pad(x, a["pads"], a["value"])
        case "Cast":
            return elementwise.convert(x, output.dtype)
        case _:
            return None


def _pad(x: Array, pads: Sequence[int], value: float) -> Array:
    margins = list(zip(pads[: x.ndim], pads[x.ndim :], strict=True))
    return np.pad(x, margins, constant_values=x.dtype.type(value))


def _parameters(tensor: Tensor, operands: Sequence[Array]) -> tuple[Array, Array]:
    """Scale and zero point: operands 1 and 2, or what the quantized tensor says of itself."""
    if len(operands) == 3:
        return operands[1], operands[2]
    q = cast(Quantization, tensor.quantization)
    return np.array(q.scale, np.float32), np.array(q.zero_point, np.int64)


def _axis(node: Node) -> int:
    return cast(int, node.attributes.get("axis", 0))


def _quantize(node: Node, operands: Sequence[Array], output: Tensor) -> Array:
    limits = np.iinfo(output.dtype)
    low = cast(int, node.attributes.get("qmin", limits.min))
    high = cast(int, node.attributes.get("qmax", limits.max))
    scale, zero_point = _parameters(output, operands)
    return elementwise.quantize(operands[0], scale, zero_point, low, high, _axis(node))


def _dequantize(node: Node, inputs: Sequence[Tensor], operands: Sequence[Array]) -> Array:
    return elementwise.dequantize(operands[0], *_parameters(inputs[0], operands), _axis(node))
