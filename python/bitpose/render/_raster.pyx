# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: autotestdict=False
"""Which triangle is seen where. Coverage is decided in integers: no cracks, no double hits.

Corners lie on the grid of _grid.pxd. The edge function of (p, q) at s is
(q.x - p.x) * (s.y - p.y) - (q.y - p.y) * (s.x - p.x); y points down. A triangle whose area is
negative looks at the camera; inside of all its edges, taken the other way round, they are positive.
"""

from libc.math cimport fabs, lrint
from libc.stdint cimport int32_t, int64_t, uint8_t

import numpy as np

from bitpose.render._clip cimport GUARD, MAX_CORNERS, PLANES, Corner, Point, cut, place
from bitpose.render._grid cimport BITS, HALF, OFF_GRID, ONE, SAMPLES, unit

cdef enum:
    WIDE = 12  # From so many columns on it pays to compute the ends of each row.

# The sample positions of an edge pixel, relative to its centre, in 1/16 of a pixel: eight rooks.
cdef int32_t[8] SAMPLE_X = [1, -1, 5, -3, -5, -7, 3, 7]
cdef int32_t[8] SAMPLE_Y = [-3, 3, 1, -5, 5, -1, 7, -7]

SUBPIXEL_BITS = BITS
SAMPLE_OFFSETS = np.stack([np.asarray(SAMPLE_X), np.asarray(SAMPLE_Y)], 1) / 16


cdef struct Edge:
    int64_t dx  # Of one grid step to the right.
    int64_t dy
    int64_t start  # At the origin of the grid, less one where samples on the edge are outside.
    int64_t bias


cdef struct Triangle:
    Edge[3] edges  # Edge i is opposite corner i.
    double inverse_area
    Corner[3] corners


cdef struct Target:
    int64_t width
    int64_t height
    double* keys
    int32_t* triangles
    const int32_t* slots  # NULL for pixels; else where the samples of a pixel are, or -1.
    bint back_faces
    const uint8_t* alpha  # NULL where everything is opaque.
    int64_t alpha_width
    int64_t alpha_height


def project(
    const double[:, ::1] vertices, const double[:, ::1] matrix, double near,
):
    """Documented in _raster.pyi."""
    cdef Py_ssize_t i, count = vertices.shape[0]
    clip = np.empty((count, 4))
    screen = np.empty((count, 2), np.int32)
    keys = np.zeros(count)
    cdef double[:, ::1] clip_view = clip
    cdef int32_t[:, ::1] screen_view = screen
    cdef double[::1] keys_view = keys
    cdef double x, y, z, w, limit, inverse_w
    cdef int row
    if vertices.shape[1] != 3 or matrix.shape[0] != 4 or matrix.shape[1] != 4:
        raise ValueError("vertices must be [V, 3] and the matrix [4, 4]")
    with nogil:
        for i in range(count):
            x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
            for row in range(4):
                clip_view[i, row] = (
                    matrix[row, 0] * x + matrix[row, 1] * y + matrix[row, 2] * z + matrix[row, 3]
                )
            w = clip_view[i, 2]
            limit = <double>GUARD * w
            screen_view[i, 0] = OFF_GRID
            screen_view[i, 1] = OFF_GRID
            if w >= near and fabs(clip_view[i, 0]) <= limit and fabs(clip_view[i, 1]) <= limit:
                inverse_w = 1 / w
                screen_view[i, 0] = <int32_t>lrint(clip_view[i, 0] * inverse_w * <double>ONE)
                screen_view[i, 1] = <int32_t>lrint(clip_view[i, 1] * inverse_w * <double>ONE)
                keys_view[i] = clip_view[i, 3] * inverse_w
    return clip, screen, keys


def draw(
    projected,
    const int32_t[:, ::1] faces,
    int32_t first,
    double near,
    bint back_faces,
    alpha,
    double[:, ::1] keys,
    int32_t[:, ::1] triangles,
    slots=None,
):
    """Documented in _raster.pyi."""
    cdef const double[:, ::1] clip = projected[0]
    cdef const int32_t[:, ::1] screen = projected[1]
    cdef const double[::1] vertex_keys = projected[2]
    cdef const uint8_t[:, ::1] mask
    cdef const float[:, :, ::1] uv
    cdef const int32_t[:, ::1] slots_view
    cdef Py_ssize_t t, bad = -1, count = clip.shape[0]
    cdef const float* corner_uv = NULL
    cdef Target target
    if faces.shape[1] != 3 or screen.shape[0] != count or vertex_keys.shape[0] != count:
        raise ValueError("faces must be [F, 3], and all of `projected` of the same vertices")
    if clip.shape[1] != 4 or screen.shape[1] != 2:
        raise ValueError("`projected` must be what project gives")
    if slots is None:
        target.width, target.height = keys.shape[1], keys.shape[0]
        if triangles.shape[0] != target.height or triangles.shape[1] != target.width:
            raise ValueError("keys and triangles must have one shape")
        target.slots = NULL
    else:
        slots_view = slots
        target.width, target.height = slots_view.shape[1], slots_view.shape[0]
        if keys.shape[1] != SAMPLES or triangles.shape[1] != SAMPLES:
            raise ValueError("keys and triangles must be [K, 8]")
        if min(keys.shape[0], triangles.shape[0]) <= int(np.max(slots, initial=-1)):
            raise ValueError("a slot is beyond the samples")
        target.slots = &slots_view[0, 0] if target.width * target.height else NULL
    if target.width * target.height == 0 or keys.shape[0] == 0 or faces.shape[0] == 0:
        return -1
    target.keys, target.triangles = &keys[0, 0], &triangles[0, 0]
    target.back_faces = back_faces
    target.alpha = NULL
    if alpha is not None:
        mask, uv = alpha
        if uv.shape[0] != faces.shape[0] or uv.shape[1] != 3 or uv.shape[2] != 2:
            raise ValueError("texture coordinates must be [F, 3, 2]")
        if mask.shape[0] * mask.shape[1] == 0:
            raise ValueError("an empty mask")
        target.alpha = &mask[0, 0]
        target.alpha_width, target.alpha_height = mask.shape[1], mask.shape[0]
        corner_uv = &uv[0, 0, 0]
    with nogil:
        for t in range(faces.shape[0]):
            if not _draw_face(
                &target, &clip[0, 0] if count else NULL, &screen[0, 0] if count else NULL,
                &vertex_keys[0] if count else NULL, count, &faces[t, 0], near,
                corner_uv + 6 * t if corner_uv != NULL else NULL, <int32_t>(first + t),
            ):
                bad = t
                break
    return bad


cdef inline bint _draw_face(
    const Target* target,
    const double* clip,
    const int32_t* screen,
    const double* keys,
    Py_ssize_t count,
    const int32_t* face,
    double near,
    const float* uv,
    int32_t name,
) noexcept nogil:
    """Draws one face of the mesh; false where it names a vertex that is not there."""
    cdef Corner[3] corners
    cdef int i
    cdef Py_ssize_t v
    cdef bint whole = True
    for i in range(3):
        v = face[i]
        if v < 0 or v >= count:
            return False
        whole = whole and screen[2 * v] != OFF_GRID
        corners[i].x = screen[2 * v]
        corners[i].y = screen[2 * v + 1]
        corners[i].key = keys[v]
    if not whole:
        _draw_cut(target, clip, face, near, uv, name)
        return True
    if uv != NULL:
        for i in range(3):
            corners[i].inverse_w = 1 / clip[4 * <Py_ssize_t>face[i] + 2]
            corners[i].u = uv[2 * i] * corners[i].inverse_w
            corners[i].v = uv[2 * i + 1] * corners[i].inverse_w
    _draw_triangle(target, corners, name)
    return True


cdef void _draw_cut(
    const Target* target,
    const double* clip,
    const int32_t* face,
    double near,
    const float* uv,
    int32_t name,
) noexcept nogil:
    """Draws what is left of a triangle before the near plane and within the guard band."""
    cdef Point[MAX_CORNERS + 1] polygon
    cdef Corner[MAX_CORNERS + 1] corners
    cdef Corner[3] fan
    cdef int i, k, plane, count = 3
    for i in range(3):
        for k in range(4):
            polygon[i].at[k] = clip[4 * <Py_ssize_t>face[i] + k]
        polygon[i].at[4] = uv[2 * i] if uv != NULL else 0
        polygon[i].at[5] = uv[2 * i + 1] if uv != NULL else 0
    for plane in range(PLANES):
        count = cut(polygon, count, plane, near)
        if count < 3:
            return
    for i in range(count):
        if not place(&polygon[i], &corners[i]):
            return
    for i in range(1, count - 1):
        fan[0], fan[1], fan[2] = corners[0], corners[i], corners[i + 1]
        _draw_triangle(target, fan, name)


cdef inline void _draw_triangle(
    const Target* target, const Corner* corners, int32_t name
) noexcept nogil:
    cdef Triangle triangle
    cdef int64_t left, right, top, bottom, reach = HALF if target.slots == NULL else 0
    left = min(corners[0].x, corners[1].x, corners[2].x)
    right = max(corners[0].x, corners[1].x, corners[2].x)
    top = min(corners[0].y, corners[1].y, corners[2].y)
    bottom = max(corners[0].y, corners[1].y, corners[2].y)
    # The pixels whose centres the box holds; of those with samples, all that it touches.
    left = max(0, (left + reach - (1 if reach else 0)) >> BITS)
    top = max(0, (top + reach - (1 if reach else 0)) >> BITS)
    right = min(target.width - 1, (right - reach) >> BITS)
    bottom = min(target.height - 1, (bottom - reach) >> BITS)
    if left > right or top > bottom:
        return
    if target.slots != NULL:
        if _touches(target, left, right, top, bottom) and _set_up(&triangle, corners, target):
            _fill_samples(target, &triangle, name, left, right, top, bottom)
    elif _set_up(&triangle, corners, target):
        _fill_pixels(target, &triangle, name, left, right, top, bottom)


cdef inline bint _set_up(
    Triangle* triangle, const Corner* corners, const Target* target
) noexcept nogil:
    """False where there is nothing to draw: without area, or looking away if those are hidden."""
    cdef int64_t area = (
        (corners[1].x - corners[0].x) * (corners[2].y - corners[0].y)
        - (corners[1].y - corners[0].y) * (corners[2].x - corners[0].x)
    )
    cdef int i
    if area == 0 or (area > 0 and not target.back_faces):
        return False
    triangle.corners[0] = corners[0]
    triangle.corners[1] = corners[1 if area > 0 else 2]
    triangle.corners[2] = corners[2 if area > 0 else 1]
    triangle.inverse_area = 1.0 / <double>(area if area > 0 else -area)
    for i in range(3):
        _set_edge(
            &triangle.edges[i], &triangle.corners[(i + 1) % 3], &triangle.corners[(i + 2) % 3]
        )
    return True


cdef inline void _set_edge(Edge* edge, const Corner* p, const Corner* q) noexcept nogil:
    edge.dx = p.y - q.y
    edge.dy = q.x - p.x
    # Top-left rule: a sample on an edge belongs to the triangle on its right, or below it.
    edge.bias = 0 if edge.dx > 0 or (edge.dx == 0 and edge.dy > 0) else -1
    edge.start = edge.bias - edge.dx * p.x - edge.dy * p.y


cdef inline void _fill_pixels(
    const Target* target, const Triangle* triangle, int32_t name,
    int64_t left, int64_t right, int64_t top, int64_t bottom,
) noexcept nogil:
    cdef const Edge* edges = &triangle.edges[0]
    cdef int64_t x = left * ONE + HALF, y = top * ONE + HALF
    cdef int64_t row0 = edges[0].start + edges[0].dx * x + edges[0].dy * y
    cdef int64_t row1 = edges[1].start + edges[1].dx * x + edges[1].dy * y
    cdef int64_t row2 = edges[2].start + edges[2].dx * x + edges[2].dy * y
    cdef int64_t dx0 = edges[0].dx * ONE, dx1 = edges[1].dx * ONE, dx2 = edges[2].dx * ONE
    cdef int64_t i, j, low, high, e0, e1, e2, at
    for i in range(top, bottom + 1):
        low, high = 0, right - left
        if high >= WIDE:
            _narrow(row0, dx0, &low, &high)
            _narrow(row1, dx1, &low, &high)
            _narrow(row2, dx2, &low, &high)
        e0, e1, e2 = row0 + low * dx0, row1 + low * dx1, row2 + low * dx2
        at = i * target.width + left + low
        for j in range(high - low + 1):
            if (e0 | e1 | e2) >= 0:
                _hit(target, triangle, name, at + j, e0, e1, e2)
            e0 += dx0
            e1 += dx1
            e2 += dx2
        row0 += edges[0].dy * ONE
        row1 += edges[1].dy * ONE
        row2 += edges[2].dy * ONE


cdef inline void _narrow(int64_t e, int64_t dx, int64_t* low, int64_t* high) noexcept nogil:
    """Leaves of the steps low .. high those where e + step * dx is not negative."""
    if dx > 0:
        if e < 0:
            low[0] = max(low[0], (-e + dx - 1) / dx)
    elif e < 0:
        high[0] = -1
    elif dx < 0:
        high[0] = min(high[0], e / -dx)


cdef inline void _hit(
    const Target* target, const Triangle* triangle, int32_t name,
    int64_t at, int64_t e0, int64_t e1, int64_t e2,
) noexcept nogil:
    """A covered sample: keeps the triangle there if it is the nearest, of equals the first."""
    cdef const Corner* c = &triangle.corners[0]
    cdef double weight1 = <double>(e1 - triangle.edges[1].bias) * triangle.inverse_area
    cdef double weight2 = <double>(e2 - triangle.edges[2].bias) * triangle.inverse_area
    cdef double key = (
        c[0].key + weight1 * (c[1].key - c[0].key) + weight2 * (c[2].key - c[0].key)
    )
    if not key > target.keys[at]:
        return
    if target.alpha != NULL and not _opaque(target, c, weight1, weight2):
        return
    target.keys[at] = key
    target.triangles[at] = name


cdef inline bint _opaque(
    const Target* target, const Corner* c, double weight1, double weight2
) noexcept nogil:
    """Whether the texel nearest to a sample is at least half opaque."""
    cdef double weight0 = 1 - weight1 - weight2
    cdef double w = 1 / (
        weight0 * c[0].inverse_w + weight1 * c[1].inverse_w + weight2 * c[2].inverse_w
    )
    cdef double u = (weight0 * c[0].u + weight1 * c[1].u + weight2 * c[2].u) * w
    cdef double v = (weight0 * c[0].v + weight1 * c[1].v + weight2 * c[2].v) * w
    cdef int64_t column = <int64_t>(unit(u) * target.alpha_width)
    cdef int64_t row = <int64_t>((1 - unit(v)) * target.alpha_height)
    column, row = min(column, target.alpha_width - 1), min(row, target.alpha_height - 1)
    return target.alpha[row * target.alpha_width + column] >= 128


cdef inline bint _touches(
    const Target* target, int64_t left, int64_t right, int64_t top, int64_t bottom
) noexcept nogil:
    """Whether one of these pixels has samples."""
    cdef int64_t i, j
    for i in range(top, bottom + 1):
        for j in range(left, right + 1):
            if target.slots[i * target.width + j] >= 0:
                return True
    return False


cdef void _fill_samples(
    const Target* target, const Triangle* triangle, int32_t name,
    int64_t left, int64_t right, int64_t top, int64_t bottom,
) noexcept nogil:
    cdef const Edge* edges = &triangle.edges[0]
    cdef int64_t[3][SAMPLES] offsets
    cdef int64_t[SAMPLES] outside
    cdef int64_t i, j, slot, x, y, e0, e1, e2
    cdef int s, k
    for k in range(3):
        for s in range(SAMPLES):
            offsets[k][s] = (edges[k].dx * SAMPLE_X[s] + edges[k].dy * SAMPLE_Y[s]) * (ONE / 16)
    for i in range(top, bottom + 1):
        for j in range(left, right + 1):
            slot = target.slots[i * target.width + j]
            if slot < 0:
                continue
            x, y = j * ONE + HALF, i * ONE + HALF
            e0 = edges[0].start + edges[0].dx * x + edges[0].dy * y
            e1 = edges[1].start + edges[1].dx * x + edges[1].dy * y
            e2 = edges[2].start + edges[2].dx * x + edges[2].dy * y
            for s in range(SAMPLES):
                outside[s] = (e0 + offsets[0][s]) | (e1 + offsets[1][s]) | (e2 + offsets[2][s])
            for s in range(SAMPLES):
                if outside[s] >= 0:
                    _hit(
                        target, triangle, name, slot * SAMPLES + s,
                        e0 + offsets[0][s], e1 + offsets[1][s], e2 + offsets[2][s],
                    )
