# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: autotestdict=False
"""Positions and derivatives of landmarks; landmarks.py has the formulas and has checked all."""

from libc.stdint cimport int32_t


def positions(
    const double[:, :, :, ::1] R, const double[:, :, ::1] t,
    const double[:, :, ::1] features, const double[:, ::1] betas,
    const int32_t[::1] starts, const int32_t[::1] bones, const double[::1] shares,
    const double[:, ::1] rest, const double[:, :, ::1] by_shape,
    const int32_t[::1] corrected, const int32_t[::1] correctors,
    const double[:, :, ::1] corrections,
    double[:, :, ::1] parts, double[:, :, ::1] dst,
) -> None:
    """Documented in _landmarks.pyi."""
    cdef Py_ssize_t body, point, pair, term, b, j, i, k
    cdef double x[3]
    with nogil:
        for body in range(dst.shape[0]):
            for point in range(dst.shape[1]):
                for pair in range(starts[point], starts[point + 1]):
                    for i in range(3):
                        x[i] = rest[pair, i]
                        for k in range(betas.shape[1]):
                            x[i] += by_shape[pair, i, k] * betas[body, k]
                    for term in range(corrected[pair], corrected[pair + 1]):
                        j = correctors[term]
                        for i in range(3):
                            for k in range(9):
                                x[i] += corrections[term, i, k] * features[body, j, k]
                    b = bones[pair]
                    for i in range(3):
                        parts[body, pair, i] = shares[pair] * t[body, b, i] + (
                            R[body, b, i, 0] * x[0] + R[body, b, i, 1] * x[1]
                            + R[body, b, i, 2] * x[2]
                        )
                        dst[body, point, i] += parts[body, pair, i]


def jacobian(
    const double[:, :, :, ::1] R, const double[:, :, ::1] t,
    const double[:, :, :, ::1] axes, const double[:, :, :, ::1] features_by_turn,
    const double[:, :, :, ::1] joints_by_shape, const int32_t[::1] parents,
    const int32_t[::1] starts, const int32_t[::1] bones, const double[::1] shares,
    const double[:, :, ::1] by_shape,
    const int32_t[::1] corrected, const int32_t[::1] correctors,
    const double[:, :, ::1] corrections,
    const double[:, :, ::1] parts,
    double[:, :, :, :, ::1] dst_by_turn, double[:, :, :, ::1] dst_by_shape,
) -> None:
    """Documented in _landmarks.pyi."""
    cdef Py_ssize_t body, point, pair, term, b, j, i, c, k
    cdef double arm[3]
    cdef double inner[3]
    with nogil:
        for body in range(parts.shape[0]):
            for point in range(starts.shape[0] - 1):
                for pair in range(starts[point], starts[point + 1]):
                    b = bones[pair]
                    j = b
                    while j >= 0:
                        for i in range(3):
                            arm[i] = parts[body, pair, i] - shares[pair] * t[body, j, i]
                        _add_cross(&axes[body, j, 0, 0], arm, &dst_by_turn[body, point, 0, j, 0],
                                   3 * parents.shape[0])
                        j = parents[j]
                    for term in range(corrected[pair], corrected[pair + 1]):
                        j = correctors[term]
                        for c in range(3):
                            for i in range(3):
                                inner[i] = 0
                                for k in range(9):
                                    inner[i] += (
                                        corrections[term, i, k] * features_by_turn[body, j, k, c]
                                    )
                            for i in range(3):
                                dst_by_turn[body, point, i, j, c] += (
                                    R[body, b, i, 0] * inner[0] + R[body, b, i, 1] * inner[1]
                                    + R[body, b, i, 2] * inner[2]
                                )
                    for i in range(3):
                        for k in range(by_shape.shape[2]):
                            dst_by_shape[body, point, i, k] += (
                                R[body, b, i, 0] * by_shape[pair, 0, k]
                                + R[body, b, i, 1] * by_shape[pair, 1, k]
                                + R[body, b, i, 2] * by_shape[pair, 2, k]
                                + shares[pair] * joints_by_shape[body, b, i, k]
                            )


cdef inline void _add_cross(
    const double* axes, const double* arm, double* dst, Py_ssize_t stride
) noexcept nogil:
    """Adds each column of `axes` [3, 3] times the arm to the columns of dst."""
    cdef Py_ssize_t c
    for c in range(3):
        dst[c] += axes[3 + c] * arm[2] - axes[6 + c] * arm[1]
        dst[stride + c] += axes[6 + c] * arm[0] - axes[c] * arm[2]
        dst[2 * stride + c] += axes[c] * arm[1] - axes[3 + c] * arm[0]
