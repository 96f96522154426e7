// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/base/random.h"
#include "tests/support/model_builder.h"

/// What the generators of random networks share.
namespace bitpose::test {

/// The tensor that an operator gives, or nothing where none fits.
using Result = std::optional<uint32_t>;

/// A network that grows by one operator after the other.
class Maker {
 public:
  explicit Maker(uint64_t seed) : random(seed) {
    const uint32_t h = small(1, 12);
    const uint32_t w = small(1, 12);
    pool.push_back(builder.input("codes", DType::kS8, {1, h, w, small(1, 20)}, codes(DType::kS8)));
    pool.push_back(builder.input("floats", DType::kF32, {1, h, w, small(1, 20)}));
    pool.push_back(builder.input("bytes", DType::kU8, {small(1, 3), small(1, 40)}));
    pool.push_back(builder.input("words", DType::kS32, {small(1, 6), small(1, 3)}));
    if (random.chance(2)) {
      const Quantization symmetric{random.real(0.01f, 0.2f), 0};
      pool.push_back(builder.input("codes16", DType::kS16, {1, h, w, small(1, 20)}, symmetric));
    }
    if (random.chance(2)) pool.push_back(builder.input("longs", DType::kS64, {small(1, 9)}));
    if (random.chance(2)) pool.push_back(builder.input("flags", DType::kBool, {1, small(1, 9)}));
  }

  uint32_t small(int64_t low, int64_t high) {
    return static_cast<uint32_t>(random.integer(low, high));
  }

  Quantization codes(DType dtype) {
    const auto [low, high] = code_limits(dtype);
    // 16-bit operators want a zero point of 0.
    const bool symmetric = dtype == DType::kS16 && random.chance(2);
    return {random.real(0.01f, 0.2f),
            symmetric ? 0 : static_cast<int32_t>(random.integer(low, high))};
  }

  /// One of the last tensors with that dtype, and rank if it is not 0.
  Result pick(DType dtype, uint32_t rank = 0) {
    std::vector<uint32_t> fitting;
    for (const uint32_t index : pool) {
      const TensorDesc& desc = builder.desc(index);
      if (desc.dtype == dtype && (rank == 0 || desc.shape.rank == rank)) fitting.push_back(index);
    }
    if (fitting.empty()) return {};
    const auto count = static_cast<int64_t>(fitting.size());
    return fitting[static_cast<size_t>(count - random.integer(1, std::min<int64_t>(count, 4)))];
  }

  Result pick_any() {
    return pool[static_cast<size_t>(random.integer(0, static_cast<int64_t>(pool.size()) - 1))];
  }

  std::string name() { return std::string("c").append(std::to_string(++constants_)); }

  uint32_t constant_codes(const Shape& shape, Quantization quantization = {}) {
    return builder.constant(name(), DType::kS8, shape, random.codes(shape.elements()),
                            quantization);
  }

  uint32_t constant_floats(const Shape& shape, float low, float high) {
    std::vector<float> values(shape.elements());
    for (float& value : values) value = random.real(low, high);
    return builder.constant(name(), DType::kF32, shape, values);
  }

  /// Weights of floats, stored as float32 or float16.
  uint32_t weights(const Shape& shape) {
    if (random.chance(2)) return constant_floats(shape, -1, 1);
    std::vector<uint16_t> values(shape.elements());
    for (uint16_t& value : values) {
      value = static_cast<uint16_t>(random.integer(0, 0x3c00) | (random.chance(2) ? 0x8000 : 0));
    }
    return builder.constant(name(), DType::kF16, shape, values);
  }

  uint32_t constant_words(const Shape& shape, int64_t low, int64_t high) {
    std::vector<int32_t> values(shape.elements());
    for (int32_t& value : values) value = static_cast<int32_t>(random.integer(low, high));
    return builder.constant(name(), DType::kS32, shape, values);
  }

  Attributes quantized_range(Attributes attributes, DType dtype = DType::kS8) {
    const auto [least, most] = code_limits(dtype);
    const int64_t low = random.chance(2) ? least : random.integer(least, most / 2);
    const int64_t high = random.chance(2) ? most : random.integer(low, most);
    attributes.emplace_back("qmin", static_cast<double>(low));
    attributes.emplace_back("qmax", static_cast<double>(high));
    return attributes;
  }

  Attributes window(uint32_t kernel_h, uint32_t kernel_w) {
    Attributes attributes = {{"stride_h", small(1, 2)},
                             {"stride_w", small(1, 2)},
                             {"dilation_h", small(1, 2)},
                             {"dilation_w", small(1, 2)},
                             {"pad_top", small(0, kernel_h - 1)},
                             {"pad_left", small(0, kernel_w - 1)},
                             {"pad_bottom", small(0, kernel_h - 1)},
                             {"pad_right", small(0, kernel_w - 1)}};
    return attributes;
  }

  /// The result of an operator, or nothing where the operator refuses.
  Result add(const char* type, const std::vector<uint32_t>& inputs, DType dtype,
             const Attributes& attributes = {}, Quantization quantization = {},
             const Shape& shape = {}) {
    const TensorDesc result{.name = {},
                            .dtype = dtype,
                            .shape = shape,
                            .scale = quantization.scale,
                            .zero_point = quantization.zero_point};
    uint32_t made = 0;
    if (!builder.try_derived(type, inputs, result, attributes, &made).ok()) return {};
    return made;
  }

  Random random;
  ModelBuilder builder;
  std::vector<uint32_t> pool;  ///< Tensors with a value that is not constant.

 private:
  int constants_ = 0;
};

/// How to add an operator of one kind.
struct Generator {
  const char* type;
  Result (*make)(Maker& maker);
};

/// Convolutions, pools, resizing and products of matrices.
std::span<const Generator> window_generators();
/// What works element by element.
std::span<const Generator> elementwise_generators();
/// What moves, selects, sums or finds elements.
std::span<const Generator> moving_generators();

}  // namespace bitpose::test
