# SPDX-License-Identifier: Apache-2.0
"""Activations as codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitpose.ir import elementary
from bitpose.ir.elementary import total
from bitpose.quantize.observers import Range


@dataclass(frozen=True, eq=False)
class Codes:
    """real = scale * (q - zero_point): scalars, or vectors with an element per channel."""

    scale: NDArray[np.float32]
    zero_point: NDArray[np.int8]


def activation_codes(values: Range) -> Codes:
    """int8 for one range, with 0 among the values that have a code."""
    values = values.with_zero()
    scale = np.float32((values.high - values.low) / 255.0)
    if not scale > 0:
        scale = np.float32(1.0)
    zero_point = np.clip(np.rint(-128.0 - values.low / np.float64(scale)), -128, 127)
    return Codes(np.array(scale), np.array(zero_point, np.int8))


def channel_codes(low: NDArray[np.float64], high: NDArray[np.float64]) -> Codes:
    """int8 per channel, with one zero point for all: that which gives the finest steps.

    A channel that was always 0 gets the scale of the widest one.
    """
    low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    heard = high > low
    if not np.any(heard):
        return Codes(np.full(len(low), 1 / 127, np.float32), np.zeros(len(low), np.int8))
    zero_points = np.arange(-127, 127)
    if np.all(low == 0):
        zero_points = np.array([-128])
    elif np.all(high == 0):
        zero_points = np.array([127])
    scales = _channel_scales(low[heard], high[heard], zero_points)
    best = int(np.argmin(total(elementary.log(scales))))
    scale = np.full(len(low), scales[best].max(), np.float32)
    scale[heard] = scales[best]
    return Codes(scale, np.full(len(low), zero_points[best], np.int8))


def _channel_scales(
    low: NDArray[np.float64], high: NDArray[np.float64], zero_points: NDArray[np.int64]
) -> NDArray[np.float64]:
    """[zero points, channels]: the least scale with which a channel has codes for its range."""
    above, below = 127.0 - zero_points[:, None], 128.0 + zero_points[:, None]
    upper = np.divide(high, above, out=np.zeros((len(above), len(high))), where=above > 0)
    lower = np.divide(-low, below, out=np.zeros((len(below), len(low))), where=below > 0)
    return np.asarray(np.maximum(upper, lower))
