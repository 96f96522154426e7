# SPDX-License-Identifier: Apache-2.0
"""The networks that can be trained, and what each learns from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from bitpose.train import crop_losses, scene_losses
from bitpose.train.crop_losses import CropLosses
from bitpose.train.crop_network import CropNetwork
from bitpose.train.crop_targets import crops
from bitpose.train.scene_losses import BoxLosses, SceneLosses
from bitpose.train.scene_network import BoxNetwork, SceneNetwork
from bitpose.train.scene_targets import views
from bitpose.train.scenes import Scene


@dataclass(frozen=True)
class Design:
    """One kind of network."""

    size: int
    """Pixels of a side of its picture."""
    network: Callable[[float, int], nn.Module]
    """Of the width of its backbone and its size; has `backbone`."""
    samples: Callable[[Scene, int, np.random.Generator], Iterable[Any]]
    """What a scene shows it, at some size: things with a `picture` [3, size, size]."""
    losses: Callable[[], nn.Module]
    """Maps a prediction and a batch to losses by their names."""
    weights: Mapping[str, float]
    """Of each loss in the sum."""


DESIGNS: Mapping[str, Design] = {
    "crop": Design(128, CropNetwork, crops, CropLosses, crop_losses.WEIGHTS),
    "boxes": Design(192, BoxNetwork, views, BoxLosses, scene_losses.BOX_WEIGHTS),
    "scene": Design(256, SceneNetwork, views, SceneLosses, scene_losses.WEIGHTS),
}
