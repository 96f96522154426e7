// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/base/f32_vector.h"
#include "kernels/binary_f32/binary_f32.h"

// The kernel over any vectors. In an unnamed namespace: see kernels/base/requantize.h.
namespace bitpose {
namespace {

/// a and b give the operands at an index, and at an index where `count` are left.
template <typename V, typename A, typename B, typename Function>
void combine(size_t n, const A& a, const B& b, float* dst, const Function& function) {
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) function(a.at(i), b.at(i)).store(dst + i);
  if constexpr (V::kLanes > 1) {
    const size_t count = n - i;
    if (count > 0) function(a.at(i, count), b.at(i, count)).store_partial(dst + i, count);
  }
}

template <typename V>
struct Advancing {
  const float* src;
  V at(size_t i) const { return V::load(src + i); }
  V at(size_t i, size_t count) const { return V::load_partial(src + i, count); }
};

template <typename V>
struct Staying {
  V value;
  V at(size_t) const { return value; }
  V at(size_t, size_t) const { return value; }
};

template <typename V, typename Function>
void each(size_t n, const BinaryF32Row& row, float* dst, const Function& function) {
  if (row.a_advances && row.b_advances) {
    combine<V>(n, Advancing<V>{row.a}, Advancing<V>{row.b}, dst, function);
  } else if (row.a_advances) {
    combine<V>(n, Advancing<V>{row.a}, Staying<V>{V::splat(*row.b)}, dst, function);
  } else if (row.b_advances) {
    combine<V>(n, Staying<V>{V::splat(*row.a)}, Advancing<V>{row.b}, dst, function);
  } else {
    combine<V>(n, Staying<V>{V::splat(*row.a)}, Staying<V>{V::splat(*row.b)}, dst, function);
  }
}

template <typename V>
void binary_f32(BinaryFunction function, size_t n, const BinaryF32Row& row, float* dst) {
  switch (function) {
    case BinaryFunction::kAdd:
      return each<V>(n, row, dst, [](V a, V b) { return a + b; });
    case BinaryFunction::kSubtract:
      return each<V>(n, row, dst, [](V a, V b) { return a - b; });
    case BinaryFunction::kMultiply:
      return each<V>(n, row, dst, [](V a, V b) { return a * b; });
    case BinaryFunction::kDivide:
      return each<V>(n, row, dst, [](V a, V b) { return a / b; });
    case BinaryFunction::kMinimum:
      return each<V>(n, row, dst, [](V a, V b) { return min(b, a); });
    case BinaryFunction::kMaximum:
      return each<V>(n, row, dst, [](V a, V b) { return max(b, a); });
    case BinaryFunction::kPRelu:
      return each<V>(n, row, dst,
                     [](V a, V b) { return select(less(a, V::splat(0.0f)), a * b, a); });
    case BinaryFunction::kPower:
    case BinaryFunction::kRemainder:
    case BinaryFunction::kModulus:
      return rare_binary_f32(function, n, row, dst);
  }
}

}  // namespace
}  // namespace bitpose
