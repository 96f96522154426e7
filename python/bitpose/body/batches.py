# SPDX-License-Identifier: Apache-2.0
"""Leading axes of arrays: checked on the way in, one flat axis for the compiled loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError

Array = NDArray[Any]
Batch = tuple[int, ...]


def finite(name: str, value: ArrayLike, dtype: np.dtype[Any]) -> Array:
    try:
        array = np.asarray(value, dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is no array of numbers: {error}") from None
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds NaN or infinity")
    return array


def broadcast(*shapes: Batch) -> Batch:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise InputError(f"batches {shapes} do not fit each other") from None


def spread(array: Array, batch: Batch, tail: int) -> Array:
    """The array with `batch` before its last `tail` axes, contiguous."""
    return np.ascontiguousarray(np.broadcast_to(array, (*batch, *array.shape[-tail:])))


def flat(array: Array, tail: int) -> Array:
    """One batch axis before the last `tail` axes."""
    split = array.ndim - tail
    return array.reshape(math.prod(array.shape[:split]), *array.shape[split:])


def unflat(array: Array, batch: Batch) -> Array:
    """The axes `batch` in place of the first one."""
    return array.reshape(*batch, *array.shape[1:])
