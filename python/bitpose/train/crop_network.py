# SPDX-License-Identifier: Apache-2.0
"""A network for the crop around one person: surface, keypoints and body.

picture [N, 3, S, S] -> MobileNetV2 -> features at /4, /8, /16, /32
surface and keypoints: 1x1 to 64 channels, doubled and added, up to /4
body: features at /32 and what the decoder found, weighed by place, and the last estimate give
      the next, three times (Kanazawa et al. 2018, HMR)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bitpose.train.backbone import Backbone, convolution, separable
from bitpose.train.decoder import Decoder

JOINTS, BETAS, PARTS, KEYPOINTS = 24, 16, 24, 17
#: Numbers of an estimate: six for each rotation, the betas, and scale and shift of the camera.
ESTIMATE = 6 * JOINTS + BETAS + 3
_ITERATIONS = 3
_DECODER, _POOLED, _HIDDEN = 64, 512, 256


@dataclass(frozen=True, eq=False)
class Prediction:
    """Of N crops of S pixels, with h = w = S / 4."""

    part: Tensor
    """[N, 25, h, w]: logits of the background and DensePose's parts."""
    uv: Tensor
    """[N, 2, 24, h, w]: u and v, were it that part."""
    heat: Tensor
    """[N, 17, h, w]: near 1 at COCO's keypoints, else 0."""
    estimates: tuple[Tensor, ...]
    """[N, ESTIMATE] after each iteration."""


class CropNetwork(nn.Module):
    """For crops of `size` pixels; `width` multiplies the backbone's channels."""

    def __init__(self, width: float = 1.0, size: int = 128) -> None:
        super().__init__()
        self.backbone = Backbone(width)
        tapped = self.backbone.channels
        self.decoder = Decoder(tapped, _DECODER)
        self.part = nn.Conv2d(_DECODER, 1 + PARTS, 1)
        self.uv = nn.Conv2d(_DECODER, 2 * PARTS, 1)
        self.heat = nn.Conv2d(_DECODER, KEYPOINTS, 1)
        self.found = nn.Sequential(
            separable(_DECODER, 96, stride=2),
            separable(96, 128, stride=2),
            separable(128, 192, stride=2),
        )
        # A weight for each place keeps what an average would lose: where things are.
        self.pooled = nn.Sequential(
            convolution(tapped[-1] + 192, _POOLED, 1),
            nn.Conv2d(_POOLED, _POOLED, size // 32, groups=_POOLED),
            nn.Flatten(),
        )
        self.regressor = nn.Sequential(
            nn.Linear(_POOLED + ESTIMATE, _HIDDEN),
            nn.ReLU6(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.ReLU6(),
            nn.Linear(_HIDDEN, ESTIMATE),
        )
        nn.init.zeros_(self.regressor[-1].bias)
        nn.init.normal_(self.regressor[-1].weight, std=0.01)
        self.register_buffer("first", first_estimate())

    def forward(self, picture: Tensor) -> Prediction:
        """Of pixels 0 .. 255, RGB."""
        features = self.backbone(picture)
        y = self.decoder(features)[0]
        uv = self.uv(y)
        pooled = self.pooled(torch.cat([features[-1], self.found(y)], dim=1))
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
