# SPDX-License-Identifier: Apache-2.0
"""A network for the crop around one person: surface, keypoints and body.

    picture [N, 3, S, S] -> MobileNetV2 (Sandler et al. 2018) -> features at /4, /8, /16, /32
    surface and keypoints: 1x1 to 64 channels, doubled and added, up to /4
    body: pooled features and the last estimate to the next, three times (Kanazawa et al. 2018, HMR)

ReLU6 and no squeeze-excite, so that 8 bits do; see docs/survey.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

JOINTS, BETAS, PARTS, KEYPOINTS = 24, 16, 24, 17
#: Numbers of an estimate: six for each rotation, the betas, and scale and shift of the camera.
ESTIMATE = 6 * JOINTS + BETAS + 3
_ITERATIONS = 3
#: MobileNetV2's table 2: expansion, channels, blocks, stride.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
#: The stages whose results the decoder reads.
_TAPS = (1, 2, 4, 6)
_DECODER, _POOLED, _HIDDEN = 64, 512, 256


@dataclass(frozen=True, eq=False)
class Prediction:
    """Of N crops of S pixels, with h = w = S / 4."""

    part: Tensor
    """[N, 25, h, w]: logits of the background and DensePose's parts."""
    uv: Tensor
    """[N, 2, 24, h, w]: u and v, were it that part."""
    heat: Tensor
    """[N, 17, h, w]: logits of COCO's keypoints."""
    estimates: tuple[Tensor, ...]
    """[N, ESTIMATE] after each iteration."""


class CropNetwork(nn.Module):
    """`width` multiplies the backbone's channels."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()

        def channels(count: int) -> int:
            return max(8, int(count * width + 4) // 8 * 8)

        self.stem = _convolution(3, channels(32), 3, stride=2)
        stages, inputs, tapped = [], channels(32), []
        for index, (expansion, outputs, blocks, stride) in enumerate(_STAGES):
            stage = []
            for block in range(blocks):
                first = stride if block == 0 else 1
                stage.append(_Bottleneck(inputs, channels(outputs), expansion, first))
                inputs = channels(outputs)
            stages.append(nn.Sequential(*stage))
            if index in _TAPS:
                tapped.append(inputs)
        self.stages = nn.ModuleList(stages)
        self.lateral = nn.ModuleList(_convolution(n, _DECODER, 1, active=False) for n in tapped)
        self.mix = nn.ModuleList(
            nn.Sequential(
                _convolution(_DECODER, _DECODER, 3, groups=_DECODER),
                _convolution(_DECODER, _DECODER, 1),
            )
            for _ in tapped[1:]
        )
        self.part = nn.Conv2d(_DECODER, 1 + PARTS, 1)
        self.uv = nn.Conv2d(_DECODER, 2 * PARTS, 1)
        self.heat = nn.Conv2d(_DECODER, KEYPOINTS, 1)
        self.pooled = _convolution(inputs, _POOLED, 1)
        self.regressor = nn.Sequential(
            nn.Linear(_POOLED + ESTIMATE, _HIDDEN),
            nn.ReLU6(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.ReLU6(),
            nn.Linear(_HIDDEN, ESTIMATE),
        )
        nn.init.zeros_(self.regressor[-1].bias)
        nn.init.normal_(self.regressor[-1].weight, std=0.01)
        nn.init.constant_(self.heat.bias, -4.0)
        self.register_buffer("first", first_estimate())

    def forward(self, picture: Tensor) -> Prediction:
        """Of pixels 0 .. 255, RGB."""
        x = self.stem(picture / 127.5 - 1)
        features = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in _TAPS:
                features.append(x)
        pooled = self.pooled(x).mean(dim=(2, 3))
        y = self.lateral[-1](features[-1])
        for level in reversed(range(len(features) - 1)):
            y = nn.functional.interpolate(y, scale_factor=2.0, mode="nearest")
            y = self.mix[level](y + self.lateral[level](features[level]))
        uv = self.uv(y)
        estimate = self.first.expand(len(picture), -1)
        estimates = []
        for _ in range(_ITERATIONS):
            estimate = estimate + self.regressor(torch.cat([pooled, estimate], dim=1))
            estimates.append(estimate)
        return Prediction(self.part(y), uv.unflatten(1, (2, PARTS)), self.heat(y), tuple(estimates))


def first_estimate() -> Tensor:
    """[1, ESTIMATE]: someone upright who looks into the camera and fills the crop."""
    rotations = torch.eye(3).repeat(JOINTS, 1, 1)
    rotations[0] = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    camera = torch.tensor([1.0, 0.0, 0.0])
    six = rotations[:, :, :2].transpose(1, 2).reshape(-1)
    return torch.cat([six, torch.zeros(BETAS), camera])[None]


def rotations_of(estimate: Tensor) -> Tensor:
    """[N, 24, 3, 3] of the first two columns of each, straightened (Zhou et al. 2019)."""
    columns = estimate[:, : 6 * JOINTS].reshape(-1, JOINTS, 2, 3)
    x = nn.functional.normalize(columns[:, :, 0], dim=-1)
    y = columns[:, :, 1] - (x * columns[:, :, 1]).sum(-1, keepdim=True) * x
    y = nn.functional.normalize(y, dim=-1)
    return torch.stack([x, y, torch.cross(x, y, dim=-1)], dim=-1)


def betas_of(estimate: Tensor) -> Tensor:
    """[N, 16]."""
    return estimate[:, 6 * JOINTS : 6 * JOINTS + BETAS]


def camera_of(estimate: Tensor) -> Tensor:
    """[N, 3]: scale and shift: crop = scale * (x, y) + shift, from -1 to 1 over the crop."""
    return estimate[:, 6 * JOINTS + BETAS :]


def _convolution(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, active: bool = True
) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU6()] if active else []))


class _Bottleneck(nn.Module):
    """1x1 up, 3x3 depthwise, 1x1 down; added to the input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.added = stride == 1 and inputs == outputs
        self.layers = nn.Sequential(
            *([_convolution(inputs, wide, 1)] if expansion > 1 else []),
            _convolution(wide, wide, 3, stride=stride, groups=wide),
            _convolution(wide, outputs, 1, active=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.added else y
