# SPDX-License-Identifier: Apache-2.0
"""A pose network of MobileNetV2's type with seeded weights, to have something to run anywhere.

Its weights are not trained: it shows speed, memory and equal bits, not people.

    picture -> stem /2 -> 7 stages of inverted residuals, /4 ... /32
            -> head: twice up by 2 and added to the features of that size, then heatmaps at /4

Batch normalisation is folded: what is left of it is a gain per output channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Float32 = NDArray[np.float32]

HEIGHT = WIDTH = 192
KEYPOINTS = 17


@dataclass(frozen=True)
class Stage:
    """Inverted residual blocks; the first has the stride."""

    expansion: int
    channels: int
    blocks: int
    stride: int


#: MobileNetV2 of width 0.75 (Sandler et al. 2018, table 2), without its last 1x1 layer.
STAGES = (
    Stage(1, 16, 1, 1),
    Stage(6, 24, 2, 2),
    Stage(6, 24, 3, 2),
    Stage(6, 48, 4, 2),
    Stage(6, 72, 3, 1),
    Stage(6, 120, 3, 2),
    Stage(6, 240, 1, 1),
)
#: What a block adds to its input varies less than the input, as in trained networks.
_BRANCH_GAIN = 0.4
_STEM = 24
_HEAD = 64


def build_network(seed: int = 0) -> onnx.ModelProto:
    """The float network: uint8 pictures [1, 192, 192, 3] to float heatmaps [1, 48, 48, 17].

    Equal seeds give equal bytes on every machine.
    """
    builder = _Builder(seed)
    x = builder.picture()
    x = builder.conv("stem.conv", x, 3, _STEM, kernel=3, stride=2)
    channels, features = _STEM, {}
    for number, stage in enumerate(STAGES, 1):
        for block in range(stage.blocks):
            stride = stage.stride if block == 0 else 1
            name = f"stage{number}.block{block + 1}"
            x = builder.inverted_residual(name, x, channels, stage, stride)
            channels = stage.channels
        features[number] = (x, channels)
    x = builder.conv("head.reduce", x, channels, _HEAD)
    for number in (5, 3, 2):
        lateral = builder.conv(f"head.lateral{number}", *features[number], _HEAD, activation=False)
        x = builder.up_and_add(f"head.up{number}", x, lateral)
        x = builder.conv(f"head.mix{number}.depthwise", x, _HEAD, _HEAD, kernel=3, groups=_HEAD)
        x = builder.conv(f"head.mix{number}.pointwise", x, _HEAD, _HEAD)
    x = builder.conv("heatmaps.conv", x, _HEAD, KEYPOINTS, activation=False)
    return builder.finish(x)


def synthetic_pictures(count: int, seed: int = 1) -> NDArray[np.uint8]:
    """[count, 192, 192, 3]: slopes, rectangles and noise; equal on every machine."""
    random = np.random.Generator(np.random.PCG64(seed))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    pictures = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
    for picture in pictures:
        slope = random.integers(-2, 3, (2, 3))
        canvas = rows[..., None] * slope[0] + columns[..., None] * slope[1]
        canvas = canvas + random.integers(0, 256, 3)
        for _ in range(12):
            top, left = random.integers(0, HEIGHT), random.integers(0, WIDTH)
            height, width = random.integers(4, 96, 2)
            canvas[top : top + height, left : left + width] += random.integers(-128, 129, 3)
        canvas = canvas + random.integers(-12, 13, canvas.shape)
        picture[...] = np.clip(canvas, 0, 255)
    return pictures


class _Builder:
    """Collects nodes and initializers."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = [
            numpy_helper.from_array(np.array(value, np.float32), name)
            for name, value in (("zero", 0.0), ("six", 6.0), ("double", [1, 1, 2, 2]))
        ]

    def _add(self, op: str, inputs: list[str], name: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def _noise(self, *shape: int) -> NDArray[np.float64]:
        """Bell-shaped, mean 0, variance 1: the sum of three uniforms.

        Not `standard_normal`, which calls the C library's logarithm: its bits are not the same
        everywhere.
        """
        uniform = self._random.random((3, *shape))
        return np.asarray((uniform[0] + uniform[1] + uniform[2] - 1.5) * 2.0)

    def picture(self) -> str:
        """The input, as float in [-1, 1) and NCHW."""
        x = self._add("Transpose", ["picture"], "picture.nchw", perm=[0, 3, 1, 2])
        scale = self._constant("picture.scale", np.array(1 / 128, np.float32))
        zero_point = self._constant("picture.zero_point", np.array(128, np.uint8))
        return self._add("DequantizeLinear", [x, scale, zero_point], "picture.float")

    def conv(
        self,
        name: str,
        x: str,
        inputs: int,
        outputs: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: bool = True,
        gain: float = 1.0,
    ) -> str:
        """A convolution and, with `activation`, ReLU6.

        With a gain of 1 the result varies as much as x does.
        """
        shape = (outputs, inputs // groups, kernel, kernel)
        fan_in = shape[1] * kernel * kernel
        spread = gain * np.sqrt((2.0 if activation else 1.0) / fan_in)
        channel = 1.0 + 0.4 * (2.0 * self._random.random((outputs, 1, 1, 1)) - 1.0)
        weights = self._constant(
            f"{name}.weights", (self._noise(*shape) * spread * channel).astype(np.float32)
        )
        bias = self._constant(f"{name}.bias", (0.1 * self._noise(outputs)).astype(np.float32))
        margin = (kernel - 1) // 2
        y = self._add(
            "Conv", [x, weights, bias], name,
            kernel_shape=[kernel, kernel], strides=[stride, stride],
            pads=[margin] * 4, group=groups,
        )  # fmt: skip
        return self._add("Clip", [y, "zero", "six"], f"{name}.relu6") if activation else y

    def inverted_residual(self, name: str, x: str, channels: int, stage: Stage, stride: int) -> str:
        """1x1 up, 3x3 depthwise, 1x1 down without activation; added to x where shapes allow."""
        wide, y = channels * stage.expansion, x
        if stage.expansion > 1:
            y = self.conv(f"{name}.expand", y, channels, wide)
        y = self.conv(f"{name}.depthwise", y, wide, wide, kernel=3, stride=stride, groups=wide)
        added = stride == 1 and channels == stage.channels
        gain = _BRANCH_GAIN if added else 1.0
        y = self.conv(f"{name}.project", y, wide, stage.channels, activation=False, gain=gain)
        if added:
            y = self._add("Add", [x, y], f"{name}.add")
        return y

    def up_and_add(self, name: str, x: str, lateral: str) -> str:
        y = self._add(
            "Resize", [x, "", "double"], f"{name}.resize",
            mode="linear", coordinate_transformation_mode="half_pixel",
        )  # fmt: skip
        return self._add("Add", [y, lateral], f"{name}.add")

    def finish(self, heatmaps: str) -> onnx.ModelProto:
        result = self._add("Transpose", [heatmaps], "heatmaps", perm=[0, 2, 3, 1])
        types = onnx.TensorProto
        picture = helper.make_tensor_value_info("picture", types.UINT8, [1, HEIGHT, WIDTH, 3])
        shape = [1, HEIGHT // 4, WIDTH // 4, KEYPOINTS]
        output = helper.make_tensor_value_info(result, types.FLOAT, shape)
        graph = helper.make_graph(self._nodes, "demo", [picture], [output], self._constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8,
            producer_name="bitpose demo",
        )  # fmt: skip
        onnx.checker.check_model(model, full_check=True)
        return model
