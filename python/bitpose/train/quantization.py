# SPDX-License-Identifier: Apache-2.0
"""Quantization-aware training (Jacob et al. 2018): networks that compute as the engine will.

Weights are rounded to 8 bits for each output channel, what layers give to 8 bits for each tensor,
in the forward pass only; slopes pass through (Bengio et al. 2013). Exported networks hold
QuantizeLinear and DequantizeLinear, which the importer takes like any user's. Sums of float32 are
not those of integers to the last bit: where one falls next to the middle between two codes, the
engine may take the other.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bitpose.train.layers import Convolution, Pixels, Rounded

_LOW, _HIGH = -128, 127
#: Shares of the widest range that are tried for the least squared error.
_SHARES = torch.linspace(0.3, 1.0, 36)
#: Of weights, the least step: biases are integers of 32 bits in steps of weights and inputs.
_FINEST = 1e-5
#: Values of a tensor that ranges are chosen by.
_SAMPLED = 1 << 14


def prepare(network: nn.Module) -> nn.Module:
    """Folds normalizations into convolutions, and rounds weights and what layers give from now on.
    Ranges are to be chosen by `calibrate`, or to be loaded."""
    network.eval()
    for module in list(network.modules()):
        if isinstance(module, Convolution):
            module[0] = fuse_conv_bn_eval(module[0], module[1])
            module[1] = nn.Identity()
        if isinstance(module, Rounded):
            module.append(Rounding(Pixels.STEP if isinstance(module, Pixels) else None))
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear):
            rounded = _RoundedWeight(module.weight)
            parametrize.register_parametrization(module, "weight", rounded)
    return network


def calibrate(network: nn.Module, pictures: Tensor) -> None:
    """Chooses the ranges of what layers give for `pictures`, each by what comes of the others."""
    for rounding in _roundings(network):
        rounding.observes = True
    network.eval()
    with torch.no_grad():
        network(pictures)
    for rounding in _roundings(network):
        rounding.observes = False


def _roundings(network: nn.Module) -> Iterator[Rounding]:
    return (module for module in network.modules() if isinstance(module, Rounding))


class Rounding(nn.Module):
    """Rounds to 8 bits within a range, which includes 0, or to multiples of `step`."""

    def __init__(self, step: float | None = None) -> None:
        super().__init__()
        self.fixed = step is not None
        self.register_buffer("scale", torch.tensor(step or 1.0))
        self.register_buffer("zero_point", torch.zeros((), dtype=torch.int32))
        self.observes = False

    def forward(self, x: Tensor) -> Tensor:
        if self.observes and not self.fixed:
            self._observe(x)
        return torch.fake_quantize_per_tensor_affine(x, self.scale, self.zero_point, _LOW, _HIGH)

    def _observe(self, x: Tensor) -> None:
        """Takes the range that costs the least squared error."""
        values = x.detach().flatten()
        values = values[:: max(1, len(values) // _SAMPLED)]
        low, high = values.min().clamp(max=0), values.max().clamp(min=1e-3)
        best = torch.inf
        for share in _SHARES:
            scale = (share * (high - low) / (_HIGH - _LOW)).clamp(min=1e-8)
            zero = (_LOW - share * low / scale).round().clamp(_LOW, _HIGH).to(torch.int32)
            rounded = torch.fake_quantize_per_tensor_affine(values, scale, zero, _LOW, _HIGH)
            error = float((rounded - values).square().sum())
            if error < best:
                best = error
                self.scale.copy_(scale)
                self.zero_point.copy_(zero)


class _RoundedWeight(nn.Module):
    """Rounds a weight [O, ...] to -127 .. 127 times a scale for each output."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", _scale(weight))
        self.register_buffer("zero_point", torch.zeros(len(weight), dtype=torch.int32))

    def forward(self, weight: Tensor) -> Tensor:
        if self.training:
            self.scale.copy_(_scale(weight))
        # The exporter takes no other range; -128 does not occur.
        return torch.fake_quantize_per_channel_affine(
            weight, self.scale, self.zero_point, 0, _LOW, _HIGH
        )


def _scale(weight: Tensor) -> Tensor:
    return weight.detach().flatten(1).abs().amax(dim=1).clamp(min=_FINEST * _HIGH) / _HIGH
