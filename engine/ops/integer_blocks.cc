// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/integer_blocks.h"

namespace bitpose {
namespace {

template <typename T>
void load(const void* src, size_t first, size_t n, int64_t* dst) {
  std::copy_n(static_cast<const T*>(src) + first, n, dst);
}

template <typename T>
void store(const int64_t* src, size_t n, void* dst, size_t first) {
  T* to = static_cast<T*>(dst) + first;
  for (size_t i = 0; i < n; ++i) to[i] = static_cast<T>(src[i]);
}

}  // namespace

void load_integers(DType dtype, const void* src, size_t first, size_t n, int64_t* dst) {
  switch (dtype) {
    case DType::kS8:
      return load<int8_t>(src, first, n, dst);
    case DType::kU8:
      return load<uint8_t>(src, first, n, dst);
    case DType::kS16:
      return load<int16_t>(src, first, n, dst);
    case DType::kS32:
      return load<int32_t>(src, first, n, dst);
    case DType::kS64:
      return load<int64_t>(src, first, n, dst);
    case DType::kBool:
      for (size_t i = 0; i < n; ++i) {
        dst[i] = static_cast<const Bool*>(src)[first + i] == Bool::kFalse ? 0 : 1;
      }
      return;
    case DType::kF32:
    case DType::kF16:
      return;
  }
}

void store_integers(DType dtype, const int64_t* src, size_t n, void* dst, size_t first) {
  switch (dtype) {
    case DType::kS8:
      return store<int8_t>(src, n, dst, first);
    case DType::kU8:
      return store<uint8_t>(src, n, dst, first);
    case DType::kS16:
      return store<int16_t>(src, n, dst, first);
    case DType::kS32:
      return store<int32_t>(src, n, dst, first);
    case DType::kS64:
      return store<int64_t>(src, n, dst, first);
    case DType::kBool:
      for (size_t i = 0; i < n; ++i) {
        static_cast<Bool*>(dst)[first + i] = src[i] == 0 ? Bool::kFalse : Bool::kTrue;
      }
      return;
    case DType::kF32:
    case DType::kF16:
      return;
  }
}

}  // namespace bitpose
