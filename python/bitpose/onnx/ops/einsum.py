# SPDX-License-Identifier: Apache-2.0
"""Einsum."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bitpose.ir.graph import Tensor
from bitpose.onnx.builder import Builder
from bitpose.onnx.ops.matrix import matmul, transposed
from bitpose.onnx.ops.reduction import reduce
from bitpose.onnx.registry import onnx_operator

#: Stand for the axes of an ellipsis, last axis last.
_ELLIPSIS = "0123456789"


def _labels(b: Builder, equation: str, operands: Sequence[Tensor]) -> tuple[list[str], str]:
    """A letter for each axis of each operand and of the result."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        b.invalid(f"equation {equation!r} for {len(operands)} operands")
    found = []
    widest = ""
    for term, x in zip(terms, operands, strict=True):
        before, dots, after = term.partition("...")
        missing = len(x.shape) - len(before) - len(after)
        if missing < 0 or (missing and not dots) or missing > len(_ELLIPSIS):
            b.invalid(f"equation {equation!r} for an operand {list(x.shape)}")
        ellipsis = _ELLIPSIS[len(_ELLIPSIS) - missing :]
        widest = max(widest, ellipsis, key=len)
        found.append(before + ellipsis + after)
    if not arrow:
        everything = "".join(found)
        once = sorted(c for c in set(everything) if everything.count(c) == 1)
        right = "..." + "".join(c for c in once if c not in _ELLIPSIS)
    return found, right.replace("...", widest)


def _ordered(b: Builder, x: Tensor, labels: str, order: str) -> Tensor:
    return transposed(b, x, *(labels.index(c) for c in order))


def _summed(b: Builder, x: Tensor, labels: str, kept: str) -> tuple[Tensor, str]:
    """x summed over the axes that are not among `kept`."""
    axes = [i for i, c in enumerate(labels) if c not in kept]
    if not axes:
        return x, labels
    rest = "".join(c for c in labels if c in kept)
    shape = [extent for i, extent in enumerate(x.shape) if i not in axes]
    return b.reshape(reduce(b, "Sum", x, axes), shape), rest


def _product(
    b: Builder, x: Tensor, x_labels: str, w: Tensor, w_labels: str, result: str
) -> tuple[Tensor, str]:
    """A batched MatMul between transposes and reshapes."""
    shared = [c for c in x_labels if c in w_labels]
    batch = "".join(c for c in shared if c in result)
    inner = "".join(c for c in shared if c not in result)
    rows = "".join(c for c in x_labels if c not in shared)
    columns = "".join(c for c in w_labels if c not in shared)
    extents = dict(zip(x_labels, x.shape, strict=True)) | dict(zip(w_labels, w.shape, strict=True))

    def count(labels: str) -> int:
        return math.prod(extents[c] for c in labels)

    leading = [count(batch)] if batch else []
    left = _ordered(b, x, x_labels, batch + rows + inner)
    right = _ordered(b, w, w_labels, batch + inner + columns)
    y = matmul(
        b,
        b.reshape(left, (*leading, count(rows), count(inner))),
        b.reshape(right, (*leading, count(inner), count(columns))),
    )
    labels = batch + rows + columns
    return b.reshape(y, [extents[c] for c in labels]), labels


@onnx_operator(12)
def Einsum(b: Builder, *operands: Tensor, equation: str) -> Tensor:
    """float32, one operand or two, no axis twice in an operand."""
    if len(operands) not in (1, 2):
        b.refuse(f"there are {len(operands)} operands", "one or two")
    for x in operands:
        b.require_dtype(x, "an operand", "float32")
    terms, result = _labels(b, equation, operands)
    if any(len(set(term)) != len(term) for term in terms):
        b.refuse(f"equation {equation!r} has an axis twice in an operand", "different axes")
    if len(operands) == 1:
        y, labels = _summed(b, operands[0], terms[0], result)
    else:
        (x, x_labels), (w, w_labels) = (
            _summed(b, operand, term, result + terms[1 - i])
            for i, (operand, term) in enumerate(zip(operands, terms, strict=True))
        )
        for c in set(x_labels) & set(w_labels):
            if x.shape[x_labels.index(c)] != w.shape[w_labels.index(c)]:
                b.refuse(f"axis {c!r} of equation {equation!r} broadcasts", "equal extents")
        y, labels = _product(b, x, x_labels, w, w_labels, result)
    return _ordered(b, y, labels, result)
