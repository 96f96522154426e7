# SPDX-License-Identifier: Apache-2.0
"""The ONNX operators that bitpose imports.

An operator is a function in `bitpose.onnx.ops`, named after the ONNX operator. Its positional
parameters, behind the builder, are the operands (None where an optional one is absent); its
keyword parameters are the attributes with their defaults. Where the meaning has changed with the
opset there is one function per meaning, with the first opset behind the name: `Clip_6`, `Clip_11`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bitpose.ir.graph import Tensor

#: The opsets that a model may state.
OLDEST_OPSET = 7
NEWEST_OPSET = 28

OpResult = Tensor | Sequence[Tensor]
OpFunction = Callable[..., OpResult]


@dataclass(frozen=True)
class Attribute:
    """An attribute that an operator function takes."""

    name: str
    kind: str
    """"int", "float", "str", "Ints", "Floats" or "Array"."""
    required: bool


@dataclass(frozen=True)
class Registration:
    """An operator function and the opsets for which it is right."""

    op: str
    function: OpFunction
    first: int
    last: int
    min_inputs: int
    max_inputs: float
    attributes: dict[str, Attribute]
    note: str
    """The function's docstring: what is supported."""


_REGISTRY: dict[str, list[Registration]] = {}


def onnx_operator(first: int, last: int = NEWEST_OPSET) -> Callable[[OpFunction], OpFunction]:
    """Registers an operator function for the opsets first .. last."""

    def register(function: OpFunction) -> OpFunction:
        op = function.__name__.split("_")[0]
        _REGISTRY.setdefault(op, []).append(_registration(op, function, first, last))
        return function

    return register


def _registration(op: str, function: OpFunction, first: int, last: int) -> Registration:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    operands = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in operands)
    return Registration(
        op=op,
        function=function,
        first=first,
        last=last,
        min_inputs=sum(p.default is p.empty for p in operands),
        max_inputs=float("inf") if variadic else len(operands),
        attributes={
            p.name: Attribute(p.name, str(p.annotation).split(" | ")[0], p.default is p.empty)
            for p in parameters
            if p.kind is p.KEYWORD_ONLY
        },
        note=inspect.getdoc(function) or "",
    )


def find(op: str, opset: int) -> Registration | None:
    """The registration for an operator of ONNX's own domain at this opset."""
    _load()
    for row in _REGISTRY.get(op, []):
        if row.first <= opset <= row.last:
            return row
    return None


def registrations() -> list[Registration]:
    """Every registration, by operator and opset."""
    _load()
    rows = [row for rows in _REGISTRY.values() for row in rows]
    return sorted(rows, key=lambda row: (row.op, row.first))


def support_table() -> str:
    """The table of supported operators for the documentation, in Markdown."""
    lines = ["| ONNX operator | opsets | supported |", "|---|---|---|"]
    for row in registrations():
        note = " ".join(row.note.split())
        lines.append(f"| {row.op} | {row.first}-{row.last} | {note} |")
    return "\n".join(lines) + "\n"


def _load() -> None:
    import bitpose.onnx.ops  # noqa: F401 (registers the operators)


def near(op: str) -> str:
    """What to say is supported in the place of an operator that is not."""
    _load()
    rows = _REGISTRY.get(op, [])
    if rows:
        return "opsets " + ", ".join(f"{row.first}-{row.last}" for row in rows)
    return "the operators in docs/onnx-operators.md"
