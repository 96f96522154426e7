# SPDX-License-Identifier: Apache-2.0
"""Pairs of rows and columns: the Hungarian method."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def assigned(worth: Array, least: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of a matrix [R, C], each row and column at most once, with the highest
    sum there is. A pair worth less than `least`, which is not negative, is not made.
    """
    rows, columns = worth.shape
    size = max(rows, columns)
    square = np.zeros((size, size))
    square[:rows, :columns] = np.where(worth >= least, worth, 0)
    pairs = enumerate(_columns(-square)[:rows].tolist())
    return [(r, c) for r, c in pairs if c < columns and worth[r, c] >= least]


def _columns(cost: Array) -> NDArray[np.intp]:
    """[n]: the column of each row of a square matrix, for the lowest sum (Kuhn and Munkres).

    Rows are added one by one, each by the shortest augmenting path in costs reduced by `u` and
    `v`. Row and column 0 are where paths start.
    """
    n = len(cost)
    u, v = np.zeros(n + 1), np.zeros(n + 1)
    owner = np.zeros(n + 1, np.intp)
    for row in range(1, n + 1):
        owner[0], column = row, 0
        shortest, before = np.full(n + 1, np.inf), np.zeros(n + 1, np.intp)
        done = np.zeros(n + 1, np.bool_)
        while owner[column]:
            done[column] = True
            left = np.flatnonzero(~done)
            reduced = cost[owner[column] - 1, left - 1] - u[owner[column]] - v[left]
            nearer = reduced < shortest[left]
            shortest[left[nearer]], before[left[nearer]] = reduced[nearer], column
            following = left[shortest[left].argmin()]
            step = shortest[following]
            u[owner[done]] += step
            v[done] -= step
            shortest[left] -= step
            column = int(following)
        while column:
            owner[column] = owner[before[column]]
            column = int(before[column])
    result = np.zeros(n, np.intp)
    result[owner[1:] - 1] = np.arange(n)
    return result
