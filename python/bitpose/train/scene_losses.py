# SPDX-License-Identifier: Apache-2.0
"""How far the prediction of a network for whole pictures is from what it should be."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from bitpose.train import body_losses, map_losses
from bitpose.train.body_losses import BodyLosses, BodyTargets
from bitpose.train.scene_network import BODY_STRIDE, BOX_STRIDE, BoxPrediction, ScenePrediction
from bitpose.train.scene_targets import SceneTargets
from bitpose.train.view import STRIDE

BOX_WEIGHTS: Mapping[str, float] = {"middle": 1.0, "sides": 1.0}
WEIGHTS: Mapping[str, float] = {
    **BOX_WEIGHTS,
    **map_losses.WEIGHTS,
    "heat": 400.0,
    "towards": 10.0,
    **body_losses.WEIGHTS,
}
#: Deviation of a middle's peak over the box's sides, and the least, in pixels of the maps.
_SPREAD, _LEAST = 0.08, 0.7


class BoxLosses(nn.Module):
    """The losses of boxes by their names."""

    def forward(self, found: BoxPrediction, wanted: SceneTargets) -> dict[str, Tensor]:
        count = torch.as_tensor(wanted.people.count)
        boxes = torch.as_tensor(wanted.people.box)
        return {
            "middle": _middles(found.middle[:, 0], count, boxes),
            "sides": _sides(found.sides, count, boxes),
        }


class SceneLosses(BoxLosses):
    """The losses of everything by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.body = BodyLosses()

    def forward(self, found: BoxPrediction, wanted: SceneTargets) -> dict[str, Tensor]:
        assert isinstance(found, ScenePrediction)
        people = wanted.people
        part = torch.as_tensor(wanted.part).long()
        losses = super().forward(found, wanted) | {
            "part": map_losses.parts(found.part, part),
            "uv": map_losses.surface(found.uv, part, torch.as_tensor(wanted.uv)),
            "heat": map_losses.peaks(found.heat, torch.as_tensor(people.keypoints)),
            "towards": _towards(found.towards, wanted),
        }
        picture, person = (torch.as_tensor(people.count) > 0).nonzero(as_tuple=True)
        middle = _middle_of(torch.as_tensor(people.box))[picture, person]
        x, y = (middle / BODY_STRIDE).long().unbind(-1)
        last = found.estimate.shape[-1] - 1
        estimate = found.estimate[picture, :, y.clamp(0, last), x.clamp(0, last)]
        names = ("rotations", "betas", "joints", "joints_in_picture")
        true = (torch.as_tensor(getattr(people, name))[picture, person] for name in names)
        losses.update(self.body(estimate, BodyTargets(*true)))
        return losses


def _middle_of(boxes: Tensor) -> Tensor:
    return (boxes[..., :2] + boxes[..., 2:]) / 2


def _middles(found: Tensor, count: Tensor, boxes: Tensor) -> Tensor:
    """The focal loss of CenterNet (Law and Deng 2018) of logits [N, h, w], over the people."""
    height, width = found.shape[1:]
    middle = _middle_of(boxes)
    middle = middle / BOX_STRIDE
    extents = (boxes[..., 2:] - boxes[..., :2]) / BOX_STRIDE
    spread = (_SPREAD * extents).clamp(min=_LEAST)
    x, y = torch.arange(width) + 0.5, torch.arange(height) + 0.5
    across = ((x - middle[..., :1]) / spread[..., :1])[:, :, None] ** 2
    down = ((y - middle[..., 1:]) / spread[..., 1:])[..., None] ** 2
    peaks = torch.exp(-(across + down) / 2)
    # The pixel that the middle is in counts as it.
    own = (x.floor() == middle[..., :1].floor())[:, :, None]
    own = own & (y.floor() == middle[..., 1:].floor())[..., None]
    real = (count > 0)[..., None, None]
    hit = (own & real).any(dim=1)
    peak = (peaks * real).amax(dim=1)
    # Where someone too small to count is, anything may be said.
    inside = (x >= boxes[..., :1] / BOX_STRIDE) & (x <= boxes[..., 2:3] / BOX_STRIDE)
    within = (y >= boxes[..., 1:2] / BOX_STRIDE) & (y <= boxes[..., 3:] / BOX_STRIDE)
    free = (inside[:, :, None] & within[..., None] & (count < 0)[..., None, None]).any(dim=1)
    likely = found.sigmoid().clamp(1e-4, 1 - 1e-4)
    positive = (1 - likely) ** 2 * likely.log() * hit
    negative = (1 - peak) ** 4 * likely**2 * (1 - likely).log() * (~hit & ~free)
    return -(positive.sum() + negative.sum()) / hit.sum().clamp(min=1)


def _sides(found: Tensor, count: Tensor, boxes: Tensor) -> Tensor:
    """One less the generalized IoU (Rezatofighi et al. 2019) of the boxes that the nine pixels
    around each middle tell."""
    size = found.shape[-1] * BOX_STRIDE
    picture, person = (count > 0).nonzero(as_tuple=True)
    true = boxes[picture, person][:, None]
    cell = (_middle_of(true) / BOX_STRIDE).long()
    around = torch.cartesian_prod(torch.arange(-1, 2), torch.arange(-1, 2))
    x, y = (cell + around).clamp(0, found.shape[-1] - 1).unbind(-1)
    told = found[picture[:, None], :, y, x] * size
    at = (torch.stack([x, y], dim=-1) + 0.5) * BOX_STRIDE
    low, high = at - told[..., :2], at + told[..., 2:]
    area = (high - low).clamp(min=0).prod(-1)
    true_area = (true[..., 2:] - true[..., :2]).prod(-1)
    shared = torch.minimum(high, true[..., 2:]) - torch.maximum(low, true[..., :2])
    both = shared.clamp(min=0).prod(-1)
    union = area + true_area - both
    hull = torch.maximum(high, true[..., 2:]) - torch.minimum(low, true[..., :2])
    whole = hull.clamp(min=1e-3).prod(-1)
    generalized = both / union.clamp(min=1e-3) - (whole - union) / whole
    # Where boxes do not meet at all, its slope is small.
    off = functional.smooth_l1_loss(torch.cat([low, high], -1), true.expand_as(told), beta=1.0)
    if not len(true):
        return found.sum() * 0
    return (1 - generalized).mean() + 4 * off / size


def _towards(found: Tensor, wanted: SceneTargets) -> Tensor:
    """L1 where somebody is seen."""
    owner = torch.as_tensor(wanted.owner).long()
    size = found.shape[-1] * STRIDE
    middle = _middle_of(torch.as_tensor(wanted.people.box))
    rows = torch.arange(len(owner))[:, None, None]
    goal = middle[rows, (owner - 1).clamp(min=0)]
    at = (torch.arange(found.shape[-1]) + 0.5) * STRIDE
    x, y = (goal[..., 0] - at) / size, (goal[..., 1] - at[:, None]) / size
    off = (found - torch.stack([x, y], dim=1)).abs().sum(dim=1)
    return (off * (owner > 0)).sum() / (owner > 0).sum().clamp(min=1)
