// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// Of a function that loads such bytes: another thread may be writing them, which does not matter
/// since they are never used, and which ThreadSanitizer cannot know.
#define BITPOSE_OVERREADS __attribute__((no_sanitize("thread")))

namespace bitpose {

/// Bytes that a kernel may read, but never uses, behind the last byte of any activation row.
/// Whoever allocates activations adds them. Kernels never write outside their extents.
inline constexpr std::size_t kOverread = 64;

/// Alignment of packed weights, of arena tensors and of the payloads of a model file, in bytes.
inline constexpr std::size_t kAlignment = 64;

}  // namespace bitpose
