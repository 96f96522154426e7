# SPDX-License-Identifier: Apache-2.0
"""Folds scales and shifts of channels into the convolution in front of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.ir.names import derived
from bitpose.passes.rewriter import Rewriter
from bitpose.passes.spatial import CONVOLUTIONS

Array = NDArray[Any]


def fold_scales(graph: Graph) -> Graph:
    """Before -> after (w, b: constant weights and bias; s, t: one constant per channel, or one):

        1. Conv(x, w, b) * s, Conv(x, w, b) / s   ->   Conv(x, w * s, b * s), or with 1 / s
        2. Conv(x, w, b) + t, Conv(x, w, b) - t   ->   Conv(x, w, b + t), or with -t
        3. the same of ConvTranspose

    Only where nothing else reads the Conv. This is what becomes of a BatchNormalization. Each new
    constant is rounded to float32 once.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        if node.op not in ("Mul", "Div", "Add", "Sub") or not _fold(r, node):
            r.keep(node)
    return r.finish()


def _fold(r: Rewriter, node: Node) -> bool:
    pairs = [(node.inputs[0], node.inputs[1])]
    if node.op in ("Mul", "Add"):
        pairs.append((node.inputs[1], node.inputs[0]))
    for x, other in pairs:
        conv, y = r.producer(x), r.tensor(node.outputs[0])
        if conv is None or conv.op not in CONVOLUTIONS or not r.is_sole_reader(node, x):
            continue
        constants = [r.tensor(name).data for name in conv.inputs[1:]]
        values = _per_channel(r.tensor(other), y.shape)
        if values is None or "fmin" in conv.attributes or any(c is None for c in constants):
            continue
        _write(r, node.op, conv, y, values)
        return True
    return False


def _per_channel(t: Tensor, shape: tuple[int, ...]) -> Array | None:
    """The value for each channel, if the constant has one for each or one for all."""
    if t.data is None or len(t.shape) > len(shape):
        return None
    extents = (1,) * (len(shape) - len(t.shape)) + t.shape
    if any(extent != 1 for axis, extent in enumerate(extents) if axis != 1):
        return None
    if len(shape) < 2 or extents[1] not in (1, shape[1]):
        return None
    return np.broadcast_to(t.data.reshape(-1), shape[1]).astype(np.float64)


def _write(r: Rewriter, op: str, conv: Node, y: Tensor, values: Array) -> None:
    weights = _constant(r, conv.inputs[1])
    bias = _constant(r, conv.inputs[2]) if len(conv.inputs) == 3 else np.zeros(y.shape[1])
    with np.errstate(all="ignore"):
        if op in ("Mul", "Div"):
            scale = values if op == "Mul" else 1.0 / values
            weights = weights * scale.reshape(-1, *[1] * (weights.ndim - 1))
            bias = bias * scale
        else:
            bias = bias + values if op == "Add" else bias - values
        names = [
            r.constant(derived(y.name, what), data.astype(np.float32))
            for what, data in (("weights", weights), ("bias", bias))
        ]
    r.emit(conv.op, [conv.inputs[0], *names], y, **conv.attributes)


def _constant(r: Rewriter, name: str) -> Array:
    data = r.tensor(name).data
    assert data is not None
    return data.astype(np.float64)
