# SPDX-License-Identifier: Apache-2.0
"""Cutting triangles by the near plane and a guard band around the picture."""

from libc.math cimport fabs, lrint
from libc.stdint cimport int64_t

from bitpose.render._grid cimport ONE

cdef enum:
    GUARD = 1 << 16  # Pixels. Corners beyond are cut off: edge functions then fit into 60 bits.
    PLANES = 5
    MAX_CORNERS = 3 + PLANES


cdef struct Corner:
    int64_t x
    int64_t y
    double key
    double inverse_w
    double u  # Divided by w, like v: linear on the screen.
    double v


cdef struct Point:  # In clip space.
    double[6] at  # x, y, w, d, u, v
    double inside  # Signed distance from the plane in hand.


cdef inline int cut(Point* polygon, int count, int plane, double near) noexcept nogil:
    """Cuts a convex polygon by a plane, in place; gives the new number of corners."""
    cdef Point[MAX_CORNERS + 1] kept
    cdef Point* here
    cdef Point* after
    cdef int i, n = 0
    cdef bint out = False
    for i in range(count):
        polygon[i].inside = distance_from(polygon[i].at, plane, near)
        out = out or not polygon[i].inside >= 0
    if not out:
        return count
    for i in range(count):
        here, after = &polygon[i], &polygon[(i + 1) % count]
        if here.inside >= 0 and n <= MAX_CORNERS:
            kept[n] = here[0]
            n += 1
        if (here.inside >= 0) != (after.inside >= 0) and n <= MAX_CORNERS:
            # Always from the inner corner, so that both triangles of an edge cut it at one place.
            if here.inside >= 0:
                between(here, after, &kept[n])
            else:
                between(after, here, &kept[n])
            n += 1
    for i in range(n):
        polygon[i] = kept[i]
    return n


cdef inline double distance_from(const double* at, int plane, double near) noexcept nogil:
    if plane == 0:
        return at[2] - near
    if plane == 1:
        return <double>GUARD * at[2] - at[0]
    if plane == 2:
        return <double>GUARD * at[2] + at[0]
    if plane == 3:
        return <double>GUARD * at[2] - at[1]
    return <double>GUARD * at[2] + at[1]


cdef inline void between(const Point* inner, const Point* outer, Point* result) noexcept nogil:
    cdef double t = inner.inside / (inner.inside - outer.inside)
    cdef int k
    for k in range(6):
        result.at[k] = inner.at[k] + t * (outer.at[k] - inner.at[k])
    result.inside = 0


cdef inline bint place(const Point* point, Corner* corner) noexcept nogil:
    """Puts a point on the grid; false where it has no place there, for NaNs above all."""
    cdef double inverse_w = 1 / point.at[2]
    cdef double x = point.at[0] * inverse_w, y = point.at[1] * inverse_w
    if not (point.at[2] > 0 and fabs(x) <= <double>GUARD + 1 and fabs(y) <= <double>GUARD + 1):
        return False
    corner.x, corner.y = lrint(x * <double>ONE), lrint(y * <double>ONE)
    corner.key = point.at[3] * inverse_w
    corner.inverse_w = inverse_w
    corner.u, corner.v = point.at[4] * inverse_w, point.at[5] * inverse_w
    return True
