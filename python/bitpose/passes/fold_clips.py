# SPDX-License-Identifier: Apache-2.0
"""Makes activations part of what computes or rounds their operand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

import numpy as np

from bitpose.ir.elementwise import quantize
from bitpose.ir.graph import Attribute, Graph, Node, Tensor
from bitpose.ir.names import derived
from bitpose.passes.qdq import quantization_of
from bitpose.passes.rewriter import Rewriter, integer, number
from bitpose.passes.spatial import CONVOLUTIONS


def fold_clips(graph: Graph) -> Graph:
    """Before -> after (a Relu is a Clip to [0, inf)):

        1. Clip(Clip(x))              ->   Clip(x) to the second's image of the first's bounds
        2. QuantizeLinear(Clip(x))    ->   QuantizeLinear(x), qmin and qmax the codes of the bounds
        3. Clip(Conv(x)), sole reader ->   Conv(x) with fmin and fmax; so for ConvTranspose
        4. Clip(Reshape(Conv(x)))     ->   Reshape(Conv(x)) likewise

    All are exact: clamping and quantizing are monotone. The Clip of cases 1 and 2 stays where
    something else reads it. Case 3 gives way to case 2 where QuantizeLinear alone reads the Clip.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        source = r.producer(node.inputs[0]) if node.inputs else None
        if source is None:
            r.keep(node)
        elif node.op == "Clip" and source.op == "Clip":
            _merge(r, node, source)
        elif node.op == "QuantizeLinear" and source.op == "Clip":
            _into_quantize(r, node, source)
        elif node.op == "Clip" and source.op in CONVOLUTIONS and _may_clamp(r, node):
            _into_conv(r, node, source, r.tensor(node.outputs[0]))
        elif node.op == "Clip" and source.op == "Reshape" and _may_clamp(r, node):
            _over_reshape(r, node, source)
        else:
            r.keep(node)
    return r.finish()


def _bounds(node: Node) -> tuple[float, float]:
    return number(node, "low"), number(node, "high")


def _clamp(x: float, bounds: tuple[float, float]) -> float:
    """What Clip does to x: the lower bound first, as ONNX defines it."""
    return min(max(x, bounds[0]), bounds[1])


def _merge(r: Rewriter, node: Node, source: Node) -> None:
    """Case 1."""
    low, high = (_clamp(_clamp(x, _bounds(source)), _bounds(node)) for x in (-math.inf, math.inf))
    r.emit("Clip", source.inputs, r.tensor(node.outputs[0]), low=low, high=high)


def code_of(x: float, y: Tensor, qmin: int, qmax: int) -> int:
    """The code that QuantizeLinear with the parameters of y gives a real number."""
    q = quantization_of(y)
    scale, zero_point = np.float32(q.scale), np.array(q.zero_point)
    return int(quantize(np.array(x, np.float32), np.array(scale), zero_point, qmin, qmax))


def _into_quantize(r: Rewriter, node: Node, source: Node) -> None:
    """Case 2."""
    y = r.tensor(node.outputs[0])
    if y.quantization is None:
        r.keep(node)
        return
    qmin, qmax = integer(node, "qmin"), integer(node, "qmax")
    low, high = (code_of(x, y, qmin, qmax) for x in _bounds(source))
    r.emit("QuantizeLinear", source.inputs, y, qmin=low, qmax=high)


def _may_clamp(r: Rewriter, clip: Node) -> bool:
    readers = r.readers(clip.outputs[0])
    quantized = len(readers) == 1 and readers[0].op == "QuantizeLinear"
    return not quantized and r.is_sole_reader(clip, clip.inputs[0])


def _into_conv(r: Rewriter, node: Node, source: Node, y: Tensor) -> None:
    """Case 3."""
    before = (number(source, "fmin", -math.inf), number(source, "fmax", math.inf))
    low, high = (_clamp(x, _bounds(node)) for x in before)
    attributes = cast(dict[str, Attribute], dict(source.attributes))
    r.emit(source.op, source.inputs, y, **attributes | {"fmin": low, "fmax": high})


def _over_reshape(r: Rewriter, node: Node, reshape: Node) -> None:
    """Case 4."""
    result = r.tensor(reshape.inputs[0])
    conv = r.producer(result.name)
    readers = [x.outputs for x in r.readers(result.name)]
    shared = readers != [reshape.outputs] or result.name in r.graph.outputs
    if conv is None or conv.op not in CONVOLUTIONS or shared:
        r.keep(node)
        return
    clamped = replace(result, name=derived(result.name, "clamped"))
    _into_conv(r, node, conv, clamped)
    r.emit("Reshape", [clamped.name], r.tensor(node.outputs[0]))
