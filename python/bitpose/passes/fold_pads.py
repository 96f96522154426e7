# SPDX-License-Identifier: Apache-2.0
"""Makes Pad part of the convolution that reads it."""

from __future__ import annotations

from bitpose.ir.graph import Attribute, Graph, Node
from bitpose.ir.names import derived
from bitpose.passes.qdq import quantization_of
from bitpose.passes.rewriter import Rewriter, ints, number


def fold_pads(graph: Graph) -> Graph:
    """Before -> after (Pad adds zeros to height and width of [N, C, H, W]):

        1. Conv(Pad(x))                     ->   Conv(x) with more padding
        2. Conv(DequantizeLinear(Pad(q)))   ->   Conv(DequantizeLinear(q)), Pad of the zero point

    unless the padding would reach the extent of the dilated kernel.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        pads = _pads(r, node) if node.op == "Conv" else None
        if pads is None:
            r.keep(node)
            continue
        attributes: dict[str, Attribute] = dict(node.attributes)
        attributes["pads"] = pads
        x = _unpadded(r, node)
        r.emit("Conv", [x, *node.inputs[1:]], r.tensor(node.outputs[0]), **attributes)
    return r.finish()


def _source(r: Rewriter, conv: Node) -> tuple[Node | None, Node | None]:
    """The Pad that a convolution reads, and the DequantizeLinear between, if any."""
    source = r.producer(conv.inputs[0])
    if source is not None and source.op == "DequantizeLinear":
        return r.producer(source.inputs[0]), source
    return source, None


def _pads(r: Rewriter, conv: Node) -> tuple[int, int, int, int] | None:
    """The padding of the convolution together with that of the Pad above it."""
    pad, dequantize = _source(r, conv)
    if pad is None or pad.op != "Pad":
        return None
    zero = 0.0
    if dequantize is not None:
        zero = float(quantization_of(r.tensor(dequantize.inputs[0])).zero_point)
    amounts = ints(pad, "pads")
    if number(pad, "value") != zero or any(amounts[i] for i in (0, 1, 4, 5)):
        return None
    own, kernel = ints(conv, "pads"), r.tensor(conv.inputs[1]).shape[2:]
    total = [own[i] + amounts[(2, 3, 6, 7)[i]] for i in range(4)]
    reach = [d * (k - 1) for d, k in zip(ints(conv, "dilations"), kernel, strict=True)]
    if any(total[i] > reach[i % 2] for i in range(4)):
        return None
    return total[0], total[1], total[2], total[3]


def _unpadded(r: Rewriter, conv: Node) -> str:
    pad, dequantize = _source(r, conv)
    assert pad is not None
    if dequantize is None:
        return pad.inputs[0]
    codes = r.tensor(pad.inputs[0])
    real = r.tensor(dequantize.outputs[0])
    output = type(real)(derived(codes.name, "real"), real.dtype, codes.shape)
    return r.emit("DequantizeLinear", [codes.name], output)
