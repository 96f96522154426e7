# SPDX-License-Identifier: Apache-2.0
"""The networks that can be trained, and what each learns from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from bitpose.train import losses
from bitpose.train.crop_network import CropNetwork
from bitpose.train.scenes import Scene
from bitpose.train.targets import Targets, crops


@dataclass(frozen=True)
class Design:
    """One kind of network."""

    size: int
    """Pixels of a side of its picture."""
    network: Callable[[float, int], nn.Module]
    """Of the width of its backbone and its size; has `backbone`."""
    samples: Callable[[Scene, int, np.random.Generator], Iterable[Any]]
    """What a scene shows it, at some size: things with a `picture` [3, size, size]."""
    stacked: Callable[[list[Any]], Any]
    """A batch of them."""
    losses: Callable[[], nn.Module]
    """Maps a prediction and a batch to losses by their names."""
    weights: Mapping[str, float]
    """Of each loss in the sum."""


DESIGNS: Mapping[str, Design] = {
    "crop": Design(128, CropNetwork, crops, Targets.stacked, losses.Losses, losses.WEIGHTS),
}
