// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace bitpose {

/// Element types; the numbers are those of the model file.
enum class DType : uint32_t {
  kF32 = 1,
  kS8 = 2,
  kU8 = 3,
  kS32 = 4,
  kS64 = 5,
  kBool = 6,
  kS16 = 7,
  kF16 = 8,  ///< Storage of weights only: never computed with, never written.
};

inline constexpr DType kDTypes[] = {DType::kF32, DType::kS8,   DType::kU8,  DType::kS32,
                                    DType::kS64, DType::kBool, DType::kS16, DType::kF16};

/// An element of kBool, a byte: operators write 1 for true and read all but 0 as true.
enum class Bool : uint8_t { kFalse = 0, kTrue = 1 };

/// Bytes of one element, 0 for a number that is no dtype.
size_t dtype_bytes(DType dtype);
/// "float32", "int8", ...
const char* dtype_name(DType dtype);

inline constexpr uint32_t kMaxRank = 6;
/// No tensor may have more elements: sizes in bytes then fit 34 bits and offsets never overflow.
inline constexpr uint64_t kMaxElements = uint64_t{1} << 31;

/// Extents of a tensor, outermost first. NHWC for pictures.
struct Shape {
  uint32_t rank = 0;
  std::array<uint32_t, kMaxRank> dims{};

  Shape() = default;
  Shape(std::initializer_list<uint32_t> extents);

  uint32_t operator[](size_t axis) const { return dims[axis]; }
  uint64_t elements() const;
  /// "[1,192,192,3]".
  std::string text() const;
  bool operator==(const Shape&) const = default;
};

/// The codes of a dtype that may have a scale; low > high for other dtypes.
struct CodeLimits {
  int32_t low, high;
};
CodeLimits code_limits(DType dtype);

/// What is known of a tensor before a run.
struct TensorDesc {
  std::string_view name;  ///< Points into the model.
  DType dtype = DType::kF32;
  Shape shape;
  float scale = 0;  ///< real = scale * (q - zero_point); 0 when not quantized.
  int32_t zero_point = 0;
  const void* constant = nullptr;  ///< Its elements when the model stores them.

  uint64_t bytes() const { return shape.elements() * dtype_bytes(dtype); }
};

}  // namespace bitpose
