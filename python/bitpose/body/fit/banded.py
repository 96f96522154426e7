# SPDX-License-Identifier: Apache-2.0
"""A step of Levenberg-Marquardt for T frames, each coupled to the two before and after it.

The matrix is block banded: frame t has H_t + c0_t P on the diagonal, and c1_t P and c2_t P to the
right of it, for a diagonal P. Blocks are eliminated one frame after another.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def step(
    gradient: Array,
    hessian: Array,
    bands: tuple[Array, Array, Array],
    precision: Array,
    damping: float,
) -> Array:
    """[T, D]: minus the inverse of the damped matrix times the gradient.

    `hessian` [T, D, D], `bands` c0, c1 and c2 [T] each, `precision` [D].
    """
    count, size = gradient.shape
    index = np.arange(size)
    c0, c1, c2 = bands
    inverses = np.empty_like(hessian)
    nexts = np.empty_like(hessian)  # What remains to the right of the diagonal.
    pull = gradient.copy()
    for t in range(count):
        block = hessian[t].copy()
        block[index, index] = (block[index, index] + c0[t] * precision) * (1 + damping)
        block[index, index] += 1e-9 * block[index, index].max()
        right = np.zeros((size, size))
        right[index, index] = c1[t] * precision
        if t >= 1:
            scaled = nexts[t - 1].T @ inverses[t - 1]
            block -= scaled @ nexts[t - 1]
            right -= scaled * (c2[t - 1] * precision)
            pull[t] -= scaled @ pull[t - 1]
        if t >= 2:
            far = c2[t - 2] * precision
            block -= far[:, None] * inverses[t - 2] * far
            pull[t] -= far * (inverses[t - 2] @ pull[t - 2])
        inverses[t] = np.linalg.inv(0.5 * (block + block.T))
        nexts[t] = right
    steps = np.zeros_like(gradient)
    for t in reversed(range(count)):
        rest = pull[t].copy()
        if t + 1 < count:
            rest += nexts[t] @ steps[t + 1]
        if t + 2 < count:
            rest += c2[t] * precision * steps[t + 2]
        steps[t] = -inverses[t] @ rest
    return steps
