# SPDX-License-Identifier: Apache-2.0
"""Shapes of a run, where they are smaller than those of the graph.

Behind an operator whose results vary in size, the graph's shapes are the largest that can come out.
The engine derives those of each run by the same rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bitpose.errors import GraphError
from bitpose.ir.graph import Attribute, Tensor
from bitpose.ir.shapes import Shape, output_shape

_Axes = list[int]


def run_shape(
    op: str,
    inputs: Sequence[Tensor],
    shapes: Sequence[Shape],
    attributes: Mapping[str, Attribute],
    output: Tensor,
) -> Shape:
    """The shape of the output of an engine operator in a run in which operands have `shapes`.

    `inputs` and `output` are what the graph says. Raises GraphError where the shapes do not fit.
    """
    if op == "reshape":
        return reshaped(inputs[0].shape, output.shape, shapes[0])
    if op == "expand":
        return expanded(inputs[0].shape, output.shape, shapes[0])
    actual = [replace(x, shape=shape) for x, shape in zip(inputs, shapes, strict=True)]
    return output_shape(op, actual, attributes, output)


def expanded(x: Shape, y: Shape, actual: Shape) -> Shape:
    """What x of another shape, `actual`, expands to when x expands to y."""
    kept = len(y) - len(x)
    changed = [n if n != bound else -1 for n, bound in zip(actual, x, strict=True)]
    return (*y[:kept], *(old if n < 0 else n for n, old in zip(changed, y[kept:], strict=True)))


def reshaped(x: Shape, y: Shape, actual: Shape) -> Shape:
    """What x of another shape, `actual`, is reshaped to when x is reshaped to y.

    In each group of axes that hold the same elements, the outermost axis of y takes the difference:
    where [8, 3, 2] becomes [8, 6], [5, 3, 2] becomes [5, 6].
    """
    result = list(y)
    for before, behind in _groups(x, y):
        outermost = next((k for k in behind if y[k] != 1), None)
        elements = math.prod(actual[i] for i in before)
        rest = math.prod(y[k] for k in behind if k != outermost)
        if elements % rest or (outermost is None and elements != 1):
            raise GraphError(f"shape {actual} cannot become {y} as {x} does")
        if outermost is not None:
            result[outermost] = elements // rest
    return tuple(result)


def _groups(x: Shape, y: Shape) -> Iterator[tuple[_Axes, _Axes]]:
    """The smallest groups of neighbouring axes of two shapes that hold the same elements.

    An axis of extent 1 is with the group in front of it.
    """
    i = k = 0
    while i < len(x) or k < len(y):
        before, behind = [], []
        left = right = 1
        while True:
            if k == len(y) or (left <= right and i < len(x)):
                left *= x[i]
                before.append(i)
                i += 1
            else:
                right *= y[k]
                behind.append(k)
                k += 1
            more = (i < len(x) and x[i] == 1) or (k < len(y) and y[k] == 1)
            if left == right and not more:
                break
        yield before, behind
