# SPDX-License-Identifier: Apache-2.0
"""A network for the crop around one person: surface, keypoints and body.

picture [N, 3, S, S] -> MobileNetV2 -> features at /4, /8, /16, /32
surface and keypoints: 1x1 to 64 channels, doubled and added, up to /4
body: features at /32 and what the decoder found, weighed by place, where the keypoints are (Sun
      et al. 2018, integral regression), and the last estimate give the next, three times
      (Kanazawa et al. 2018, HMR)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bitpose.body.layout import SMPL_JOINTS
from bitpose.pose.body_head import BETAS, ESTIMATE
from bitpose.train.backbone import Backbone
from bitpose.train.decoder import Decoder
from bitpose.train.layers import Add, Concat, Rounded, convolution, separable

JOINTS, PARTS, KEYPOINTS = len(SMPL_JOINTS), 24, 17
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
    """[N, 17, h, w]: logits of where each of COCO's keypoints is."""
    keypoints: Tensor
    """[N, 17, 2]: where they are in the mean, from -1 to 1 over the crop."""
    estimates: tuple[Tensor, ...]
    """[N, ESTIMATE] after each iteration."""

    def outputs(self) -> dict[str, Tensor]:
        """What the exported network gives."""
        uv, estimate = self.uv.flatten(1, 2), self.estimates[-1]
        return {"part": self.part, "uv": uv, "heat": self.heat, "estimate": estimate}


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
        self.concat = Concat()
        # A weight for each place keeps what an average would lose: where things are.
        self.pooled = Rounded(
            convolution(tapped[-1] + 192, _POOLED, 1),
            nn.Conv2d(_POOLED, _POOLED, size // 32, groups=_POOLED),
            nn.Flatten(),
        )
        self.places = _Places(size // 4)
        self.body = _Iteration()
        self.register_buffer("first", first_estimate())

    def forward(self, picture: Tensor) -> Prediction:
        """Of pixels 0 .. 255, RGB."""
        features = self.backbone(picture)
        y = self.decoder(features)[0]
        uv = self.uv(y)
        heat = self.heat(y)
        keypoints = self.places(heat)
        pooled = self.pooled(self.concat(features[-1], self.found(y)))
        first = self.first.expand(picture.shape[0], -1)
        estimates = self.body(pooled, keypoints.flatten(1), first)
        uv = uv.unflatten(1, (2, PARTS))
        return Prediction(self.part(y), uv, heat, keypoints, estimates)


class _Places(nn.Module):
    """The mean place of each map of logits."""

    def __init__(self, cells: int) -> None:
        super().__init__()
        along = (torch.arange(cells) + 0.5) * 2 / cells - 1
        grid = torch.stack(torch.meshgrid(along, along, indexing="xy"), dim=-1)
        self.register_buffer("grid", grid.reshape(-1, 2), persistent=False)

    def forward(self, heat: Tensor) -> Tensor:
        """[N, K, 2], from -1 to 1, of maps [N, K, cells, cells]."""
        return torch.softmax(heat.flatten(2), dim=-1) @ self.grid


class _Iteration(nn.Module):
    """From an estimate to a better one, several times."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Rounded(nn.Linear(_POOLED, _HIDDEN))
        self.placed = Rounded(nn.Identity())
        self.places = Rounded(nn.Linear(2 * KEYPOINTS, _HIDDEN, bias=False))
        self.both = Add()
        self.last = Rounded(nn.Identity())
        self.known = Rounded(nn.Linear(ESTIMATE, _HIDDEN, bias=False))
        self.add = Add()
        self.hidden = Rounded(nn.ReLU6(), nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU6())
        self.change = nn.Linear(_HIDDEN, ESTIMATE)
        nn.init.zeros_(self.change.bias)
        nn.init.normal_(self.change.weight, std=0.01)

    def forward(self, pooled: Tensor, keypoints: Tensor, estimate: Tensor) -> tuple[Tensor, ...]:
        """Of features [N, 512], coordinates of keypoints [N, 34] and an estimate [N, ESTIMATE],
        which is never rounded itself."""
        seen = self.both(self.seen(pooled), self.places(self.placed(keypoints)))
        estimates = []
        for _ in range(_ITERATIONS):
            hidden = self.hidden(self.add(seen, self.known(self.last(estimate))))
            estimate = estimate + self.change(hidden)
            estimates.append(estimate)
        return tuple(estimates)


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
