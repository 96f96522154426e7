# SPDX-License-Identifier: Apache-2.0
"""Moves scales and zero points from QDQ nodes into the tensors they describe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bitpose.ir.graph import Graph, Node, Quantization, Tensor
from bitpose.ir.names import derived
from bitpose.ir.operators import MOVING
from bitpose.passes.rewriter import Rewriter

#: Operations whose result has the scale of their first operand.
_KEEPING = (*MOVING, "MaxPool", "Pad")
_BYTES = ("int8", "uint8")
_CODES = (*_BYTES, "int16")
#: The byte of every code.
_IDENTITY = np.arange(256, dtype=np.uint8)


def annotate_quantization(graph: Graph) -> Graph:
    """Before -> after (s, z: scale and zero point, one for the tensor):

    1. q = QuantizeLinear(x, s, z)       ->   q{s, z} = QuantizeLinear(x), all codes allowed
    2. x = DequantizeLinear(q, s, z)     ->   x = DequantizeLinear(q{s, z})
    3. x = Cast(q) from 8 bits to float  ->   x = DequantizeLinear(q{1, 0})
    4. q moved, padded or max-pooled     ->   the result has the scale of q
    5. case 2 or 3 where q has other
       parameters already                ->   x = DequantizeLinear(q'{s, z}), q' the codes of q
    6. DequantizeLinear of a constant
       with one scale per channel        ->   unchanged
    """
    r = Rewriter(graph)
    notes = _Notes(r)
    for node in graph.nodes:
        match node.op:
            case "QuantizeLinear" if len(node.inputs) == 3:
                _quantize(r, notes, node)
            case "DequantizeLinear" if len(node.inputs) == 3:
                _dequantize(r, notes, node)
            case "Cast" if _reads_bytes(r, node):
                _read_codes(r, notes, node, Quantization(1.0, 0))
            case _:
                notes.pass_on(node)
                r.keep(node)
    notes.write()
    return r.finish()


def _reads_bytes(r: Rewriter, cast: Node) -> bool:
    """Case 3."""
    x, y = r.tensor(cast.inputs[0]), r.tensor(cast.outputs[0])
    return x.dtype.name in _BYTES and y.dtype == np.float32


class _Notes:
    """What is known of quantized tensors, by name."""

    def __init__(self, r: Rewriter) -> None:
        self.r = r
        self.known: dict[str, Quantization] = {}

    def pass_on(self, node: Node) -> None:
        """Case 4."""
        if node.op not in _KEEPING or self.r.tensor(node.outputs[0]).dtype.name not in _CODES:
            return
        notes = {self.known.get(self.r.resolve(x)) for x in _moved(node)}
        note = notes.pop()
        if note is not None and not notes:
            self.known[node.outputs[0]] = note

    def claim(self, name: str, note: Quantization) -> bool:
        """Notes what a reader says of a tensor. False if the tensor is known as something else."""
        if self.known.setdefault(name, note) != note:
            return False
        producer = self.r.producer(name)
        if producer is not None and producer.op in _KEEPING:
            for x in _moved(producer):
                if x not in self.known:
                    self.claim(x, note)
        return True

    def write(self) -> None:
        """Puts the notes into the tensors."""
        for name, note in self.known.items():
            self.r.tensors[name] = replace(self.r.tensors[name], quantization=note)


def _moved(node: Node) -> tuple[str, ...]:
    """The operands whose elements a moving operation hands on."""
    return node.inputs if node.op in ("Concat", "concat") else node.inputs[:1]


def _parameters(r: Rewriter, node: Node) -> Quantization | None:
    scale, zero_point = (r.tensor(x).data for x in node.inputs[1:])
    if scale is None or zero_point is None or scale.size != 1:
        return None
    return Quantization(float(scale.reshape(())), int(zero_point.reshape(())))


def _quantize(r: Rewriter, notes: _Notes, node: Node) -> None:
    """Case 1."""
    note = _parameters(r, node)
    if note is None:
        r.keep(node)
        return
    output = r.tensor(node.outputs[0])
    limits = np.iinfo(output.dtype)
    notes.known[output.name] = note
    bounds = {"qmin": int(limits.min), "qmax": int(limits.max)}
    r.emit("QuantizeLinear", node.inputs[:1], output, **bounds)


def _dequantize(r: Rewriter, notes: _Notes, node: Node) -> None:
    """Cases 2 and 6."""
    note = _parameters(r, node)
    if note is None:
        r.keep(node)
    else:
        _read_codes(r, notes, node, note)


def _read_codes(r: Rewriter, notes: _Notes, node: Node, note: Quantization) -> None:
    """Cases 2, 3 and 5."""
    codes, output = r.tensor(node.inputs[0]), r.tensor(node.outputs[0])
    if not notes.claim(codes.name, note):
        codes = _reinterpreted(r, codes, output)
        notes.known[codes.name] = note
    r.emit("DequantizeLinear", [codes.name], output)


def _reinterpreted(r: Rewriter, codes: Tensor, reader: Tensor) -> Tensor:
    """Case 5: the same codes under another name."""
    name = derived(reader.name, "codes")
    if codes.data is not None:
        r.constant(name, codes.data)
    elif codes.dtype == np.int16:
        r.emit("cast", [codes.name], replace(codes, name=name, quantization=None))
    else:
        table = r.constant(derived(name, "table"), _IDENTITY)
        r.emit("lut_x8", [codes.name, table], replace(codes, name=name, quantization=None))
    return r.tensors[name]
