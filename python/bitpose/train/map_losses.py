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
WEIGHTS: Mapping[str, float] = {"part": 1.0, "uv": 6.0, "heat": 400.0}
#: Deviation of a keypoint's peak, in pixels of the maps.
_PEAK = 1.25


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
    height, width = heat.shape[2:]
    x = torch.arange(width) + 0.5 - keypoints[..., :1]
    y = torch.arange(height) + 0.5 - keypoints[..., 1:2]
    peak = torch.exp(-(x[..., None, :] ** 2 + y[..., None] ** 2) / (2 * _PEAK**2))
    wanted = (keypoints[..., 2, None, None] * peak).amax(dim=1)
    return ((heat - wanted) ** 2).mean()
