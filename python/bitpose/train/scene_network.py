# SPDX-License-Identifier: Apache-2.0
"""Networks for whole pictures: where people are, or everything of them in one pass.

picture [N, 3, S, S] -> MobileNetV2 -> features at /4, /8, /16, /32 -> decoder
at /8: how likely a person's middle is (Zhou et al. 2019, CenterNet), and how far the sides
       of the box are (Tian et al. 2019, FCOS)
at /4: surface and keypoints of everyone, and from where to the middle of whom is seen
at /16: the body of whose middle it is (Sun et al. 2021, ROMP)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bitpose.pose.body_head import ESTIMATE
from bitpose.train.backbone import Backbone
from bitpose.train.crop_network import KEYPOINTS, PARTS, first_estimate
from bitpose.train.decoder import Decoder
from bitpose.train.layers import Concat, separable

#: Pixels of the picture to one of the maps of boxes, and of those of bodies.
BOX_STRIDE, BODY_STRIDE = 8, 16
#: Of a cell to begin with.
_USUAL_SIDE, _RARE = 0.2, -4.0


@dataclass(frozen=True, eq=False)
class BoxPrediction:
    """Of N pictures."""

    middle: Tensor
    """[N, 1, S / 8, S / 8]: logits."""
    sides: Tensor
    """[N, 4, S / 8, S / 8]: to left, top, right, bottom, over the picture's size."""

    def outputs(self) -> dict[str, Tensor]:
        """What the exported network gives."""
        return {"middle": self.middle, "sides": self.sides}


@dataclass(frozen=True, eq=False)
class ScenePrediction(BoxPrediction):
    """Of N pictures, with h = w = S / 4."""

    part: Tensor
    """[N, 25, h, w]: logits of the background and DensePose's parts."""
    uv: Tensor
    """[N, 2, 24, h, w]: u and v, were it that part."""
    heat: Tensor
    """[N, 17, h, w]: near 1 at COCO's keypoints, else 0."""
    towards: Tensor
    """[N, 2, h, w]: x and y to the middle of the box of whom is seen, over the picture's size."""
    estimate: Tensor
    """[N, ESTIMATE, S / 16, S / 16]."""

    def outputs(self) -> dict[str, Tensor]:
        """What the exported network gives."""
        maps = {"part": self.part, "uv": self.uv.flatten(1, 2), "heat": self.heat}
        return super().outputs() | maps | {"towards": self.towards, "estimate": self.estimate}


class BoxNetwork(nn.Module):
    """Finds people's boxes; `width` multiplies the backbone's channels.

    Features at 1/16 see far enough for boxes; those at 1/32 have two thirds of the weights.
    """

    coarsest = 16

    def __init__(self, width: float = 1.0, size: int = 192, decoder: int = 48) -> None:
        super().__init__()
        self.size = size
        self.backbone = Backbone(width, self.coarsest)
        self.decoder = Decoder(self._taps, decoder)
        self.boxes = separable(decoder, decoder)
        self.middle = nn.Conv2d(decoder, 1, 1)
        self.sides = nn.Conv2d(decoder, 4, 1)
        nn.init.constant_(self.middle.bias, _RARE)
        nn.init.constant_(self.sides.bias, _USUAL_SIDE)

    @property
    def _taps(self) -> tuple[int, ...]:
        return self.backbone.channels[1:]

    def forward(self, picture: Tensor) -> BoxPrediction:
        """Of pixels 0 .. 255, RGB."""
        y = self.boxes(self.decoder(self.backbone(picture)[1:])[0])
        return BoxPrediction(self.middle(y), self.sides(y))


class SceneNetwork(BoxNetwork):
    """Finds people, their surface, keypoints and bodies."""

    coarsest = 32

    def __init__(self, width: float = 0.5, size: int = 256, decoder: int = 64) -> None:
        super().__init__(width, size, decoder)
        self.part = nn.Conv2d(decoder, 1 + PARTS, 1)
        self.uv = nn.Conv2d(decoder, 2 * PARTS, 1)
        self.heat = nn.Conv2d(decoder, KEYPOINTS, 1)
        self.towards = nn.Conv2d(decoder, 2, 1)
        # What is found at /4, brought to /16, says more of a body than the features there.
        self.found = nn.Sequential(separable(decoder, 96, 2), separable(96, 128, 2))
        self.concat = Concat()
        self.body = nn.Sequential(
            separable(decoder + 128, 192),
            separable(192, 256),
            nn.Conv2d(256, ESTIMATE, 1),
        )
        nn.init.normal_(self.body[-1].weight, std=0.01)
        with torch.no_grad():
            self.body[-1].bias.copy_(first_estimate()[0])

    @property
    def _taps(self) -> tuple[int, ...]:
        return self.backbone.channels

    def forward(self, picture: Tensor) -> ScenePrediction:
        """Of pixels 0 .. 255, RGB."""
        fine, middle, coarse, _ = self.decoder(self.backbone(picture))
        y = self.boxes(middle)
        body = self.body(self.concat(coarse, self.found(fine)))
        return ScenePrediction(
            self.middle(y),
            self.sides(y),
            self.part(fine),
            self.uv(fine).unflatten(1, (2, PARTS)),
            self.heat(fine),
            self.towards(fine),
            body,
        )
