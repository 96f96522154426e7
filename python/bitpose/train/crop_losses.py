# SPDX-License-Identifier: Apache-2.0
"""How far a crop network's prediction is from what it should be."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from bitpose.train import body_losses, map_losses
from bitpose.train.body_losses import BodyLosses, BodyTargets
from bitpose.train.crop_network import Prediction
from bitpose.train.crop_targets import CropTargets

WEIGHTS: Mapping[str, float] = {
    **map_losses.WEIGHTS,
    "heat": 0.7,
    "places": 4.0,
    **body_losses.WEIGHTS,
}


class CropLosses(nn.Module):
    """The losses of a batch by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.body = BodyLosses()

    def forward(self, found: Prediction, wanted: CropTargets) -> dict[str, Tensor]:
        part = torch.as_tensor(wanted.part).long()
        losses = {
            "part": map_losses.parts(found.part, part),
            "uv": map_losses.surface(found.uv, part, torch.as_tensor(wanted.uv)),
            "heat": map_losses.places(found.heat, torch.as_tensor(wanted.keypoints)),
        }
        losses["places"] = _places(found.keypoints, wanted)
        names = ("rotations", "betas", "joints", "joints_in_picture")
        true = BodyTargets(*(torch.as_tensor(getattr(wanted, name)) for name in names))
        bodies = [self.body(estimate, true) for estimate in found.estimates]
        for name in bodies[0]:
            losses[name] = torch.stack([each[name] for each in bodies]).mean()
        return losses


def _places(found: Tensor, wanted: CropTargets) -> Tensor:
    """L1 of the places of keypoints in the crop, from -1 to 1."""
    keypoints = torch.as_tensor(wanted.keypoints)
    true = keypoints[..., :2] * 2 / wanted.part.shape[-1] - 1
    inside = keypoints[..., 2:]
    return ((found - true).abs() * inside).sum() / inside.sum().clamp(min=1) / 2
