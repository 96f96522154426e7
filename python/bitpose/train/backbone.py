# SPDX-License-Identifier: Apache-2.0
"""MobileNetV2 (Sandler et al. 2018).

ReLU6 and no squeeze-excite, so that 8 bits do; see docs/survey.md.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bitpose.train.layers import Add, Pixels, convolution

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
#: Stages of which none is coarser than 1/16.
_FINER = 5


class Backbone(nn.Module):
    """`width` multiplies the channels; `coarsest` is the stride of the last features, 16 or 32."""

    channels: tuple[int, ...]
    """Of the results."""

    def __init__(self, width: float, coarsest: int = 32) -> None:
        super().__init__()

        def channels(count: int) -> int:
            return max(8, int(count * width + 4) // 8 * 8)

        inputs = channels(32)
        stages, tapped = [nn.Sequential(convolution(3, inputs, 3, stride=2))], []
        kept = _STAGES if coarsest == 32 else _STAGES[:_FINER]
        for index, (expansion, outputs, blocks, stride) in enumerate(kept):
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
        """Features at 1/4, 1/8, 1/16 and perhaps 1/32 of pixels 0 .. 255, RGB."""
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
