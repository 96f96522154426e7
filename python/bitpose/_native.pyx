# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: autotestdict=False
"""Hot loops of the Python package. Integer arithmetic only: the same bytes on every machine."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

import numpy as np

cdef enum:
    WEIGHT_BITS = 14  # The weights of one output position add up to 2^14.
    KEPT_BITS = 6  # Fraction bits of a value between the two passes.
    MAX_EXTENT = 1 << 20  # Keeps every product in the weights below 2^63.


def resize_bilinear(const uint8_t[:, :, ::1] picture, int height, int width):
    """Documented in _native.pyi."""
    cdef Py_ssize_t rows = picture.shape[0], columns = picture.shape[1]
    cdef Py_ssize_t channels = picture.shape[2]
    if not (0 < rows <= MAX_EXTENT and 0 < columns <= MAX_EXTENT and channels > 0):
        raise ValueError(f"cannot resize a picture of shape {tuple(picture.shape)[:3]}")
    if not (0 < height <= MAX_EXTENT and 0 < width <= MAX_EXTENT):
        raise ValueError(f"cannot resize to {height} x {width}")
    first_x, weights_x = _line(columns, width)
    first_y, weights_y = _line(rows, height)
    kept = np.empty((rows, width, channels), np.uint16)
    result = np.empty((height, width, channels), np.uint8)
    cdef uint16_t[:, :, ::1] kept_view = kept
    cdef uint8_t[:, :, ::1] result_view = result
    cdef int32_t[::1] sums = np.empty(width * channels, np.int32)
    cdef const int32_t[::1] first_x_view = first_x, first_y_view = first_y
    cdef const int32_t[:, ::1] weights_x_view = weights_x, weights_y_view = weights_y
    with nogil:
        _make_columns(picture, first_x_view, weights_x_view, kept_view)
        _make_rows(kept_view, first_y_view, weights_y_view, sums, result_view)
    return result


cdef tuple _line(int64_t inputs, int64_t outputs):
    """The first input and the weights of each output along one axis."""
    cdef int64_t reach = 2 * max(inputs, outputs)
    cdef int64_t i, j, low, high, centre, total, before, after, taps
    taps = min(inputs, reach / outputs + 2)
    first = np.zeros(outputs, np.int32)
    weights = np.zeros((outputs, taps), np.int32)
    cdef int32_t[::1] first_view = first
    cdef int32_t[:, ::1] weights_view = weights
    with nogil:
        for i in range(outputs):
            centre = (2 * i + 1) * inputs
            low = max(0, (centre - reach - outputs) / (2 * outputs) + 1)
            if centre - reach - outputs < 0:
                low = 0
            high = min(inputs - 1, (centre + reach + outputs - 1) / (2 * outputs) - 1)
            low = min(low, inputs - taps)
            total = 0
            for j in range(low, high + 1):
                total += _triangle(j, centre, outputs, reach)
            first_view[i] = <int32_t>low
            before = 0
            for j in range(low, high + 1):
                after = before + _triangle(j, centre, outputs, reach)
                weights_view[i, j - low] = <int32_t>(
                    (after << WEIGHT_BITS) / total - (before << WEIGHT_BITS) / total
                )
                before = after
    return first, weights


cdef inline int64_t _triangle(int64_t j, int64_t centre, int64_t outputs, int64_t reach) noexcept nogil:
    cdef int64_t distance = (2 * j + 1) * outputs - centre
    if distance < 0:
        distance = -distance
    return reach - distance if distance < reach else 0


cdef void _make_columns(
    const uint8_t[:, :, ::1] src,
    const int32_t[::1] first,
    const int32_t[:, ::1] weights,
    uint16_t[:, :, ::1] dst,
) noexcept nogil:
    cdef Py_ssize_t y, x, c, t
    cdef int32_t acc
    for y in range(dst.shape[0]):
        for x in range(dst.shape[1]):
            for c in range(dst.shape[2]):
                acc = 1 << (WEIGHT_BITS - KEPT_BITS - 1)
                for t in range(weights.shape[1]):
                    acc += weights[x, t] * src[y, first[x] + t, c]
                dst[y, x, c] = <uint16_t>(acc >> (WEIGHT_BITS - KEPT_BITS))


cdef void _make_rows(
    const uint16_t[:, :, ::1] src,
    const int32_t[::1] first,
    const int32_t[:, ::1] weights,
    int32_t[::1] sums,
    uint8_t[:, :, ::1] dst,
) noexcept nogil:
    cdef Py_ssize_t y, i, t, count = sums.shape[0]
    cdef const uint16_t* row
    cdef uint8_t* target
    cdef int32_t weight
    for y in range(dst.shape[0]):
        for i in range(count):
            sums[i] = 1 << (WEIGHT_BITS + KEPT_BITS - 1)
        for t in range(weights.shape[1]):
            row = &src[first[y] + t, 0, 0]
            weight = weights[y, t]
            for i in range(count):
                sums[i] += weight * row[i]
        target = &dst[y, 0, 0]
        for i in range(count):
            target[i] = <uint8_t>(sums[i] >> (WEIGHT_BITS + KEPT_BITS))
