# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: autotestdict=False
"""What lies at the samples where a mesh is seen: barycentrics, and what they interpolate."""

from libc.math cimport INFINITY, fabs
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t

import numpy as np

from bitpose.render._grid cimport HALF, OFF_GRID, ONE, SAMPLES


def gather(const int32_t[:, ::1] triangles, const int32_t[::1] first):
    """Documented in _fragments.pyi."""
    cdef Py_ssize_t i, n, count = triangles.shape[0] * triangles.shape[1]
    cdef Py_ssize_t items = first.shape[0] - 1, item = 0
    cdef const int32_t* seen = &triangles[0, 0] if count else NULL
    ends = np.zeros(items + 1, np.int64)
    cdef int64_t[::1] end = ends
    with nogil:
        for i in range(count):
            if seen[i] >= 0:
                item = _holder(first, seen[i], item)
                end[item + 1] += 1
        for n in range(items):
            end[n + 1] += end[n]
    places = np.empty(ends[items], np.int32)
    local = np.empty(ends[items], np.int32)
    cursors = ends[:items].copy()
    cdef int32_t[::1] places_view = places, local_view = local
    cdef int64_t[::1] cursor = cursors
    with nogil:
        for i in range(count):
            if seen[i] >= 0:
                item = _holder(first, seen[i], item)
                places_view[cursor[item]] = <int32_t>i
                local_view[cursor[item]] = seen[i] - first[item]
                cursor[item] += 1
    return [
        (places[ends[n] : ends[n + 1]], local[ends[n] : ends[n + 1]]) for n in range(items)
    ]


cdef inline Py_ssize_t _holder(
    const int32_t[::1] first, int32_t triangle, Py_ssize_t guess
) noexcept nogil:
    """The item whose triangles hold one, most often the same as before."""
    cdef Py_ssize_t low, high, middle
    if first[guess] <= triangle < first[guess + 1]:
        return guess
    low, high = 0, first.shape[0] - 1
    while high - low > 1:
        middle = (low + high) // 2
        if first[middle] <= triangle:
            low = middle
        else:
            high = middle
    return low


def pixel_positions(const int32_t[::1] places, int32_t width):
    """Documented in _fragments.pyi."""
    cdef Py_ssize_t n
    positions = np.empty((places.shape[0], 2), np.int32)
    cdef int32_t[:, ::1] view = positions
    with nogil:
        for n in range(places.shape[0]):
            view[n, 0] = places[n] % width * ONE + HALF
            view[n, 1] = places[n] / width * ONE + HALF
    return positions


def sample_positions(
    const int32_t[::1] places, const int32_t[::1] pixels, const double[:, ::1] offsets, int32_t width
):
    """Documented in _fragments.pyi."""
    cdef Py_ssize_t n
    cdef int32_t pixel, sample
    positions = np.empty((places.shape[0], 2), np.int32)
    cdef int32_t[:, ::1] view = positions
    with nogil:
        for n in range(places.shape[0]):
            pixel, sample = pixels[places[n] / SAMPLES], places[n] % SAMPLES
            view[n, 0] = pixel % width * ONE + HALF + <int32_t>(offsets[sample, 0] * <double>ONE)
            view[n, 1] = pixel / width * ONE + HALF + <int32_t>(offsets[sample, 1] * <double>ONE)
    return positions


def locate(
    projected,
    const int32_t[:, ::1] faces,
    const int32_t[::1] triangles,
    const int32_t[:, ::1] positions,
):
    """Documented in _fragments.pyi."""
    cdef const double[:, ::1] clip = projected[0]
    cdef const int32_t[:, ::1] screen = projected[1]
    cdef Py_ssize_t n, count = triangles.shape[0]
    cdef double area
    barycentrics = np.empty((count, 3), np.float32)
    areas = np.empty(count, np.float32)
    cdef float[:, ::1] result = barycentrics
    cdef float[::1] areas_view = areas
    cdef const int32_t* face
    with nogil:
        for n in range(count):
            face = &faces[triangles[n], 0]
            if (
                screen[face[0], 0] == OFF_GRID
                or screen[face[1], 0] == OFF_GRID
                or screen[face[2], 0] == OFF_GRID
            ):
                area = _locate_by_ray(clip, face, &positions[n, 0], &result[n, 0])
            else:
                area = _locate_on_grid(clip, screen, face, &positions[n, 0], &result[n, 0])
            areas_view[n] = <float>area
    return barycentrics, areas


cdef inline double _locate_on_grid(
    const double[:, ::1] clip, const int32_t[:, ::1] screen, const int32_t* face,
    const int32_t* at, float* result,
) noexcept nogil:
    """By the edge functions that covered the sample; gives the signed area in square pixels."""
    cdef int64_t[3] x
    cdef int64_t[3] y
    cdef double[3] weight
    cdef int64_t area = 0, e
    cdef double total = 0
    cdef int i, p, q
    for i in range(3):
        x[i] = screen[face[i], 0] - <int64_t>at[0]
        y[i] = screen[face[i], 1] - <int64_t>at[1]
    for i in range(3):
        p, q = (i + 1) % 3, (i + 2) % 3
        e = x[p] * y[q] - y[p] * x[q]
        area += e
        weight[i] = <double>e / clip[face[i], 2]
        total += weight[i]
    for i in range(3):
        result[i] = <float>(weight[i] / total)
    return <double>area / (2.0 * <double>ONE * <double>ONE)


cdef double _locate_by_ray(
    const double[:, ::1] clip, const int32_t* face, const int32_t* at, float* result
) noexcept nogil:
    """For triangles that were cut: where the ray of the sample meets the whole one.

    Gives an endless area, with the sign of the side that is seen: textures stay at full size.
    """
    cdef double px = at[0] / <double>ONE, py = at[1] / <double>ONE
    cdef double[3] x
    cdef double[3] y
    cdef double[3] weight
    cdef double total = 0, size = 0
    cdef int i, p, q
    for i in range(3):
        x[i] = clip[face[i], 0] - px * clip[face[i], 2]
        y[i] = clip[face[i], 1] - py * clip[face[i], 2]
    for i in range(3):
        p, q = (i + 1) % 3, (i + 2) % 3
        weight[i] = x[p] * y[q] - y[p] * x[q]
        total += weight[i]
        size += fabs(weight[i])
    if not (0 < size < INFINITY):
        result[0], result[1], result[2] = 1, 0, 0
        return -1
    # Rounding may leave a covered sample a little outside.
    size = 0
    for i in range(3):
        weight[i] = max(weight[i] if total > 0 else -weight[i], 0.0)
        size += weight[i]
    for i in range(3):
        result[i] = <float>(weight[i] / size) if size > 0 else <float>(1.0 / 3)
    return INFINITY if total > 0 else -INFINITY


def write_maps(
    const int32_t[::1] places,
    const int32_t[::1] triangles,
    const float[:, ::1] barycentrics,
    const double[:, ::1] keys,
    bint perspective,
    const int32_t[:, ::1] faces,
    parts,
    uv,
    int16_t item,
    maps,
):
    """Documented in _fragments.pyi."""
    cdef int16_t[:, ::1] items = maps.item
    cdef int32_t[:, ::1] triangle_map = maps.triangle
    cdef int32_t[:, ::1] vertex = maps.vertex
    cdef float[:, :, ::1] barycentric_map = maps.barycentrics
    cdef float[:, ::1] depth = maps.depth
    cdef uint8_t[:, ::1] part = maps.part
    cdef float[:, ::1] u = maps.u
    cdef float[:, ::1] v = maps.v
    cdef const uint8_t[::1] parts_view
    cdef const float[:, :, ::1] uv_view
    cdef bint charted = parts is not None
    cdef Py_ssize_t n
    cdef int32_t place, triangle
    cdef int corner
    cdef float b0, b1, b2
    cdef double key
    if charted:
        parts_view, uv_view = parts, uv
    if places.shape[0] == 0:
        return
    with nogil:
        for n in range(places.shape[0]):
            place, triangle = places[n], triangles[n]
            b0, b1, b2 = barycentrics[n, 0], barycentrics[n, 1], barycentrics[n, 2]
            corner = 0 if b0 >= b1 and b0 >= b2 else 1 if b1 >= b2 else 2
            (&items[0, 0])[place] = item
            (&triangle_map[0, 0])[place] = triangle
            (&vertex[0, 0])[place] = faces[triangle, corner]
            (&barycentric_map[0, 0, 0])[3 * <Py_ssize_t>place] = b0
            (&barycentric_map[0, 0, 0])[3 * <Py_ssize_t>place + 1] = b1
            (&barycentric_map[0, 0, 0])[3 * <Py_ssize_t>place + 2] = b2
            key = (&keys[0, 0])[place]
            (&depth[0, 0])[place] = <float>(1 / key if perspective else -key)
            if charted:
                (&part[0, 0])[place] = parts_view[triangle]
                (&u[0, 0])[place] = _mix(&uv_view[triangle, 0, 0], b0, b1, b2)
                (&v[0, 0])[place] = _mix(&uv_view[triangle, 0, 1], b0, b1, b2)


cdef inline float _mix(const float* corner, float b0, float b1, float b2) noexcept nogil:
    return b0 * corner[0] + b1 * corner[2] + b2 * corner[4]


def find_edges(
    const int16_t[:, ::1] item, const int32_t[:, ::1] triangle, const float[:, ::1] depth,
    double pixel_size, bint perspective, double steepest,
):
    """Documented in _fragments.pyi."""
    cdef Py_ssize_t y, x, height = item.shape[0], width = item.shape[1]
    cdef int32_t found = 0
    slots = np.full((height, width), -1, np.int32)
    cdef int32_t[:, ::1] slots_view = slots
    cdef float scale = <float>(pixel_size * steepest)
    with nogil:
        for y in range(height):
            for x in range(width):
                if x + 1 < width and _differs(
                    item[y, x], item[y, x + 1], triangle[y, x], triangle[y, x + 1],
                    depth[y, x], depth[y, x + 1], scale, perspective,
                ):
                    slots_view[y, x] = 0
                    slots_view[y, x + 1] = 0
                if y + 1 < height and _differs(
                    item[y, x], item[y + 1, x], triangle[y, x], triangle[y + 1, x],
                    depth[y, x], depth[y + 1, x], scale, perspective,
                ):
                    slots_view[y, x] = 0
                    slots_view[y + 1, x] = 0
        for y in range(height):
            for x in range(width):
                found += slots_view[y, x] == 0
    pixels = np.empty(found, np.int32)
    cdef int32_t[::1] pixels_view = pixels
    found = 0
    with nogil:
        for y in range(height):
            for x in range(width):
                if slots_view[y, x] == 0:
                    slots_view[y, x] = found
                    pixels_view[found] = <int32_t>(y * width + x)
                    found += 1
    return slots, pixels


cdef inline bint _differs(
    int16_t item0, int16_t item1, int32_t triangle0, int32_t triangle1,
    float depth0, float depth1, float scale, bint perspective,
) noexcept nogil:
    if item0 != item1:
        return True
    if triangle0 == triangle1:
        return False
    return fabs(depth0 - depth1) > (scale * min(depth0, depth1) if perspective else scale)
