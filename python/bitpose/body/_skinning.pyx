# SPDX-License-Identifier: Apache-2.0
# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: autotestdict=False
"""Blend shapes, kinematic chain and skinning, and the transpose of skinning for gradients.

Callers in model.py and gradients.py have checked every shape and index.
"""

from libc.stdint cimport int16_t, int32_t

cdef extern from *:
    """
    /* Wider vectors where the CPU has them, chosen when the module is loaded. No product is fused
       with a sum, so the bits are the same. */
    #if defined(__x86_64__) && defined(__GLIBC__)
    #define BITPOSE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define BITPOSE_CLONES
    #endif

    BITPOSE_CLONES
    static void combine_codes(
        const int16_t* const* rows, const float* f, Py_ssize_t count, float* dst) {
      for (Py_ssize_t i = 0; i < count; ++i) {
        dst[i] += (f[0] * rows[0][i] + f[1] * rows[1][i] + f[2] * rows[2][i]) +
                  (f[3] * rows[3][i] + f[4] * rows[4][i] + f[5] * rows[5][i]) +
                  (f[6] * rows[6][i] + f[7] * rows[7][i] + f[8] * rows[8][i]);
      }
    }
    """
    void combine_codes(
        const int16_t* const* rows, const float* f, Py_ssize_t count, float* dst
    ) noexcept nogil

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 512  # Values that stay in the first cache while directions pass by.
    BLOCK = 512  # Vertices of a joint whose directions share their steps.

POSE_BLOCK = BLOCK


def blend(
    const real[:, ::1] directions, const real[:, ::1] coefficients, real[:, ::1] dst
) -> None:
    """Documented in _skinning.pyi."""
    cdef Py_ssize_t batch = dst.shape[0], count = dst.shape[1], terms = directions.shape[0]
    cdef Py_ssize_t start = 0, size, b, k
    with nogil:
        while start < count:
            size = count - start if count - start < CHUNK else CHUNK
            for b in range(batch):
                k = 0
                while k + 4 <= terms:
                    _add_four(&directions[k, start], count, &coefficients[b, k], size, &dst[b, start])
                    k += 4
                while k < terms:
                    _add_one(&directions[k, start], coefficients[b, k], size, &dst[b, start])
                    k += 1
            start += size


cdef void _add_four(
    const real* rows, Py_ssize_t stride, const real* c, Py_ssize_t size, real* dst
) noexcept nogil:
    cdef const real* row0 = rows
    cdef const real* row1 = rows + stride
    cdef const real* row2 = rows + 2 * stride
    cdef const real* row3 = rows + 3 * stride
    cdef real c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3]
    cdef Py_ssize_t i
    for i in range(size):
        dst[i] += (c0 * row0[i] + c1 * row1[i]) + (c2 * row2[i] + c3 * row3[i])


cdef void _add_one(const real* row, real c, Py_ssize_t size, real* dst) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(size):
        dst[i] += c * row[i]


def pose_blend_codes(
    const int16_t[:, :, ::1] directions,
    const float[:, ::1] steps,
    const int32_t[::1] vertices,
    const int32_t[::1] starts,
    const float[:, :, ::1] features,
    float[:, :, ::1] dst,
) -> None:
    """Documented in _skinning.pyi."""
    cdef Py_ssize_t j, b, k, start, size, block = 0
    cdef const int16_t* rows[9]
    cdef float scaled[9]
    cdef float sums[3 * BLOCK]
    cdef bint moves
    with nogil:
        for j in range(starts.shape[0] - 1):
            start = starts[j]
            while start < starts[j + 1]:
                size = _block_size(start, starts[j + 1])
                for k in range(9):
                    rows[k] = &directions[k, start, 0]
                for b in range(dst.shape[0]):
                    moves = False
                    for k in range(9):
                        scaled[k] = features[b, j, k] * steps[block, k]
                        moves = moves or scaled[k] != 0
                    if not moves:
                        continue
                    if vertices[start + size - 1] - vertices[start] == size - 1:
                        # Sorted, so without a gap.
                        combine_codes(rows, scaled, 3 * size, &dst[b, vertices[start], 0])
                        continue
                    for k in range(3 * size):
                        sums[k] = 0
                    combine_codes(rows, scaled, 3 * size, sums)
                    for k in range(size):
                        dst[b, vertices[start + k], 0] += sums[3 * k]
                        dst[b, vertices[start + k], 1] += sums[3 * k + 1]
                        dst[b, vertices[start + k], 2] += sums[3 * k + 2]
                start += size
                block += 1


cdef inline Py_ssize_t _block_size(Py_ssize_t start, Py_ssize_t end) noexcept nogil:
    return end - start if end - start < BLOCK else BLOCK


def pose_blend(
    const double[:, :, ::1] directions,
    const int32_t[::1] vertices,
    const int32_t[::1] starts,
    const double[:, :, ::1] features,
    double[:, :, ::1] dst,
) -> None:
    """Documented in _skinning.pyi."""
    cdef Py_ssize_t j, b, i, k, c
    cdef double total
    with nogil:
        for j in range(starts.shape[0] - 1):
            for b in range(dst.shape[0]):
                for i in range(starts[j], starts[j + 1]):
                    for c in range(3):
                        total = 0
                        for k in range(9):
                            total += features[b, j, k] * directions[k, i, c]
                        dst[b, vertices[i], c] += total


def forward_kinematics(
    const real[:, :, :, ::1] R_parent_joint,
    const real[:, :, ::1] rest_joints,
    const int32_t[::1] parents,
    real[:, :, :, ::1] R_world_joint,
    real[:, :, ::1] t_world_joint,
) -> None:
    """Documented in _skinning.pyi."""
    cdef Py_ssize_t batch = R_parent_joint.shape[0], joints = R_parent_joint.shape[1]
    cdef Py_ssize_t b, j, r, c, p, shape
    with nogil:
        for b in range(batch):
            shape = b if rest_joints.shape[0] > 1 else 0
            for r in range(3):
                t_world_joint[b, 0, r] += rest_joints[shape, 0, r]
                for c in range(3):
                    R_world_joint[b, 0, r, c] = R_parent_joint[b, 0, r, c]
            for j in range(1, joints):
                p = parents[j]
                for r in range(3):
                    t_world_joint[b, j, r] = t_world_joint[b, p, r]
                    for c in range(3):
                        t_world_joint[b, j, r] += R_world_joint[b, p, r, c] * (
                            rest_joints[shape, j, c] - rest_joints[shape, p, c]
                        )
                        R_world_joint[b, j, r, c] = (
                            R_world_joint[b, p, r, 0] * R_parent_joint[b, j, 0, c]
                            + R_world_joint[b, p, r, 1] * R_parent_joint[b, j, 1, c]
                            + R_world_joint[b, p, r, 2] * R_parent_joint[b, j, 2, c]
                        )


cdef inline void _blended(
    const real* columns, const int32_t* bones, const real* weights, Py_ssize_t count, real* blended
) noexcept nogil:
    """The weighted sum of the transforms of a vertex's bones, as four columns of four."""
    cdef Py_ssize_t k, i
    cdef real weight
    cdef const real* bone
    for i in range(16):
        blended[i] = 0
    for k in range(count):
        weight = weights[k]
        if weight == 0:
            break  # Weights are sorted, largest first.
        bone = columns + 16 * bones[k]
        for i in range(16):
            blended[i] += weight * bone[i]


def skin(
    const real[:, :, :, ::1] columns,
    const int32_t[:, ::1] bones,
    const real[:, ::1] weights,
    const real[:, :, ::1] rest,
    real[:, :, ::1] dst,
) -> None:
    """Documented in _skinning.pyi."""
    cdef Py_ssize_t b
    with nogil:
        if dst.shape[1] > 0:
            for b in range(dst.shape[0]):
                _skin_one(
                    &columns[b, 0, 0, 0], &bones[0, 0], &weights[0, 0], weights.shape[1],
                    &rest[b, 0, 0], dst.shape[1], &dst[b, 0, 0],
                )


cdef void _skin_one(
    const real* columns,
    const int32_t* bones,
    const real* weights,
    Py_ssize_t most,
    const real* rest,
    Py_ssize_t count,
    real* dst,
) noexcept nogil:
    cdef real t[16]
    cdef real moved[4]
    cdef Py_ssize_t v, r
    for v in range(count):
        _blended(columns, bones + v * most, weights + v * most, most, t)
        for r in range(4):
            moved[r] = (
                t[r] * rest[3 * v] + t[4 + r] * rest[3 * v + 1] + t[8 + r] * rest[3 * v + 2]
                + t[12 + r]
            )
        for r in range(3):
            dst[3 * v + r] = moved[r]


def skin_transpose(
    const real[:, :, :, ::1] columns,
    const int32_t[:, ::1] bones,
    const real[:, ::1] weights,
    const real[:, :, ::1] rest,
    const real[:, :, ::1] gradient,
    real[:, :, :, ::1] d_transforms,
    real[:, :, ::1] d_rest,
) -> None:
    """Documented in _skinning.pyi."""
    cdef Py_ssize_t batch = gradient.shape[0], count = gradient.shape[1]
    cdef Py_ssize_t b, v, k, r, c
    cdef real t[16]
    cdef real weight
    cdef const real* q
    cdef const real* g
    cdef real* d
    with nogil:
        for b in range(batch):
            for v in range(count):
                _blended(
                    &columns[b, 0, 0, 0], &bones[v, 0], &weights[v, 0], weights.shape[1], t
                )
                q = &rest[b, v, 0]
                g = &gradient[b, v, 0]
                for c in range(3):
                    d_rest[b, v, c] = t[4 * c] * g[0] + t[4 * c + 1] * g[1] + t[4 * c + 2] * g[2]
                for k in range(weights.shape[1]):
                    weight = weights[v, k]
                    if weight == 0:
                        break
                    d = &d_transforms[b, bones[v, k], 0, 0]
                    for r in range(3):
                        d[4 * r] += weight * g[r] * q[0]
                        d[4 * r + 1] += weight * g[r] * q[1]
                        d[4 * r + 2] += weight * g[r] * q[2]
                        d[4 * r + 3] += weight * g[r]


def pose_jacobian(
    const real[:, :, :, ::1] T_world_rest,
    const real[:, :, :, ::1] R_world_joint,
    const real[:, :, ::1] t_world_joint,
    const int32_t[::1] parents,
    const int32_t[:, ::1] bones,
    const real[:, ::1] weights,
    const real[:, :, ::1] rest,
    real[:, :, :, :, ::1] dst,
) -> None:
    """Documented in _skinning.pyi."""
    cdef Py_ssize_t b, v, k, r, a, joint
    cdef real weight
    cdef real x[3]
    cdef real arm[3]
    cdef const real* q
    cdef const real* T
    cdef const real* R
    with nogil:
        for b in range(dst.shape[0]):
            for v in range(dst.shape[1]):
                q = &rest[b, v, 0]
                for k in range(weights.shape[1]):
                    weight = weights[v, k]
                    if weight == 0:
                        break
                    joint = bones[v, k]
                    T = &T_world_rest[b, joint, 0, 0]
                    for r in range(3):
                        x[r] = T[4 * r] * q[0] + T[4 * r + 1] * q[1] + T[4 * r + 2] * q[2]
                        x[r] += T[4 * r + 3]
                    while joint >= 0:
                        R = &R_world_joint[b, joint, 0, 0]
                        for r in range(3):
                            arm[r] = weight * (x[r] - t_world_joint[b, joint, r])
                        for a in range(3):
                            dst[b, v, 0, joint, a] += R[3 + a] * arm[2] - R[6 + a] * arm[1]
                            dst[b, v, 1, joint, a] += R[6 + a] * arm[0] - R[a] * arm[2]
                            dst[b, v, 2, joint, a] += R[a] * arm[1] - R[3 + a] * arm[0]
                        joint = parents[joint]
