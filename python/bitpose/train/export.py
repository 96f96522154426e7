# SPDX-License-Identifier: Apache-2.0
"""Trained networks as ONNX files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os import PathLike

import torch
from torch import nn

_OPSET = 17


def export_onnx(
    network: nn.Module, size: int, outputs: Sequence[str], path: str | PathLike[str]
) -> None:
    """Writes a network, as it is when it does not learn, for one picture [1, 3, size, size] of
    pixels 0 .. 255; `outputs` are the names of what it returns."""
    network.eval()
    with warnings.catch_warnings(), torch.no_grad():
        # The exporter that replaces this one needs another package and unrolls no less.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, size, size),),
            str(path),
            input_names=["picture"],
            output_names=list(outputs),
            opset_version=_OPSET,
            dynamo=False,
        )
