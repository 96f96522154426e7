# SPDX-License-Identifier: Apache-2.0
"""Where the outputs of ONNX's Resize lie along one axis, and what they are made of.

Positions are computed in float32 like those of `resize2d_f32`; weights in float64, rounded once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Index = NDArray[np.int32]


@dataclass(frozen=True)
class Axis:
    """One axis of a Resize: the region [start, end] matters to tf_crop_and_resize alone."""

    inputs: int
    outputs: int
    scale: float
    start: float = 0.0
    end: float = 1.0


@dataclass(frozen=True)
class Filter:
    """What weighs the inputs around a position.

    `weight` is a function of the distance, which is 0 from `reach` on.
    """

    reach: int
    weight: Callable[[Float64], Float64]


def linear() -> Filter:
    """The two neighbours."""
    return Filter(1, lambda distance: np.maximum(0.0, 1.0 - np.abs(distance)))


def cubic(a: float) -> Filter:
    """Keys' convolution of four neighbours."""

    def weight(distance: Float64) -> Float64:
        d = np.abs(distance)
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((d - 5) * d + 8) * d * a - 4 * a
        return np.where(d <= 1, near, np.where(d < 2, far, 0.0))

    return Filter(2, weight)


def _half_pixel(i: Float32, axis: Axis) -> Float32:
    return (i + np.float32(0.5)) / np.float32(axis.scale) - np.float32(0.5)


def _pytorch_half_pixel(i: Float32, axis: Axis) -> Float32:
    return _half_pixel(i, axis) if axis.outputs > 1 else np.zeros_like(i)


def _half_pixel_symmetric(i: Float32, axis: Axis) -> Float32:
    exact = np.float32(axis.scale) * np.float32(axis.inputs)  # Of which `outputs` is the floor.
    offset = np.float32(axis.inputs / 2) * (1 - np.float32(axis.outputs) / exact)
    return offset + _half_pixel(i, axis)


def _align_corners(i: Float32, axis: Axis) -> Float32:
    if axis.outputs == 1:
        return np.zeros_like(i)
    return i * np.float32(axis.inputs - 1) / np.float32(axis.outputs - 1)


def _crop(i: Float32, axis: Axis) -> Float32:
    last = np.float32(axis.inputs - 1)
    start, end = np.float32(axis.start), np.float32(axis.end)
    if axis.outputs == 1:
        return np.full_like(i, np.float32(0.5) * (start + end) * last)
    return start * last + i * (end - start) * last / np.float32(axis.outputs - 1)


#: Positions of the outputs 0, 1, ... by coordinate_transformation_mode.
POSITIONS: dict[str, Callable[[Float32, Axis], Float32]] = {
    "align_corners": _align_corners,
    "asymmetric": lambda i, axis: i / np.float32(axis.scale),
    "half_pixel": _half_pixel,
    "half_pixel_symmetric": _half_pixel_symmetric,
    "pytorch_half_pixel": _pytorch_half_pixel,
    "tf_crop_and_resize": _crop,
    "tf_half_pixel_for_nn": lambda i, axis: (i + np.float32(0.5)) / np.float32(axis.scale),
}

#: The whole position that is taken, by nearest_mode.
ROUNDINGS: dict[str, Callable[[Float32], Any]] = {
    "ceil": np.ceil,
    "floor": np.floor,
    "round_prefer_ceil": lambda x: np.floor(x + np.float32(0.5)),
    "round_prefer_floor": lambda x: np.ceil(x - np.float32(0.5)),
}


def positions(axis: Axis, mode: str) -> Float32:
    """Where each output lies among the inputs."""
    return POSITIONS[mode](np.arange(axis.outputs, dtype=np.float32), axis)


def nearest(axis: Axis, x: Float32, rounding: str) -> Index:
    """The input that each position takes."""
    whole = np.clip(ROUNDINGS[rounding](x), 0, axis.inputs - 1)
    return np.asarray(whole, np.int32)


def outside(axis: Axis, x: Float32) -> NDArray[np.bool_]:
    """Which positions lie outside the inputs."""
    return np.asarray((x < 0) | (x > axis.inputs - 1))


def taps(
    axis: Axis, x: Float32, kernel: Filter, antialias: bool, exclude_outside: bool
) -> tuple[Index, Float32]:
    """Indices and weights [outputs, taps] of the inputs around each position.

    With `antialias` the kernel is stretched over the inputs that a smaller picture skips. Inputs
    that would lie outside are those at the edge, or weigh nothing if `exclude_outside`.
    """
    stretch = min(axis.scale, 1.0) if antialias else 1.0
    first = int(np.floor(-kernel.reach / stretch)) + 1
    low = np.floor(x)
    offsets = np.arange(first, 2 - first)
    fraction = (x - low).astype(np.float64)[:, None]
    weights = kernel.weight((offsets - fraction) * stretch)
    indices = low.astype(np.int64)[:, None] + offsets
    if exclude_outside:
        weights = np.where((indices < 0) | (indices >= axis.inputs), 0.0, weights)
    if antialias or exclude_outside:
        weights = weights / weights.sum(1, keepdims=True)
    return np.clip(indices, 0, axis.inputs - 1).astype(np.int32), weights.astype(np.float32)
