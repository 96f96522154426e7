# SPDX-License-Identifier: Apache-2.0
"""Backbones that begin with what a network in ONNX has learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bitpose.errors import InputError
from bitpose.ir.elementwise import dequantize
from bitpose.onnx.importer import import_model
from bitpose.train.backbone import Backbone
from bitpose.train.layers import Convolution

Array = NDArray[Any]
#: Weight [O, I / groups, H, W] and bias [O].
_Folded = tuple[Array, Array]


def load_weights(backbone: Backbone, path: str | PathLike[str], pictures: Array) -> None:
    """Takes the weights of a MobileNetV2 whose normalizations were folded, float or quantized; if
    the backbone is narrower, those of the channels with the largest weights (Li et al. 2017).

    `pictures` uint8 [N, 3, H, W] are like those that it is to be trained with: with them
    normalizations are set such that they change nothing. Raises InputError where the convolutions
    are not those of a MobileNetV2 that is as wide or wider.
    """
    layers = [layer for layer in backbone.modules() if isinstance(layer, Convolution)]
    try:
        folded = list(_narrowed(backbone, _folded_convolutions(path)))
    except (IndexError, RuntimeError) as error:
        raise InputError(f"{path} is no MobileNetV2 of this width or more") from error
    hooks = []
    for layer, (weight, bias) in zip(layers, folded, strict=True):
        if tuple(layer[0].weight.shape) != weight.shape:
            expected = list(layer[0].weight.shape)
            raise InputError(f"{path}: weights {list(weight.shape)} where {expected} were expected")
        with torch.no_grad():
            layer[0].weight.copy_(torch.tensor(weight))
        hooks.append(layer[1].register_forward_pre_hook(_neutral(torch.tensor(bias))))
    training = backbone.training
    backbone.eval()
    with torch.no_grad():
        backbone(torch.as_tensor(pictures).float())
    backbone.train(training)
    for hook in hooks:
        hook.remove()


def _narrowed(backbone: Backbone, folded: Sequence[_Folded]) -> Iterator[_Folded]:
    """The convolutions with as many channels as the backbone has."""
    rest = iter(folded)
    (stem,), *stages = backbone.stages
    weight, bias = next(rest)
    kept = _strongest(_size(weight, 0), stem[0].out_channels)
    yield weight[kept], bias[kept]
    for stage in stages:
        blocks = [[next(rest) for _ in block.layers] for block in stage]
        # Blocks add their results, so that all have the same channels.
        ends = [_size(block[-1][0], 0) for block in blocks]
        out = _strongest(np.sum(ends, axis=0), stage[0].layers[-1][0].out_channels)
        for block, (*up, across, down) in zip(stage, blocks, strict=True):
            hidden = kept
            if up:
                (weight, bias), strength = up[0], _size(across[0], 0) * _size(down[0], 1)
                size = _size(weight[:, kept], 0) * strength
                hidden = _strongest(size, block.layers[0][0].out_channels)
                yield weight[hidden][:, kept], bias[hidden]
            yield across[0][hidden], across[1][hidden]
            yield down[0][out][:, hidden], down[1][out]
            kept = out


def _size(weight: Array, axis: int) -> Array:
    """The L1 norm of each slice along an axis."""
    other = tuple(i for i in range(weight.ndim) if i != axis)
    return np.asarray(np.abs(weight).sum(axis=other))


def _strongest(size: Array, count: int) -> Array:
    """The indices of the `count` largest, in rising order."""
    if count > len(size):
        raise IndexError
    return np.sort(np.argsort(-size, kind="stable")[:count])


def _neutral(bias: Tensor) -> Callable[[nn.BatchNorm2d, Sequence[Tensor]], None]:
    """A hook before a normalization, after which that only adds the bias."""

    def hook(normalization: nn.BatchNorm2d, inputs: Sequence[Tensor]) -> None:
        variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3), unbiased=False)
        # What never varies could not come back from a scale of nothing.
        variance = variance.clamp(min=1e-3)
        normalization.running_mean.copy_(mean)
        normalization.running_var.copy_(variance)
        normalization.weight.copy_((variance + normalization.eps).sqrt())
        normalization.bias.copy_(bias + mean)

    return hook


def _folded_convolutions(path: str | PathLike[str]) -> list[tuple[Array, Array]]:
    """Weights [O, I / groups, H, W] and biases [O], in the order of the layers."""
    graph = import_model(onnx.load(path))
    producers = graph.producers()

    def value(name: str) -> Array:
        tensor, producer = graph.tensor(name), producers.get(name)
        if tensor.data is not None:
            return tensor.data
        if producer is None or producer.op != "DequantizeLinear":
            raise InputError(f"{path}: {name} is no constant")
        codes, scale, zero_point = (value(operand) for operand in producer.inputs)
        return dequantize(codes, scale, zero_point)

    convolutions = [node for node in graph.nodes if node.op == "Conv"]
    return [(value(node.inputs[1]), value(node.inputs[2])) for node in convolutions]
