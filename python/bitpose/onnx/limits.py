# SPDX-License-Identifier: Apache-2.0
"""What can be said, when compiling, of numbers that a run computes.

Shapes, counts and paddings that depend on data are small tensors. The least and the greatest value
of each element follow them through arithmetic on shapes, so that memory can be bounded, and what
has but one value is a constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.evaluate import evaluate_node
from bitpose.ir.graph import Node, Tensor
from bitpose.ir.operators import MOVING, REDUCTIONS

Array = NDArray[Any]
Limits = tuple[Array, Array]

_MAX_ELEMENTS = 64
#: Larger operands never give smaller results.
_RISING = (*MOVING, "Add", "Min", "Max", "Cast", "Ceil", "Floor")
#: Neither if no operand is negative.
_RISING_FROM_ZERO = ("Mul", "Sqrt")


def limits(node: Node, inputs: Sequence[Tensor], output: Tensor) -> Limits | None:
    """The least and the greatest elements of what a node gives, where they can be told."""
    if output.elements > _MAX_ELEMENTS:
        return None
    if node.op == "shape":
        shape = np.array(inputs[0].shape, np.int64)
        return shape * [i not in inputs[0].open_axes for i in range(len(shape))], shape
    known = [(x.data, x.data) if x.data is not None else x.limits for x in inputs]
    pairs = [pair for pair in known if pair is not None]
    if len(pairs) < len(known) or all(x.is_constant for x in inputs):
        return None
    lows, highs = [low for low, _ in pairs], [high for _, high in pairs]
    if node.op == "Sub" or (node.op == "Div" and _positive(lows)):
        lows, highs = [lows[0], highs[1]], [highs[0], lows[1]]
    elif not _rising(node, lows):
        return None
    least, greatest = _evaluate(node, inputs, output, lows), _evaluate(node, inputs, output, highs)
    return None if least is None or greatest is None else (least, greatest)


def _positive(lows: Sequence[Array]) -> bool:
    return bool(np.all(lows[0] >= 0) and np.all(lows[1] > 0))


def _rising(node: Node, lows: Sequence[Array]) -> bool:
    from_zero = all(bool(np.all(low >= 0)) for low in lows)
    if node.op == "reduce_integer":
        function = REDUCTIONS[cast(int, node.attributes["function"])]
        return function in ("Sum", "Min", "Max") or (function == "Prod" and from_zero)
    return node.op in _RISING or (node.op in _RISING_FROM_ZERO and from_zero)


def _evaluate(
    node: Node, inputs: Sequence[Tensor], output: Tensor, values: Sequence[Array]
) -> Array | None:
    pairs = zip(inputs, values, strict=True)
    return evaluate_node(node, [Tensor.constant(x.name, value) for x, value in pairs], output)
