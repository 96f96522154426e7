# SPDX-License-Identifier: Apache-2.0
"""What the modules in Cython share: the grid of the screen, samples, and a clamp."""

cdef enum:
    BITS = 12  # Corners lie on a grid of 1 / 2^BITS of a pixel.
    ONE = 1 << BITS
    HALF = ONE >> 1
    OFF_GRID = -(1 << 30)  # The x of a corner that has no place on the grid.
    SAMPLES = 8  # Of a pixel beside an edge.


cdef inline double unit(double x) noexcept nogil:
    """x kept in 0 .. 1; 0 for NaN."""
    if not x > 0:
        return 0
    return x if x < 1 else 1
