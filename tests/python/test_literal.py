# SPDX-License-Identifier: Apache-2.0
"""Whole networks, operator by operator: each fed onnxruntime's own tensors must give its result.

onnxruntime runs the ONNX model as it stands, in floats between quantized tensors. So a wrong weight
layout, scale, zero point, clamp or table shows in the operator that has it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

from bitpose.ir.graph import Graph, Node
from bitpose.ir.names import without_layout
from bitpose.ir.printer import count_operators
from bitpose.ir.reference import OPERATORS
from bitpose.ir.reference.operand import Operand
from bitpose.ir.validate import validate
from bitpose.onnx.importer import import_model
from bitpose.passes import PIPELINE, run_passes
from bitpose.pose.photo import letterbox, load_photo

from . import shared

# ruff: noqa: T201

Array = NDArray[Any]

NETWORKS = ("movenet_lightning_ptq", "mobilenet_v2_quant", "pem_cpm")
PHOTOS = ("coral_squat.bmp", "coral_grace_hopper.bmp", "coco/000000000785.jpg")
#: Elements of a tensor that may be one step off: sums of floats that fall on the other side of .5.
MOST_OFF = 1e-3
#: What remains of each network.
REMAINING = {
    "movenet_lightning_ptq": {
        "conv2d_qs8": 50,
        "dwconv2d_qs8": 24,
        "add_qs8": 20,
        "reshape": 14,
        "lut_x8": 8,
        "binary_integer": 6,
        "concat": 5,
        "quantize_f32_qs8": 5,
        "cast": 4,
        "gather_nd": 4,
        "slice": 4,
        "dequantize_qs8_f32": 3,
        "resize2d_qs8": 3,
        "argmax": 2,
        "binary_f32": 1,
        "mul_qs8": 1,
    },
    "mobilenet_v2_quant": {
        "conv2d_qs8": 36,
        "dwconv2d_qs8": 17,
        "add_qs8": 10,
        "lut_x8": 2,
        "avgpool2d_qs8": 1,
        "dequantize_qs8_f32": 1,
        "quantize_f32_qs8": 1,
        "reshape": 1,
        "softmax_f32": 1,
    },
    "pem_cpm": {
        "conv2d_f32": 93,
        "dwconv2d_f32": 52,
        "binary_f32": 29,
        "concat": 6,
        "resize2d_f32": 3,
        "maxpool2d_f32": 2,
    },
}


@cache
def loaded(name: str) -> onnx.ModelProto:
    return onnx.load(shared.model(name))


@cache
def compiled(name: str) -> Graph:
    """The final graph, tensors still called "x@0231" where they are transposes of ONNX's x."""
    return run_passes(import_model(loaded(name)), PIPELINE[:-1])


@pytest.mark.parametrize("name", NETWORKS)
def test_what_remains(name: str) -> None:
    graph = run_passes(compiled(name), PIPELINE[-1:])
    validate(graph, final=True)
    counts = count_operators(graph)
    print(f"\n{name}: " + ", ".join(f"{n} {op}" for op, n in counts.items()))
    assert counts == REMAINING[name]
    assert all(without_layout(tensor) == tensor for tensor in graph.tensors)


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_keep_their_bytes(name: str) -> None:
    """Every byte of the weights of convolutions is in the ONNX file, as often as there."""
    originals = [t.raw_data for t in loaded(name).graph.initializer]
    known = {_histogram(data) for data in originals}
    known |= {_histogram(bytes(byte ^ 0x80 for byte in data)) for data in originals}
    graph = compiled(name)
    for node in graph.nodes:
        if "conv2d" in node.op:
            weights = graph.tensor(node.inputs[1]).data
            assert weights is not None
            assert _histogram(weights.tobytes()) in known


def _histogram(data: bytes) -> bytes:
    return np.bincount(np.frombuffer(data, np.uint8), minlength=256).tobytes()


def picture(name: str, photo: str) -> dict[str, Array]:
    """A photo as the network's input."""
    (value,) = loaded(name).graph.input
    height, width = (d.dim_value for d in value.type.tensor_type.shape.dim[1:3])
    pixels = letterbox(load_photo(shared.image(photo)), height, width)[0][None]
    floats = value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    return {value.name: pixels.astype(np.float32) if floats else pixels}


@cache
def peer(name: str) -> Any:
    """onnxruntime with every tensor as an output, nothing optimised."""
    onnxruntime = pytest.importorskip("onnxruntime")
    model = onnx.ModelProto()
    model.CopyFrom(loaded(name))
    outputs = {y.name for y in model.graph.output}
    for node in model.graph.node:
        for y in node.output:
            if y and y not in outputs:
                model.graph.output.append(helper.make_empty_tensor_value_info(y))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


class Reference:
    """The tensors of a final graph as onnxruntime computes them."""

    def __init__(self, name: str, photo: str) -> None:
        session, feed = peer(name), picture(name, photo)
        names = [y.name for y in session.get_outputs()]
        self.graph = compiled(name)
        self.values: dict[str, Array] = dict(zip(names, session.run(names, feed), strict=True))
        self.values |= feed

    def value(self, name: str) -> Array:
        """A tensor in the layout and dtype of the final graph."""
        tensor = self.graph.tensor(name)
        if tensor.data is not None:
            return tensor.data
        match = re.fullmatch(r"(.*?)(@int8)?(?:@([0-9]+))?", name, re.DOTALL)
        assert match is not None
        value = self.values[match[1]]
        if value.dtype == np.uint8 and tensor.dtype == np.int8:
            value = (value ^ 0x80).view(np.int8)
        if match[3]:
            value = value.transpose([int(axis) for axis in match[3]])
        assert value.shape == tensor.shape
        return np.ascontiguousarray(value)


@dataclass
class Figures:
    """How far the operators of one kind are off."""

    operators: int = 0
    elements: int = 0
    off: int = 0
    most: float = 0.0


def off_steps(reference: Reference, node: Node) -> tuple[Array, Array]:
    """By how much each element of a node's result differs, and what onnxruntime has."""
    operands = [Operand(reference.graph.tensor(x), reference.value(x)) for x in node.inputs]
    y = reference.graph.tensor(node.outputs[0])
    got = OPERATORS[node.op](y, *operands, **node.attributes)
    expected = reference.value(y.name)
    assert got.dtype == y.dtype
    kind = np.float64 if got.dtype == np.float32 else np.int64
    return np.abs(got.astype(kind) - expected.astype(kind)), expected


def compared(name: str, photo: str) -> Iterator[tuple[Node, Array, Array]]:
    reference = Reference(name, photo)
    for node in reference.graph.nodes:
        difference, expected = off_steps(reference, node)
        yield node, difference, expected


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("name", NETWORKS)
def test_literal(name: str, photo: str) -> None:
    figures: dict[str, Figures] = defaultdict(Figures)
    for node, difference, expected in compared(name, photo):
        row, most = figures[node.op], float(difference.max(initial=0))
        row.operators += 1
        row.elements += difference.size
        row.most = max(row.most, most)
        if expected.dtype == np.float32:
            assert most <= 1e-5 * max(1.0, float(np.abs(expected).max())), node.name
        else:
            off = int(np.count_nonzero(difference))
            row.off += off
            assert most <= 1, node.name
            assert off <= max(1, MOST_OFF * difference.size), node.name
    print(f"\n{name} on {photo}")
    for op, row in figures.items():
        print(f"  {op:20} {row.operators:3}  {row.off:4} of {row.elements:8} off, {row.most:.2g}")
