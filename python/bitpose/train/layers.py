# SPDX-License-Identifier: Apache-2.0
"""What networks are put together from."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Rounded(nn.Sequential):
    """Layers whose result is rounded to 8 bits in a quantized network, by a last one."""


class Pixels(Rounded):
    """Pixels 0 .. 255 as numbers from -1 on, so that codes of 8 bits are pixels less 128."""

    STEP = 1 / 128

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = super().forward(x * self.STEP - 1)
        return y


class Add(Rounded):
    """The sum of two."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        y: Tensor = super().forward(a + b)
        return y


class Concat(Rounded):
    """Channels of two after each other."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        y: Tensor = super().forward(torch.cat([a, b], dim=1))
        return y


class Convolution(Rounded):
    """A convolution and its normalization, perhaps an activation."""


def convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, active: bool = True
) -> Convolution:
    """With batch normalization, and ReLU6 if `active`."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return Convolution(*layers, *([nn.ReLU6()] if active else []))


def separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A depthwise 3x3 and a 1x1 convolution."""
    return nn.Sequential(
        convolution(inputs, inputs, 3, stride=stride, groups=inputs),
        convolution(inputs, outputs, 1),
    )
