# SPDX-License-Identifier: Apache-2.0
"""Runs of training, and the checkpoints from which they go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bitpose.errors import InputError
from bitpose.train.designs import DESIGNS, Design
from bitpose.train.quantization import prepare

#: Shares of a run in which the learning rate rises and falls.
_WARMING, _COOLING = 0.03, 0.25


@dataclass(frozen=True)
class Run:
    """What a run is of; kept with its checkpoints. Raises InputError for an unknown design."""

    design: str
    width: float
    size: int
    batch: int
    steps: int
    rate: float
    frozen: int
    seed: int
    quantized: bool

    def __post_init__(self) -> None:
        if self.design not in DESIGNS:
            raise InputError(f"design {self.design!r}; there are {', '.join(DESIGNS)}")

    def pace(self, step: int) -> float:
        """Of the learning rate, the share at a step: it rises at first, and falls to nothing in the
        end (Hu et al. 2024, warmup-stable-decay), so that a run can go on from what is before that.
        """
        rising = (step + 1) / (_WARMING * self.steps + 1)
        falling = (self.steps - step) / (_COOLING * self.steps + 1)
        return min(1.0, rising, falling)

    @property
    def kind(self) -> Design:
        return DESIGNS[self.design]

    def network(self) -> nn.Module:
        """One that has learnt nothing; quantized ones are to be calibrated or loaded."""
        network = self.kind.network(self.width, self.size)
        return prepare(network) if self.quantized else network


def checkpoint(folder: Path) -> Path:
    """Where a run of this folder goes on."""
    return folder / "last.pt"


def load_network(path: str | PathLike[str]) -> tuple[nn.Module, Run]:
    """The network of a checkpoint, as it is when it does not learn, and its run."""
    kept = torch.load(path, map_location="cpu", weights_only=True)
    run = Run(**kept["run"])
    network = run.network()
    network.load_state_dict(kept["states"][0])
    return network.eval(), run


def resized(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """What a network that sees pictures of another size has learnt, for this one: kernels as large
    as its coarsest maps are stretched."""
    own = network.state_dict()
    return {name: _stretched(value, own[name].shape) for name, value in state.items()}


def _stretched(value: Tensor, shape: torch.Size) -> Tensor:
    if value.shape == shape or value.ndim != 4 or value.shape[:2] != shape[:2]:
        return value
    share = value.shape[2] * value.shape[3] / (shape[2] * shape[3])
    return share * functional.interpolate(
        value, size=shape[2:], mode="bilinear", align_corners=False
    )


def resume(folder: Path, run: Run, *parts: Any) -> int:
    """The step to go on from; `parts` get their states. Raises InputError for another run."""
    path = checkpoint(folder)
    if not path.exists():
        return 0
    kept = torch.load(path, map_location="cpu", weights_only=True)
    if kept["run"] != asdict(run):
        raise InputError(f"{path} is of another run: {kept['run']}")
    for part, state in zip(parts, kept["states"], strict=True):
        part.load_state_dict(state)
    return int(kept["step"])


def keep(folder: Path, run: Run, step: int, *parts: Any) -> None:
    """Writes a checkpoint in one move, so that there is always a whole one."""
    states = [part.state_dict() for part in parts]
    new = folder / "new.pt"
    torch.save({"run": asdict(run), "step": step, "states": states}, new)
    new.replace(checkpoint(folder))
