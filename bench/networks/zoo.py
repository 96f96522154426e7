# SPDX-License-Identifier: Apache-2.0
"""The classification networks that engines are compared on, with random weights.

Architectures are those of the papers at 224x224, batch normalization folded as every deployment
tool does. Time does not depend on the values of weights, except where an engine saturates: weights
are scaled so that activations keep their size.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[np.float32]


class Draft:
    """An ONNX network that grows node by node. Values are known by name, their extents by CHW."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        self._random = np.random.Generator(np.random.PCG64(0))
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._extents = {"x": (channels, height, width)}

    def channels(self, x: str) -> int:
        return self._extents[x][0]

    def convolution(
        self, x: str, filters: int, size: int = 1, stride: int = 1, groups: int = 1
    ) -> str:
        channels, height, width = self._extents[x]
        weights = self._weights((filters, channels // groups, size, size))
        y = self._add(
            "Conv", [x, weights, self._bias(filters)], pads=[size // 2] * 4,
            kernel_shape=[size] * 2, strides=[stride] * 2, group=groups,
        )  # fmt: skip
        self._extents[y] = (filters, -(-height // stride), -(-width // stride))
        return y

    def relu(self, x: str) -> str:
        return self._like("Relu", [x])

    def relu6(self, x: str) -> str:
        return self._like("Clip", [x, self._constant(0.0), self._constant(6.0)])

    def add(self, a: str, b: str) -> str:
        return self._like("Add", [a, b])

    def max_pool(self, x: str) -> str:
        channels, height, width = self._extents[x]
        y = self._add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        self._extents[y] = (channels, -(-height // 2), -(-width // 2))
        return y

    def classifier(self, x: str, classes: int) -> str:
        flat = self._add("Flatten", [self._add("GlobalAveragePool", [x])])
        weights = self._weights((classes, self.channels(x)))
        return self._add("Gemm", [flat, weights, self._bias(classes)], transB=1)

    def model(self, y: str) -> onnx.ModelProto:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *self._extents["x"]])
        outputs = [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)]
        graph = helper.make_graph(self._nodes, "network", [x], outputs, self._constants)
        opsets = [helper.make_opsetid("", 17)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        return onnx.shape_inference.infer_shapes(model, strict_mode=True)

    def _add(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        y = f"{operator.lower()}{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [y], name=y, **attributes))
        return y

    def _like(self, operator: str, inputs: list[str]) -> str:
        y = self._add(operator, inputs)
        self._extents[y] = self._extents[inputs[0]]
        return y

    def _constant(self, value: Array | float) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def _weights(self, shape: tuple[int, ...]) -> str:
        weights = self._random.standard_normal(shape, np.float32)
        return self._constant(weights * np.float32(np.sqrt(2 / np.prod(shape[1:]))))

    def _bias(self, count: int) -> str:
        return self._constant(self._random.standard_normal(count, np.float32) * np.float32(0.1))


def mobilenet_v1() -> onnx.ModelProto:
    """Howard et al. 2017, arXiv 1704.04861: 569 MMAC."""
    net = Draft(3, 224, 224)
    x = net.relu6(net.convolution("x", 32, 3, 2))
    filters = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024]
    for count, stride in zip(filters, [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1], strict=True):
        channels = net.channels(x)
        x = net.relu6(net.convolution(x, channels, 3, stride, groups=channels))
        x = net.relu6(net.convolution(x, count))
    return net.model(net.classifier(x, 1000))


def mobilenet_v2() -> onnx.ModelProto:
    """Sandler et al. 2018, arXiv 1801.04381: 301 MMAC."""
    net = Draft(3, 224, 224)
    x = net.relu6(net.convolution("x", 32, 3, 2))
    for expansion, count, blocks, first_stride in [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
        (6, 160, 3, 2), (6, 320, 1, 1),
    ]:  # fmt: skip
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            channels = net.channels(x)
            wide = channels * expansion
            y = net.relu6(net.convolution(x, wide)) if expansion > 1 else x
            y = net.relu6(net.convolution(y, wide, 3, stride, groups=wide))
            y = net.convolution(y, count)
            x = net.add(x, y) if stride == 1 and channels == count else y
    return net.model(net.classifier(net.relu6(net.convolution(x, 1280)), 1000))


def resnet50() -> onnx.ModelProto:
    """He et al. 2015, arXiv 1512.03385, with the stride in the 3x3 layers: 4.1 GMAC."""
    net = Draft(3, 224, 224)
    x = net.max_pool(net.relu(net.convolution("x", 64, 7, 2)))
    for middle, blocks, first_stride in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            y = net.relu(net.convolution(x, middle))
            y = net.relu(net.convolution(y, middle, 3, stride))
            y = net.convolution(y, 4 * middle)
            shortcut = net.convolution(x, 4 * middle, 1, stride) if block == 0 else x
            x = net.relu(net.add(y, shortcut))
    return net.model(net.classifier(x, 1000))


NETWORKS: dict[str, Callable[[], onnx.ModelProto]] = {
    "mobilenet_v1_224": mobilenet_v1,
    "mobilenet_v2_224": mobilenet_v2,
    "resnet50_224": resnet50,
}


def quantized(model: Path, destination: Path) -> None:
    """The QDQ form that onnxruntime's own quantizer makes: uint8 activations, int8 weights by
    channel, which is what it runs fastest on x86."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    x = onnx.load(model).graph.input[0].type.tensor_type
    extents = [extent.dim_value for extent in x.shape.dim]

    class Pictures(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            random = np.random.Generator(np.random.PCG64(1))
            self._left = [random.random(extents, np.float32) for _ in range(2)]

        def get_next(self) -> dict[str, Array] | None:
            return {"x": self._left.pop()} if self._left else None

    logging.getLogger().setLevel(logging.ERROR)  # It advises a preparation that changes nothing.
    quantize_static(
        str(model), str(destination), Pictures(), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
    )  # fmt: skip


def written(name: str, directory: Path) -> dict[str, Path]:
    """A network's float and int8 files, made where they are missing."""
    paths = {"float": directory / f"{name}.onnx", "int8": directory / f"{name}_qdq.onnx"}
    directory.mkdir(parents=True, exist_ok=True)
    if not paths["float"].exists():
        onnx.save(NETWORKS[name](), paths["float"])
    if not paths["int8"].exists():
        quantized(paths["float"], paths["int8"])
    return paths
