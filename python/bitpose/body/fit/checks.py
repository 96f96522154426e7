# SPDX-License-Identifier: Apache-2.0
"""Numbers that users give, on the way in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.body.batches import finite
from bitpose.errors import InputError

Array = NDArray[Any]

#: Of rotation matrices, which may come from a file with few decimals.
_ORTHOGONAL = 1e-3
#: Pixels and metres that mean something; their squares neither overflow nor vanish.
_SMALLEST, _LARGEST = 1e-6, 1e7
_FLOAT = np.dtype(np.float64)


def positive(name: str, value: float) -> float:
    """The value; raises InputError unless it is a number from 1e-6 to 1e7."""
    number = finite(name, value, _FLOAT)
    if number.shape != () or not _SMALLEST <= number <= _LARGEST:
        raise InputError(f"{name} is {value}, must be positive: {_SMALLEST:g} to {_LARGEST:g}")
    return float(number)


def noise_of(value: ArrayLike | None, count: int) -> Array | None:
    """A deviation for each of `count` points, [count], from one number or as many; None as it is.

    Raises InputError as `positive`, and for another number of them.
    """
    if value is None:
        return None
    array = finite("noise", value, _FLOAT)
    if array.shape not in ((), (count,)):
        raise InputError(f"noise of shape {array.shape}: must be a number or [{count}]")
    if array.size and not (array.min() >= _SMALLEST and array.max() <= _LARGEST):
        raise InputError(f"noise is {value}, must be positive: {_SMALLEST:g} to {_LARGEST:g}")
    return np.array(np.broadcast_to(array, (count,)))


def bounded(name: str, value: ArrayLike, shape: tuple[int, ...] | None = None) -> Array:
    """A copy; raises InputError for what is not finite or beyond 1e7, or of another shape."""
    array = finite(name, value, _FLOAT)
    if (np.abs(array) > _LARGEST).any():
        raise InputError(f"{name} holds a number beyond {_LARGEST:g}")
    if shape is not None and array.shape != shape:
        raise InputError(f"{name} of shape {array.shape}: must be {list(shape)}")
    return array.copy()


def rotations(name: str, value: ArrayLike) -> Array:
    """A copy [..., 3, 3]; raises InputError as `bounded`, and for what turns nothing rigidly."""
    R = bounded(name, value)
    if R.shape[-2:] != (3, 3):
        raise InputError(f"{name} of shape {R.shape}: must be [..., 3, 3]")
    off = np.abs(R @ np.swapaxes(R, -1, -2) - np.eye(3))
    if (off > _ORTHOGONAL).any() or (np.linalg.det(R) < 0).any():
        raise InputError(f"{name} is no rotation")
    return R


def seen_points(
    name: str, points: ArrayLike, confidence: ArrayLike, axes: int
) -> tuple[Array, Array]:
    """Copies of points [K, axes] and their confidences [K]; points without confidence are 0."""
    confidence = bounded("confidence", confidence)
    try:
        points = np.array(points, _FLOAT)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} are no array of numbers: {error}") from None
    if confidence.ndim != 1 or points.shape != (*confidence.shape, axes):
        raise InputError(
            f"{name} of shape {points.shape} with confidence of shape {confidence.shape}: "
            f"must be [K, {axes}] and [K]"
        )
    if (confidence < 0).any():
        raise InputError("a confidence is negative")
    points[confidence == 0] = 0
    if not (np.abs(points) <= _LARGEST).all():
        raise InputError(
            f"{name} with a confidence are NaN, infinite or beyond {_LARGEST:g}; give them 0"
        )
    return points, confidence
