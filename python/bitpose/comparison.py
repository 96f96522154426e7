# SPDX-License-Identifier: Apache-2.0
"""How far two versions of a network are apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.names import without_layout
from bitpose.session import InferenceSession, NodeArg

Array = NDArray[Any]


@dataclass(frozen=True)
class Distance:
    """Between values and what they should be, over all feeds.

    `sqnr` is 10 log10(sum exact^2 / sum (exact - got)^2) in decibels, infinite for equal values;
    `cosine` is that of the angle between both as vectors; `largest` is the greatest |exact - got|.
    """

    name: str
    sqnr: float
    cosine: float
    largest: float


class _Sums:
    def __init__(self) -> None:
        self.exact = self.got = self.product = self.noise = self.largest = 0.0

    def add(self, exact: Array, got: Array) -> None:
        a, b = exact.astype(np.float64), got.astype(np.float64)
        self.exact += float(np.square(a).sum())
        self.got += float(np.square(b).sum())
        self.product += float((a * b).sum())
        self.noise += float(np.square(a - b).sum())
        self.largest = max(self.largest, float(np.abs(a - b).max(initial=0.0)))

    def distance(self, name: str) -> Distance:
        length = math.sqrt(self.exact * self.got)
        cosine = self.product / length if length > 0 else float(self.noise == 0)
        return Distance(name, decibels(self.exact, self.noise), cosine, self.largest)


def decibels(signal: float, noise: float) -> float:
    """10 log10(signal / noise), infinite without noise."""
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal > 0 else -math.inf


def sqnr(exact: Array, got: Array) -> float:
    """Signal to quantization noise in decibels."""
    sums = _Sums()
    sums.add(exact, got)
    return sums.distance("").sqnr


def compare_outputs(
    exact: InferenceSession, other: InferenceSession, feeds: Iterable[Mapping[str, Array]]
) -> list[Distance]:
    """The distance of each output; quantized outputs count as the reals they stand for."""
    nodes = list(zip(exact.get_outputs(), other.get_outputs(), strict=True))
    sums = [_Sums() for _ in nodes]
    for feed in feeds:
        results = zip(exact.run(None, feed), other.run(None, feed), strict=True)
        for total, (a, b), (x, y) in zip(sums, nodes, results, strict=True):
            total.add(real(a, x), real(b, y))
    return [total.distance(a.name) for total, (a, _) in zip(sums, nodes, strict=True)]


def compare_layers(
    exact: InferenceSession, other: InferenceSession, feeds: Iterable[Mapping[str, Array]]
) -> list[Distance]:
    """The distance of each tensor that both compute, in the order of `exact`.

    Tensors are the same when they stand for one tensor of the ONNX model in one layout. Both
    sessions need `keep_intermediates`.
    """
    sums: dict[str, _Sums] = {}
    for feed in feeds:
        left, right = _reals(exact, feed), _reals(other, feed)
        for name, value in left.items():
            if name in right and right[name].shape == value.shape:
                sums.setdefault(name, _Sums()).add(value, right[name])
    return [total.distance(name) for name, total in sums.items()]


def _reals(session: InferenceSession, feed: Mapping[str, Array]) -> dict[str, Array]:
    """Every tensor of a run as reals, by what it stands for; where codes are kept, their values."""
    session.run(None, feed)
    nodes = {node.name: node for node in session.get_tensors()}
    found = {}
    for name, value in session.tensors().items():
        origin = without_layout(name).removesuffix("@codes")
        if nodes[name].dtype.kind == "f" or nodes[name].scale > 0:
            found[origin] = real(nodes[name], value)
    return found


def real(node: NodeArg, value: Array) -> Array:
    """The numbers that the codes of a quantized tensor stand for, other values as they are."""
    if node.scale == 0:
        return value
    return (value.astype(np.float64) - node.zero_point) * node.scale
