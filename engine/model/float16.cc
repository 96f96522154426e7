// SPDX-License-Identifier: Apache-2.0
#include "engine/model/float16.h"

#include <cstring>

namespace bitpose {
namespace {

float widened(uint16_t bits) {
  const uint32_t sign = (bits & 0x8000u) << 16;
  const uint32_t magnitude = bits & 0x7fffu;
  uint32_t word;
  if (magnitude < 0x400u) {
    // Subnormal, and a normal number in float32. No subnormal takes part in the arithmetic, which
    // runs in whatever mode the caller's thread has.
    const float number = static_cast<float>(magnitude) * 0x1p-24f;
    std::memcpy(&word, &number, sizeof(word));
  } else {
    word = (magnitude << 13) + ((127u - 15u) << 23);
    if (magnitude >= 0x7c00u) word |= 0x7f800000u;  // Infinities and NaNs.
  }
  word |= sign;
  float number;
  std::memcpy(&number, &word, sizeof(number));
  return number;
}

}  // namespace

std::vector<float> widened(const TensorDesc& constant) {
  const auto* src = static_cast<const uint16_t*>(constant.constant);
  std::vector<float> numbers(constant.shape.elements());
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = widened(src[i]);
  return numbers;
}

}  // namespace bitpose
