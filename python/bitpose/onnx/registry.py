# SPDX-License-Identifier: Apache-2.0
"""The ONNX operators that bitpose imports.

An operator is a function in `bitpose.onnx.ops`, named after the ONNX operator. Its positional
parameters, behind the builder, are the operands (None where an optional one is absent); its
keyword parameters are the attributes with their defaults. Where the meaning has changed with the
opset there is one function per meaning, with the first opset behind the name: `Clip_6`, `Clip_11`.
Operators of other domains stand in files of their own; their opsets are those of ONNX's own domain
in the same model.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bitpose.ir.graph import Tensor

#: The opsets that a model may state.
OLDEST_OPSET = 7
NEWEST_OPSET = 28

#: The domain of onnxruntime's own operators.
MICROSOFT = "com.microsoft"

OpResult = Tensor | Sequence[Tensor]
OpFunction = Callable[..., OpResult]
F = TypeVar("F", bound=OpFunction)


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
    domain: str
    """Empty for ONNX's own domain."""
    function: OpFunction
    first: int
    last: int
    min_inputs: int
    max_inputs: float
    attributes: dict[str, Attribute]
    note: str
    """The function's docstring: what is supported."""


_REGISTRY: dict[tuple[str, str], list[Registration]] = {}


def onnx_operator(first: int, last: int = NEWEST_OPSET, domain: str = "") -> Callable[[F], F]:
    """Registers an operator function for the opsets first .. last."""

    def register(function: F) -> F:
        op = function.__name__.split("_")[0]
        row = _registration(op, domain, function, first, last)
        _REGISTRY.setdefault((domain, op), []).append(row)
        return function

    return register


def _registration(
    op: str, domain: str, function: OpFunction, first: int, last: int
) -> Registration:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    operands = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in operands)
    return Registration(
        op=op,
        domain=domain,
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


def find(op: str, opset: int, domain: str = "") -> Registration | None:
    """The registration for an operator at this opset."""
    _load()
    for row in _REGISTRY.get((_short(domain), op), []):
        if row.first <= opset <= row.last:
            return row
    return None


def registrations() -> list[Registration]:
    """Every registration, by operator and opset."""
    _load()
    rows = [row for rows in _REGISTRY.values() for row in rows]
    return sorted(rows, key=lambda row: (row.domain, row.op, row.first))


def support_table() -> str:
    """The table of supported operators for the documentation, in Markdown."""
    lines = ["| ONNX operator | opsets | supported |", "|---|---|---|"]
    for row in registrations():
        note = " ".join(row.note.split())
        name = f"{row.domain}.{row.op}" if row.domain else row.op
        lines.append(f"| {name} | {row.first}-{row.last} | {note} |")
    return "\n".join(lines) + "\n"


def _load() -> None:
    import bitpose.onnx.ops  # noqa: F401 (registers the operators)


def _short(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def near(op: str, domain: str = "") -> str:
    """What to say is supported in the place of an operator that is not."""
    _load()
    rows = _REGISTRY.get((_short(domain), op), [])
    if rows:
        return "opsets " + ", ".join(f"{row.first}-{row.last}" for row in rows)
    return "the operators in docs/operators.md"
