// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "kernels/base/overread.h"

namespace bitpose {

struct AlignedFree {
  void operator()(void* pointer) const { std::free(pointer); }
};

/// Memory aligned to kAlignment, for packed weights.
template <typename T>
using AlignedPointer = std::unique_ptr<T[], AlignedFree>;

/// Uninitialized memory for `count` elements; null when there is none.
template <typename T>
AlignedPointer<T> allocate_aligned(size_t count) {
  const size_t bytes = (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
  return AlignedPointer<T>(static_cast<T*>(std::aligned_alloc(kAlignment, bytes)));
}

}  // namespace bitpose
