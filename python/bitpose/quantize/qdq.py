# SPDX-License-Identifier: Apache-2.0
"""Float ONNX to QDQ ONNX: 8-bit weights per output channel, 8-bit activations by their range.

    Conv -> Clip   becomes   Conv (on dequantized weights) -> Clip -> QuantizeLinear
                             -> DequantizeLinear

The result keeps the names of the network's tensors: `x` is then what was dequantized, `x:q` its
codes and `x:float` what was quantized. Everything is elementwise float64 in a fixed order, so equal
ranges give equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

#: Operations whose result gets a scale of its own.
_COMPUTING = frozenset(
    (
        *("Conv", "Add", "Sub", "Mul", "Concat", "AveragePool", "GlobalAveragePool"),
        *("Clip", "Relu", "Sigmoid", "Tanh"),
    )
)
#: Operations whose result keeps the scale of what they read.
_KEEPING = frozenset(("MaxPool", "Resize", "Transpose", "Reshape", "Flatten", "Identity"))
_CLAMPING = frozenset(("Clip", "Relu"))


@dataclass(frozen=True)
class Range:
    """The least and the greatest value that a tensor takes."""

    low: float
    high: float


@dataclass(frozen=True)
class _Codes:
    """real = scale * (q - zero_point), q of the zero point's dtype."""

    scale: np.float32
    zero_point: NDArray[Any]


def activations(model: onnx.ModelProto) -> list[str]:
    """The tensors whose ranges `quantize` needs, in order."""
    consumers = _consumers(model.graph)
    outputs = {y.name for y in model.graph.output}
    names = [x.name for x in model.graph.input if x.type.tensor_type.elem_type == _FLOAT]
    for node in model.graph.node:
        result = node.output[0]
        readers = consumers.get(result, [])
        clamped = len(readers) == 1 and readers[0].op_type in _CLAMPING and result not in outputs
        if node.op_type in _COMPUTING and not clamped:
            names.append(result)
    return names


def quantize(model: onnx.ModelProto, ranges: Mapping[str, Range]) -> onnx.ModelProto:
    """The network in 8 bits, as ONNX with QuantizeLinear and DequantizeLinear (opset 13 or later).

    `ranges` has those of `activations(model)`. Operations that are neither computed in 8 bits nor
    keep codes as they are stay in float between the quantized ones. Raises KeyError for a range
    that is missing.
    """
    return _Quantizer(model, ranges).run()


_FLOAT = onnx.TensorProto.FLOAT


def _consumers(graph: onnx.GraphProto) -> dict[str, list[onnx.NodeProto]]:
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for x in node.input:
            readers.setdefault(x, []).append(node)
    return readers


def activation_codes(values: Range) -> tuple[np.float32, np.int8]:
    """Scale and zero point of an int8 tensor: the range with 0 in it, spread over 256 codes."""
    low, high = min(values.low, 0.0), max(values.high, 0.0)
    scale = np.float32((high - low) / 255.0) if high > low else np.float32(1.0)
    zero_point = np.rint(-128.0 - low / np.float64(scale))
    return scale, np.int8(min(max(zero_point, -128), 127))


def quantize_weights(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric int8 per output channel (axis 0): codes in [-127, 127] and scales."""
    flat = np.abs(weights.astype(np.float64)).reshape(len(weights), -1).max(axis=1)
    scales = np.where(flat > 0, flat / 127.0, 1.0).astype(np.float32)
    per_weight = scales.astype(np.float64).reshape(-1, *[1] * (weights.ndim - 1))
    codes = np.clip(np.rint(weights / per_weight), -127, 127)
    return codes.astype(np.int8), scales


class _Quantizer:
    """Walks the nodes once and collects those of the new graph."""

    def __init__(self, model: onnx.ModelProto, ranges: Mapping[str, Range]) -> None:
        self._model = model
        self._ranges = ranges
        self._needed = set(activations(model))
        self._constants = {t.name: t for t in model.graph.initializer}
        self._nodes: list[onnx.NodeProto] = []
        self._new_constants: dict[str, onnx.TensorProto] = {}
        self._codes: dict[str, _Codes] = {}
        self._renamed: dict[str, str] = {}

    def run(self) -> onnx.ModelProto:
        for x in self._model.graph.input:
            if x.name in self._needed:
                self._quantize_input(x.name)
        for node in self._model.graph.node:
            self._add(node)
        result = onnx.ModelProto()
        result.CopyFrom(self._model)
        graph = result.graph
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(self._nodes)
        read = {x for node in self._nodes for x in node.input}
        constants = {**self._constants, **self._new_constants}
        graph.initializer.extend(t for name, t in constants.items() if name in read)
        onnx.checker.check_model(result)
        return result

    def _quantize_input(self, name: str) -> None:
        scale, zero_point = activation_codes(self._ranges[name])
        self._renamed[name] = f"{name}:dequantized"
        self._requantized(name, self._renamed[name], f"{name}:q", _codes(scale, zero_point))

    def _add(self, node: onnx.NodeProto) -> None:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = [self._renamed.get(x, x) for x in node.input]
        if node.op_type == "Conv":
            self._quantize_parameters(copy)
        result = node.output[0]
        codes = self._result_codes(node, copy)
        self._nodes.append(copy)
        if node.op_type == "DequantizeLinear":
            self._codes[result] = self._read_codes(node)
        elif codes is not None:
            copy.output[0] = f"{result}:float"
            self._requantized(copy.output[0], result, f"{result}:q", codes)

    def _result_codes(self, node: onnx.NodeProto, copy: onnx.NodeProto) -> _Codes | None:
        result = node.output[0]
        if result in self._needed:
            return _codes(*activation_codes(self._ranges[result]))
        if node.op_type in _KEEPING:
            return self._codes.get(copy.input[0])
        return None

    def _requantized(self, source: str, result: str, codes_name: str, codes: _Codes) -> None:
        parameters = [
            self._constant(f"{result}:scale", np.asarray(codes.scale)),
            self._constant(f"{result}:zero_point", codes.zero_point),
        ]
        self._codes[result] = codes
        self._nodes += [
            helper.make_node("QuantizeLinear", [source, *parameters], [codes_name]),
            helper.make_node("DequantizeLinear", [codes_name, *parameters], [result]),
        ]

    def _quantize_parameters(self, conv: onnx.NodeProto) -> None:
        """Weights and bias of a convolution whose input is quantized."""
        x, weights = conv.input[0], conv.input[1]
        if x not in self._codes or weights not in self._constants:
            return
        codes, scales = quantize_weights(numpy_helper.to_array(self._constants[weights]))
        conv.input[1] = self._dequantized(weights, codes, scales)
        if len(conv.input) > 2 and conv.input[2] in self._constants:
            bias = conv.input[2]
            unit = np.float64(self._codes[x].scale) * scales.astype(np.float64)
            exact = numpy_helper.to_array(self._constants[bias]) / unit
            limits = np.iinfo(np.int32)
            steps = np.clip(np.rint(exact), limits.min, limits.max).astype(np.int32)
            conv.input[2] = self._dequantized(f"{bias}:{conv.name}", steps, unit)

    def _dequantized(self, name: str, codes: NDArray[Any], scales: NDArray[Any]) -> str:
        """A constant that is stored as codes, one scale per element of axis 0."""
        operands = [
            self._constant(f"{name}:q", codes),
            self._constant(f"{name}:scale", scales.astype(np.float32)),
            self._constant(f"{name}:zero_point", np.zeros(len(codes), codes.dtype)),
        ]
        result = f"{name}:dequantized"
        self._nodes.append(helper.make_node("DequantizeLinear", operands, [result], axis=0))
        return result

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        self._new_constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def _read_codes(self, node: onnx.NodeProto) -> _Codes:
        """The codes of an activation that the float network dequantizes itself."""
        scale = numpy_helper.to_array(self._constants[node.input[1]])
        zero_point = numpy_helper.to_array(self._constants[node.input[2]])
        return _Codes(np.float32(scale), zero_point)


def _codes(scale: np.float32, zero_point: np.int8) -> _Codes:
    return _Codes(scale, np.asarray(zero_point))
