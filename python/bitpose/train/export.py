# SPDX-License-Identifier: Apache-2.0
"""Trained networks as ONNX files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os import PathLike

import torch
from torch import Tensor, nn

_OPSET = 17


def export_network(network: nn.Module, size: int, path: str | PathLike[str]) -> None:
    """Writes one of DESIGNS, as it is when it does not learn.

    Channels are last, as in pictures and in the engine: the input is `picture` uint8
    [1, size, size, 3], RGB, and maps are [1, h, w, C].
    """
    network.eval()
    picture = torch.zeros(1, size, size, 3, dtype=torch.uint8)
    with torch.no_grad():
        names = list(network(picture.permute(0, 3, 1, 2).float()).outputs())
    export_onnx(_Outputs(network), picture, names, path)


def export_onnx(
    network: nn.Module, picture: Tensor, outputs: Sequence[str], path: str | PathLike[str]
) -> None:
    """Writes a network for inputs like `picture`; `outputs` are the names of what it returns."""
    with warnings.catch_warnings(), torch.no_grad():
        # The exporter that replaces this one needs another package and unrolls no less.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (picture,),
            str(path),
            input_names=["picture"],
            output_names=list(outputs),
            opset_version=_OPSET,
            dynamo=False,
        )


class _Outputs(nn.Module):
    """A network with channels last, that gives tensors only."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        outputs = self.network(picture.permute(0, 3, 1, 2).float()).outputs().values()
        return tuple(y.permute(0, 2, 3, 1) if y.ndim == 4 else y for y in outputs)
