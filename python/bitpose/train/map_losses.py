# SPDX-License-Identifier: Apache-2.0
"""How far predicted maps are from what they should be."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from bitpose.train.crop_network import PARTS
from bitpose.train.view import IGNORED

#: Of each loss in the sum.
WEIGHTS: Mapping[str, float] = {"part": 1.0, "uv": 6.0}
#: Deviation of a keypoint's peak, in pixels of the maps.
_PEAK = 1.25
#: Of a keypoint that is not in the crop: it should be said to be anywhere.
_ELSEWHERE = 0.2


def parts(found: Tensor, part: Tensor) -> Tensor:
    """Cross-entropy of logits [N, 25, h, w] where something is known of part [N, h, w]; people, who
    fill an eighth of a picture, count as much as what is behind them."""
    loss = functional.cross_entropy(found, part, ignore_index=IGNORED, reduction="none")
    nobody, somebody = part == 0, (part > 0) & (part != IGNORED)
    means = [(loss * where).sum() / where.sum().clamp(min=1) for where in (nobody, somebody)]
    return means[0] + means[1]


def surface(uv: Tensor, part: Tensor, wanted: Tensor) -> Tensor:
    """Smooth L1 of u and v [N, 2, 24, h, w] of the true part, where there is one; `wanted`
    [N, 2, h, w]."""
    inside = (part > 0) & (part <= PARTS)
    index = (part.clamp(1, PARTS) - 1)[:, None, None].expand(-1, 2, -1, -1, -1)
    found = uv.gather(2, index)[:, :, 0]
    off = functional.smooth_l1_loss(found, wanted, reduction="none", beta=0.05).sum(dim=1)
    return off[inside].sum() / inside.sum().clamp(min=1)


def peaks(heat: Tensor, keypoints: Tensor) -> Tensor:
    """Squared differences from a peak at each keypoint [N, P, 17, 3] of P people that is in the
    picture, else from nothing."""
    wanted = (keypoints[..., 2, None, None] * _peak(heat, keypoints)).amax(dim=1)
    return ((heat - wanted) ** 2).mean()


def places(heat: Tensor, keypoints: Tensor) -> Tensor:
    """The divergence (Kullback and Leibler 1951) of where logits [N, 17, h, w] say each keypoint
    [N, 17, 3] is from a peak there, or from anywhere."""
    inside = keypoints[..., 2]
    peak = torch.where(inside[..., None, None] > 0, _peak(heat, keypoints), 1.0).flatten(2)
    wanted = peak / peak.sum(dim=-1, keepdim=True).clamp(min=1e-9)
    found = functional.log_softmax(heat.flatten(2), dim=-1)
    off = functional.kl_div(found, wanted, reduction="none").sum(dim=-1)
    weight = inside + _ELSEWHERE * (1 - inside)
    return (off * weight).sum() / weight.sum()


def _peak(heat: Tensor, keypoints: Tensor) -> Tensor:
    """[..., h, w]: 1 at keypoints [..., 3], falling off."""
    height, width = heat.shape[2:]
    x = torch.arange(width) + 0.5 - keypoints[..., :1]
    y = torch.arange(height) + 0.5 - keypoints[..., 1:2]
    return torch.exp(-(x[..., None, :] ** 2 + y[..., None] ** 2) / (2 * _PEAK**2))
