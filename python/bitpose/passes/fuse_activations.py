# SPDX-License-Identifier: Apache-2.0
"""Recognises activation functions that a model spells out."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from bitpose.ir.graph import Attribute, Graph, Node
from bitpose.passes.rewriter import Rewriter, number

_SQRT_HALF = math.sqrt(0.5)
_SQRT_TWO_OVER_PI = math.sqrt(2.0 / math.pi)
_CUBIC = 0.044715


def fuse_activations(graph: Graph) -> Graph:
    """Before -> after:

        1. x * Sigmoid(x), x * Sigmoid(a x)                ->   Swish(x) of alpha 1, a
        2. x * HardSigmoid(x) of alpha 1/6, beta 1/2,
           x * Clip(x + 3, 0, 6) / 6                       ->   HardSwish(x)
        3. x * Tanh(Softplus(x))                           ->   Mish(x)
        4. x / 2 * (1 + Erf(x / sqrt(2)))                  ->   Gelu(x)
        5. x / 2 * (1 + Tanh(sqrt(2 / pi)
           (x + 0.044715 x^3)))                            ->   GeluTanh(x)

    Products may be associated in any way, constant factors may stand anywhere in them or divide.
    Only where nothing else reads the pieces. Results differ by roundings, so this comes behind what
    is exact for 8-bit tensors.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        found = _activation(r, node) if node.op in ("Mul", "Div") else None
        if found is None:
            r.keep(node)
        else:
            op, x, attributes = found
            r.emit(op, [x], r.tensor(node.outputs[0]), **attributes)
    return r.finish()


_Match = tuple[str, str, dict[str, Attribute]]


def _activation(r: Rewriter, node: Node) -> _Match | None:
    if r.tensor(node.outputs[0]).dtype != np.float32:
        return None
    scale, factors = _product(r, node)
    if len(factors) != 2:
        return None
    shape = r.tensor(node.outputs[0]).shape
    for x, gate in (factors, factors[::-1]):
        match = _gate(r, scale, r.resolve(x), gate) if r.tensor(x).shape == shape else None
        if match is not None:
            return match
    return None


def _gate(r: Rewriter, scale: float, x: str, name: str) -> _Match | None:
    """What scale * x * gate is, if the gate is a function of x."""
    gate = _piece(r, name)
    if gate is None:
        return None
    match gate.op:
        case "Sigmoid" if _is(scale, 1.0):
            slope, inner = _product_of(r, gate.inputs[0])
            return ("Swish", x, {"alpha": slope}) if inner == [x] else None
        case "HardSigmoid" if _is(scale, 1.0) and gate.inputs == (x,):
            sixth = _is(number(gate, "alpha"), 1 / 6) and _is(number(gate, "beta"), 0.5)
            return ("HardSwish", x, {}) if sixth else None
        case "Clip" if _is(scale, 1 / 6) and (number(gate, "low"), number(gate, "high")) == (0, 6):
            return ("HardSwish", x, {}) if _shifted(r, gate.inputs[0]) == (x, 3.0) else None
        case "Tanh" if _is(scale, 1.0):
            return ("Mish", x, {}) if _softplus(r, gate.inputs[0]) == x else None
        case "Add" if _is(scale, 0.5):
            argument, one = _shifted(r, name)
            return _gelu(r, x, argument) if one == 1.0 else None
    return None


def _gelu(r: Rewriter, x: str, name: str) -> _Match | None:
    """Cases 4 and 5, without what is around Erf and Tanh."""
    node = _piece(r, name)
    if node is None or node.op not in ("Erf", "Tanh"):
        return None
    scale, inner = _product_of(r, node.inputs[0])
    if node.op == "Erf":
        return ("Gelu", x, {}) if inner == [x] and _is(scale, _SQRT_HALF) else None
    total = _piece(r, inner[0]) if len(inner) == 1 and _is(scale, _SQRT_TWO_OVER_PI) else None
    if total is None or total.op != "Add":
        return None
    cubes = [name for name in total.inputs if r.resolve(name) != x]
    if len(cubes) != 1 or not _is_cube(r, x, cubes[0]):
        return None
    return ("GeluTanh", x, {})


def _softplus(r: Rewriter, name: str) -> str | None:
    """x where the tensor is Softplus(x)."""
    node = _piece(r, name)
    return node.inputs[0] if node is not None and node.op == "Softplus" else None


def _is_cube(r: Rewriter, x: str, name: str) -> bool:
    scale, factors = _product_of(r, name)
    return _is(scale, _CUBIC) and factors == [x] * 3


def _is(value: float, expected: float) -> bool:
    return math.isclose(value, expected, rel_tol=1e-6)


def _piece(r: Rewriter, name: str) -> Node | None:
    """The node that writes a tensor which is read once."""
    readers = r.readers(name)
    alone = len(readers) == 1 and readers[0].inputs.count(name) == 1
    return r.producer(name) if alone and name not in r.graph.outputs else None


def _scalar(r: Rewriter, name: str) -> float | None:
    data = r.tensor(name).data
    return None if data is None or data.size != 1 else float(data.reshape(()))


def _shifted(r: Rewriter, name: str) -> tuple[str, float]:
    """(x, c) where the tensor is x + c, or (tensor, 0)."""
    node = _piece(r, name)
    if node is not None and node.op == "Add":
        for x, other in (node.inputs, node.inputs[::-1]):
            shift = _scalar(r, other)
            if shift is not None:
                return r.resolve(x), shift
    return r.resolve(name), 0.0


def _product_of(r: Rewriter, name: str) -> tuple[float, list[str]]:
    node = _piece(r, name)
    return (1.0, [r.resolve(name)]) if node is None else _product(r, node)


def _product(r: Rewriter, node: Node) -> tuple[float, list[str]]:
    """c and x, y, ... where the node's result is c x y ..., read through products and quotients."""
    scale, factors = 1.0, []
    for value, name in _factors(r, node):
        scale *= value
        factors += [] if name is None else [r.resolve(name)]
    return scale, factors


def _factors(r: Rewriter, node: Node) -> Iterator[tuple[float, str | None]]:
    a, b = node.inputs if node.op in ("Mul", "Div", "Pow") else ("", "")
    divisor = _scalar(r, b) if b else None
    if node.op == "Mul":
        yield from _expanded(r, a)
        yield from _expanded(r, b)
    elif node.op == "Div" and divisor:
        yield from _expanded(r, a)
        yield 1.0 / divisor, None
    elif node.op == "Pow" and divisor in (2.0, 3.0):
        yield from [(1.0, a)] * int(divisor)
    else:
        yield 1.0, node.outputs[0]


def _expanded(r: Rewriter, name: str) -> Iterator[tuple[float, str | None]]:
    value = _scalar(r, name)
    node = None if value is not None else _piece(r, name)
    if value is not None:
        yield value, None
    elif node is None:
        yield 1.0, name
    else:
        yield from _factors(r, node)
