# SPDX-License-Identifier: Apache-2.0
"""Activations as codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitpose.quantize.observers import Range


@dataclass(frozen=True, eq=False)
class Codes:
    """real = scale * (q - zero_point), both scalars."""

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
