# SPDX-License-Identifier: Apache-2.0
"""How far a prediction is from what it should be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bitpose.body import BodyModel
from bitpose.train.crop_network import (
    PARTS,
    Prediction,
    betas_of,
    camera_of,
    rotations_of,
)
from bitpose.train.targets import IGNORED, Targets

#: Of each loss in the sum, such that all of them are about as large when training begins to end.
WEIGHTS: Mapping[str, float] = {
    "part": 1.0,
    "uv": 6.0,
    "heat": 150.0,
    "rotations": 2.0,
    "betas": 0.05,
    "joints": 8.0,
    "picture": 4.0,
}
#: Deviation of a keypoint's peak, in pixels of the maps.
_PEAK = 1.25


class Losses(nn.Module):
    """The losses of a batch by their names, means over its people."""

    def __init__(self) -> None:
        super().__init__()
        model = BodyModel.load()
        self.parents = model.parents.tolist()
        self.register_buffer("rest", torch.tensor(np.array(model.J_template)))
        self.register_buffer("by_shape", torch.tensor(np.array(model.J_shapedirs)))

    def forward(self, found: Prediction, wanted: Targets) -> dict[str, Tensor]:
        part = torch.from_numpy(wanted.part).long()
        losses = {
            "part": functional.cross_entropy(found.part, part, ignore_index=IGNORED),
            "uv": _surface(found.uv, part, torch.from_numpy(wanted.uv)),
            "heat": _peaks(found.heat, torch.from_numpy(wanted.keypoints)),
        }
        body = [self._body(estimate, wanted) for estimate in found.estimates]
        for name in body[0]:
            losses[name] = torch.stack([each[name] for each in body]).mean()
        return losses

    def _body(self, estimate: Tensor, wanted: Targets) -> dict[str, Tensor]:
        rotations, betas, camera = rotations_of(estimate), betas_of(estimate), camera_of(estimate)
        joints = self.joints(rotations, betas)
        seen = camera[:, None, :1] * joints[..., :2] + camera[:, None, 1:]
        return {
            "rotations": (rotations - torch.from_numpy(wanted.rotations)).abs().mean(),
            "betas": (betas - torch.from_numpy(wanted.betas)).abs().mean(),
            "joints": (joints - torch.from_numpy(wanted.joints)).abs().mean(),
            "picture": (seen - torch.from_numpy(wanted.joints_in_picture)).abs().mean(),
        }

    def joints(self, rotations: Tensor, betas: Tensor) -> Tensor:
        """[N, 24, 3] metres from the root."""
        rest = self.rest + torch.einsum("nb,bjc->njc", betas, self.by_shape)
        turned, places = [rotations[:, 0]], [torch.zeros_like(rest[:, 0])]
        for joint, parent in enumerate(self.parents[1:], start=1):
            bone = (rest[:, joint] - rest[:, parent])[..., None]
            places.append(places[parent] + (turned[parent] @ bone)[..., 0])
            turned.append(turned[parent] @ rotations[:, joint])
        return torch.stack(places, dim=1)


def _surface(uv: Tensor, part: Tensor, wanted: Tensor) -> Tensor:
    """Smooth L1 of u and v of the true part, where there is one."""
    inside = (part > 0) & (part <= PARTS)
    index = (part.clamp(1, PARTS) - 1)[:, None, None].expand(-1, 2, -1, -1, -1)
    found = uv.gather(2, index)[:, :, 0]
    off = functional.smooth_l1_loss(found, wanted, reduction="none", beta=0.05).sum(dim=1)
    return off[inside].sum() / inside.sum().clamp(min=1)


def _peaks(heat: Tensor, keypoints: Tensor) -> Tensor:
    """Squared differences from a peak at each keypoint that is in the crop, else from nothing."""
    height, width = heat.shape[2:]
    x = torch.arange(width) + 0.5 - keypoints[..., :1]
    y = torch.arange(height) + 0.5 - keypoints[..., 1:2]
    peak = torch.exp(-(x[:, :, None] ** 2 + y[..., None] ** 2) / (2 * _PEAK**2))
    inside = keypoints[..., 2, None, None]
    return ((heat - inside * peak) ** 2).mean()
