# SPDX-License-Identifier: Apache-2.0
"""MobileNetV2 (Sandler et al. 2018), with weights of a network in ONNX if wanted.

ReLU6 and no squeeze-excite, so that 8 bits do; see docs/survey.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitpose.errors import InputError
from bitpose.onnx.importer import import_model
from bitpose.train.layers import Add, Convolution, Pixels, convolution

Array = NDArray[Any]

#: Table 2: expansion, channels, blocks, stride.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
#: The last stages at 1/4, 1/8, 1/16 and 1/32 of the picture.
_TAPS = (1, 2, 4, 6)


class Backbone(nn.Module):
    """`width` multiplies the channels."""

    channels: tuple[int, ...]
    """Of the results."""

    def __init__(self, width: float) -> None:
        super().__init__()

        def channels(count: int) -> int:
            return max(8, int(count * width + 4) // 8 * 8)

        inputs = channels(32)
        stages, tapped = [nn.Sequential(convolution(3, inputs, 3, stride=2))], []
        for index, (expansion, outputs, blocks, stride) in enumerate(_STAGES):
            stage = []
            for block in range(blocks):
                first = stride if block == 0 else 1
                stage.append(_Bottleneck(inputs, channels(outputs), expansion, first))
                inputs = channels(outputs)
            stages.append(nn.Sequential(*stage))
            if index in _TAPS:
                tapped.append(inputs)
        self.pixels = Pixels()
        self.stages = nn.ModuleList(stages)
        self.channels = tuple(tapped)
        self.frozen = 0

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Features at 1/4, 1/8, 1/16, 1/32 of pixels 0 .. 255, RGB."""
        x = self.pixels(picture)
        features = []
        for index, stage in enumerate(self.stages):
            with torch.set_grad_enabled(index >= self.frozen and torch.is_grad_enabled()):
                x = stage(x)
            if index - 1 in _TAPS:
                features.append(x)
        return features

    def freeze(self, stages: int) -> None:
        """The first stages stay as they are, also in training; the stem is one."""
        self.frozen = stages
        for stage in self.stages[:stages]:
            stage.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Backbone:
        super().train(mode)
        for stage in self.stages[: self.frozen]:
            stage.eval()
        return self


class _Bottleneck(nn.Module):
    """1x1 up, 3x3 depthwise, 1x1 down; added to the input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.add = Add() if stride == 1 and inputs == outputs else None
        self.layers = nn.Sequential(
            *([convolution(inputs, wide, 1)] if expansion > 1 else []),
            convolution(wide, wide, 3, stride=stride, groups=wide),
            convolution(wide, outputs, 1, active=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return y if self.add is None else self.add(x, y)


def load_weights(backbone: Backbone, path: str | PathLike[str], pictures: Array) -> None:
    """Takes the weights of a MobileNetV2 of the same width whose normalizations were folded, float
    or quantized. `pictures` uint8 [N, 3, H, W] are like those that it is to be trained with: with
    them normalizations are set such that they change nothing.

    Raises InputError where the convolutions are others.
    """
    folded = _folded_convolutions(path)
    layers = [layer for layer in backbone.modules() if isinstance(layer, Convolution)]
    if len(folded) < len(layers):
        raise InputError(f"{path} has {len(folded)} convolutions; this backbone {len(layers)}")
    hooks = []
    for layer, (weight, bias) in zip(layers, folded, strict=False):
        if tuple(layer[0].weight.shape) != weight.shape:
            expected = list(layer[0].weight.shape)
            raise InputError(f"{path}: weights {list(weight.shape)} where {expected} were expected")
        with torch.no_grad():
            layer[0].weight.copy_(torch.tensor(weight))
        hooks.append(layer[1].register_forward_pre_hook(_neutral(torch.tensor(bias))))
    training = backbone.training
    backbone.eval()
    with torch.no_grad():
        backbone(torch.from_numpy(pictures).float())
    backbone.train(training)
    for hook in hooks:
        hook.remove()


def _neutral(bias: Tensor) -> Callable[[nn.BatchNorm2d, Sequence[Tensor]], None]:
    """A hook before a normalization, after which that only adds the bias."""

    def hook(normalization: nn.BatchNorm2d, inputs: Sequence[Tensor]) -> None:
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), unbiased=False)
        # What never varies could not come back from a scale of nothing.
        variance = variance.clamp(min=1e-3)
        normalization.running_mean.copy_(mean)
        normalization.running_var.copy_(variance)
        normalization.weight.copy_((variance + normalization.eps).sqrt())
        normalization.bias.copy_(bias + mean)

    return hook


def _folded_convolutions(path: str | PathLike[str]) -> list[tuple[Array, Array]]:
    """Weights [O, I / groups, H, W] and biases [O], in the order of the layers."""
    graph = import_model(onnx.load(path))
    producers = graph.producers()

    def value(name: str) -> Array:
        tensor, producer = graph.tensor(name), producers.get(name)
        if tensor.data is not None:
            return tensor.data
        if producer is None or producer.op != "DequantizeLinear":
            raise InputError(f"{path}: {name} is no constant")
        codes, scale, zero = (value(operand).astype(np.float32) for operand in producer.inputs)
        if scale.ndim:
            shape = [-1] + [1] * (codes.ndim - 1)
            scale, zero = scale.reshape(shape), zero.reshape(shape)
        return np.asarray((codes - zero) * scale)

    convolutions = [node for node in graph.nodes if node.op == "Conv"]
    return [(value(node.inputs[1]), value(node.inputs[2])) for node in convolutions]
