# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: autotestdict=False
"""Colours at the samples where a mesh is seen, in linear light."""

from libc.math cimport sqrt, sqrtf
from libc.stdint cimport int32_t, uint8_t

import numpy as np

from bitpose.render._grid cimport SAMPLES, unit


def vertex_normals(const double[:, ::1] vertices, const int32_t[:, ::1] faces):
    """Documented in _shade.pyi."""
    cdef Py_ssize_t t, i, k, count = vertices.shape[0]
    normals = np.zeros((count, 3))
    units = np.zeros((count, 3), np.float32)
    cdef double[:, ::1] sums = normals
    cdef float[:, ::1] result = units
    cdef double[3] p
    cdef double[3] q
    cdef double[3] cross
    cdef int32_t a, b, c
    cdef double length
    with nogil:
        for t in range(faces.shape[0]):
            a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
            if not (0 <= a < count and 0 <= b < count and 0 <= c < count):
                continue
            for k in range(3):
                p[k] = vertices[b, k] - vertices[a, k]
                q[k] = vertices[c, k] - vertices[a, k]
            cross[0] = p[1] * q[2] - p[2] * q[1]
            cross[1] = p[2] * q[0] - p[0] * q[2]
            cross[2] = p[0] * q[1] - p[1] * q[0]
            for k in range(3):
                sums[a, k] += cross[k]
                sums[b, k] += cross[k]
                sums[c, k] += cross[k]
        for i in range(count):
            length = sqrt(sums[i, 0] * sums[i, 0] + sums[i, 1] * sums[i, 1] + sums[i, 2] * sums[i, 2])
            if length > 0:
                for k in range(3):
                    result[i, k] = <float>(sums[i, k] / length)
    return units


def mix_corners(
    const float[:, ::1] values,
    const int32_t[:, ::1] faces,
    const int32_t[::1] triangles,
    const float[:, ::1] barycentrics,
):
    """Documented in _shade.pyi."""
    cdef Py_ssize_t n
    cdef int k
    cdef const int32_t* face
    mixed = np.empty((triangles.shape[0], 3), np.float32)
    cdef float[:, ::1] result = mixed
    with nogil:
        for n in range(triangles.shape[0]):
            face = &faces[triangles[n], 0]
            for k in range(3):
                result[n, k] = (
                    barycentrics[n, 0] * values[face[0], k]
                    + barycentrics[n, 1] * values[face[1], k]
                    + barycentrics[n, 2] * values[face[2], k]
                )
    return mixed


def sample_texture(
    const uint8_t[:, ::1] texels,
    const int32_t[:, ::1] levels,
    const float[::1] decode,
    const float[:, :, ::1] uv,
    const int32_t[::1] triangles,
    const float[:, ::1] barycentrics,
    const float[::1] areas,
):
    """Documented in _shade.pyi."""
    cdef Py_ssize_t n, level
    cdef const float* corner
    cdef float u, v, ratio
    colours = np.empty((triangles.shape[0], 3), np.float32)
    cdef float[:, ::1] result = colours
    with nogil:
        for n in range(triangles.shape[0]):
            corner = &uv[triangles[n], 0, 0]
            ratio = abs(
                (corner[2] - corner[0]) * (corner[5] - corner[1])
                - (corner[3] - corner[1]) * (corner[4] - corner[0])
            ) * levels[0, 1] * levels[0, 2] / max(2 * abs(areas[n]), 1e-6)
            level = 0
            while ratio > 2 and level + 1 < levels.shape[0]:
                ratio *= 0.25
                level += 1
            u = _mix(corner, &barycentrics[n, 0])
            v = _mix(corner + 1, &barycentrics[n, 0])
            _fetch(texels, &levels[level, 0], decode, u, v, &result[n, 0])
    return colours


cdef inline float _mix(const float* corner, const float* b) noexcept nogil:
    return b[0] * corner[0] + b[1] * corner[2] + b[2] * corner[4]


cdef inline void _fetch(
    const uint8_t[:, ::1] texels, const int32_t* level, const float[::1] decode,
    float u, float v, float* colour,
) noexcept nogil:
    """Bilinear between texel centres; beyond the border its colour goes on."""
    cdef int32_t height = level[1], width = level[2]
    cdef float x = <float>unit(u) * width - <float>0.5
    cdef float y = <float>(1 - unit(v)) * height - <float>0.5
    x = min(max(x, 0.0), width - 1)
    y = min(max(y, 0.0), height - 1)
    cdef int32_t x0 = <int32_t>x, y0 = <int32_t>y
    cdef int32_t x1 = min(x0 + 1, width - 1), y1 = min(y0 + 1, height - 1)
    cdef float fx = x - x0, fy = y - y0, upper, lower
    cdef Py_ssize_t row0 = level[0] + <Py_ssize_t>y0 * width
    cdef Py_ssize_t row1 = level[0] + <Py_ssize_t>y1 * width
    cdef int k
    for k in range(3):
        upper = decode[texels[row0 + x0, k]] * (1 - fx) + decode[texels[row0 + x1, k]] * fx
        lower = decode[texels[row1 + x0, k]] * (1 - fx) + decode[texels[row1 + x1, k]] * fx
        colour[k] = upper * (1 - fy) + lower * fy


def illuminate(
    float[:, ::1] colours,
    const float[:, ::1] normals,
    const float[::1] areas,
    const float[:, ::1] harmonics,
    const float[:, ::1] directions,
    const float[:, ::1] strengths,
):
    """Documented in _shade.pyi."""
    cdef Py_ssize_t n, j
    cdef int k, i
    cdef float x, y, z, length, cosine, total
    cdef float[9] basis
    if harmonics.shape[0] != 9 or harmonics.shape[1] != 3 or directions.shape[1] != 3:
        raise ValueError("harmonics must be [9, 3], directions [L, 3]")
    if strengths.shape[0] != directions.shape[0] or strengths.shape[1] != 3:
        raise ValueError("each direction needs its strength [3]")
    if normals.shape[0] != colours.shape[0] or areas.shape[0] != colours.shape[0]:
        raise ValueError("a normal, an area and a colour for each sample")
    with nogil:
        for n in range(colours.shape[0]):
            x, y, z = normals[n, 0], normals[n, 1], normals[n, 2]
            length = sqrtf(x * x + y * y + z * z)
            # Triangles with a positive area are seen from behind.
            length = (-1 if areas[n] > 0 else 1) / length if length > 0 else 0
            x, y, z = x * length, y * length, z * length
            _basis(x, y, z, basis)
            for k in range(3):
                total = 0
                for i in range(9):
                    total += basis[i] * harmonics[i, k]
                for j in range(directions.shape[0]):
                    cosine = x * directions[j, 0] + y * directions[j, 1] + z * directions[j, 2]
                    total += max(cosine, <float>0) * strengths[j, k]
                colours[n, k] *= max(total, <float>0)


cdef inline void _basis(float x, float y, float z, float* basis) noexcept nogil:
    """Real spherical harmonics of degrees 0 to 2, each divided by that of degree 0."""
    cdef float root3 = 1.7320508, root15 = 3.8729833, half_root5 = 1.1180340
    basis[0] = 1
    basis[1] = root3 * y
    basis[2] = root3 * z
    basis[3] = root3 * x
    basis[4] = root15 * x * y
    basis[5] = root15 * y * z
    basis[6] = half_root5 * (3 * z * z - 1)
    basis[7] = root15 * x * z
    basis[8] = root15 / 2 * (x * x - y * y)


def accumulate(
    const float[:, ::1] colours, const int32_t[::1] places, float[:, ::1] sums, int32_t[::1] counts
):
    """Documented in _shade.pyi."""
    cdef Py_ssize_t n, pixel
    cdef int k
    with nogil:
        for n in range(places.shape[0]):
            pixel = places[n] / SAMPLES
            counts[pixel] += 1
            for k in range(3):
                sums[pixel, k] += colours[n, k]


def encode(
    const float[:, ::1] colours,
    const int32_t[::1] places,
    const uint8_t[::1] table,
    uint8_t[:, ::1] picture,
):
    """Documented in _shade.pyi."""
    cdef Py_ssize_t n
    cdef int k
    cdef float top = table.shape[0] - 1, half = 0.5
    with nogil:
        for n in range(places.shape[0]):
            for k in range(3):
                picture[places[n], k] = table[<int32_t>(<float>unit(colours[n, k]) * top + half)]
