# SPDX-License-Identifier: Apache-2.0
"""How far predicted bodies are from what they should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bitpose.body import BodyModel
from bitpose.train.crop_network import betas_of, camera_of, rotations_of

#: Of each loss in the sum.
WEIGHTS: Mapping[str, float] = {"rotations": 4.0, "betas": 0.05, "joints": 8.0, "picture": 4.0}


@dataclass(frozen=True, eq=False)
class BodyTargets:
    """Of N people."""

    rotations: Tensor
    """[N, 24, 3, 3]: the root's in the frame of the crop's camera."""
    betas: Tensor
    """[N, 16]."""
    joints: Tensor
    """[N, 24, 3] metres, from the root, in the same frame."""
    joints_in_picture: Tensor
    """[N, 24, 2]: from -1 to 1 over the crop."""


class BodyLosses(nn.Module):
    """The losses of estimates [N, ESTIMATE] by their names, means over people."""

    def __init__(self) -> None:
        super().__init__()
        model = BodyModel.load()
        self.parents = model.parents.tolist()
        self.register_buffer("rest", torch.tensor(np.array(model.J_template)))
        self.register_buffer("by_shape", torch.tensor(np.array(model.J_shapedirs)))

    def forward(self, estimate: Tensor, wanted: BodyTargets) -> dict[str, Tensor]:
        rotations, betas, camera = rotations_of(estimate), betas_of(estimate), camera_of(estimate)
        joints = self.joints(rotations, betas)
        seen = camera[:, None, :1] * joints[..., :2] + camera[:, None, 1:]
        return {
            "rotations": (rotations - wanted.rotations).abs().mean(),
            "betas": (betas - wanted.betas).abs().mean(),
            "joints": (joints - wanted.joints).abs().mean(),
            "picture": (seen - wanted.joints_in_picture).abs().mean(),
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
