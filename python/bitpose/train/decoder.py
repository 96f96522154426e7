# SPDX-License-Identifier: Apache-2.0
"""From a backbone's features to fine ones (Lin et al. 2017, FPN): 1x1 to one number of channels,
doubled and added."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from bitpose.train.layers import Add, convolution, separable


class Decoder(nn.Module):
    """`taps` are the channels of the features, fine to coarse; each is half as large as the one
    before."""

    def __init__(self, taps: Sequence[int], channels: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(convolution(n, channels, 1, active=False) for n in taps)
        self.add = nn.ModuleList(Add() for _ in taps[1:])
        self.mix = nn.ModuleList(separable(channels, channels) for _ in taps[1:])

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """[N, channels, h, w] for each of the features."""
        y = self.lateral[-1](features[-1])
        results = [y]
        for level in reversed(range(len(features) - 1)):
            y = nn.functional.interpolate(y, scale_factor=2.0, mode="nearest")
            y = self.mix[level](self.add[level](y, self.lateral[level](features[level])))
            results.insert(0, y)
        return results
