# SPDX-License-Identifier: Apache-2.0
"""Which axes of results have an extent that only a run decides.

An operator function is called twice: with the largest extents that operands can have, and with
smaller ones. What it builds must be the same but for shapes; the axes that then differ are open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bitpose.errors import GraphError
from bitpose.ir.extents import expanded, reshaped
from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder, RefusalError, differing_axes

#: Of pictures, only the number may be open: passes work with their height and width.
_PICTURES = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "Resize")


def is_open(builder: Builder, operands: Sequence[Tensor | None]) -> bool:
    """Whether any extent of operands or results is decided by a run."""
    return any(x.open_axes for x in operands if x is not None) or any(
        node.op == "narrow" for node in builder.nodes
    )


def smaller(x: Tensor | None) -> Tensor | None:
    """An operand with less along its open axes."""
    if x is None or not x.open_axes:
        return x
    return replace(x, shape=tuple(n - (i in x.open_axes) for i, n in enumerate(x.shape)))


def with_open_axes(
    bounds: Builder, probe: Builder, operands: Sequence[Tensor | None]
) -> list[Tensor]:
    """The tensors of `bounds` with their open axes, from what became of smaller operands.

    Raises RefusalError where more than shapes depends on the extents.
    """
    same = bounds.nodes == probe.nodes and len(bounds.tensors) == len(probe.tensors)
    pairs = list(zip(bounds.tensors, probe.tensors, strict=False))
    if not same or not all(_alike(x, y) for x, y in pairs):
        raise depends_on_extents(operands)
    shapes = {x.name: (x.shape, x.shape if y is None else y.shape) for x, y in _both(operands)}
    shapes |= {x.name: (x.shape, y.shape) for x, y in pairs}
    for node in bounds.nodes:
        (x, x_run), (y, y_run) = shapes[node.inputs[0]], shapes[node.outputs[0]]
        if node.op in ("Reshape", "reshape", "expand"):
            rule = expanded if node.op == "expand" else reshaped
            try:
                fits = rule(x, y, x_run) == y_run
            except GraphError:
                fits = False
        else:
            fits = node.op not in _PICTURES or x[1:] == x_run[1:]
        if not fits:
            raise depends_on_extents(operands)
    return [replace(x, open_axes=differing_axes(x.shape, y.shape)) for x, y in pairs]


def depends_on_extents(operands: Sequence[Tensor | None]) -> RefusalError:
    """Says that an operand's extents would have to be known."""
    x = next((x for x in operands if x is not None and x.open_axes), None)
    if x is None:
        return RefusalError("its result varies in size", "operators with a bounded result")
    extents = ", ".join(f"<= {n}" if i in x.open_axes else str(n) for i, n in enumerate(x.shape))
    return RefusalError(
        f"operand {x.name!r} has shape [{extents}], known only in a run",
        "a shape that is known when compiling, or an operator that works along other axes",
    )


def _both(operands: Sequence[Tensor | None]) -> list[tuple[Tensor, Tensor | None]]:
    return [(x, smaller(x)) for x in operands if x is not None]


def _alike(x: Tensor, y: Tensor) -> bool:
    if x.data is not None and y.data is not None:
        return x.data.shape == y.data.shape and np.array_equal(x.data, y.data, equal_nan=False)
    return x.data is y.data and len(x.shape) == len(y.shape) and x.dtype == y.dtype
