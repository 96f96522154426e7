// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

#include "engine/model/status.h"

/// Tables that describe plain structs field by field. The model reader checks by them, Python
/// writes by them (they are exposed by the binding), and the printer prints by them: no layout is
/// written twice.
namespace bitpose {

enum class FieldType : uint32_t { kU32 = 1, kS32 = 2, kF32 = 3, kU64 = 4, kU8 = 5 };

struct Field {
  const char* name;
  FieldType type;
  uint32_t offset;  ///< In bytes from the start of the struct.
  uint32_t count;   ///< Elements, for arrays.
  double low;       ///< Smallest value that a reader accepts.
  double high;      ///< Largest value that a reader accepts. NaN is never accepted.
};

using Fields = std::span<const Field>;

/// Bytes of one element.
size_t field_type_bytes(FieldType type);

/// The element at `bytes`, which need not be aligned. 64-bit values lose what a double cannot hold.
double field_value(FieldType type, const std::byte* bytes);

/// Checks each value of the struct at `bytes`; the message names the field, its value and its
/// range.
Status check_fields(Fields fields, const void* bytes);

template <typename T>
constexpr FieldType field_type() {
  using Element = std::remove_all_extents_t<T>;
  if constexpr (std::is_same_v<Element, uint32_t>) return FieldType::kU32;
  if constexpr (std::is_same_v<Element, int32_t>) return FieldType::kS32;
  if constexpr (std::is_same_v<Element, float>) return FieldType::kF32;
  if constexpr (std::is_same_v<Element, uint64_t>) return FieldType::kU64;
  if constexpr (std::is_same_v<Element, uint8_t>) return FieldType::kU8;
}

template <typename T>
constexpr Field make_field(const char* name, size_t offset, double low, double high) {
  const auto count = static_cast<uint32_t>(sizeof(T) / sizeof(std::remove_all_extents_t<T>));
  return {name, field_type<T>(), static_cast<uint32_t>(offset), count, low, high};
}

/// The table of a struct whose first member has the table `first` and whose others are `rest`.
template <size_t m, size_t n>
constexpr std::array<Field, m + n> join_fields(const std::array<Field, m>& first,
                                               const Field (&rest)[n]) {
  std::array<Field, m + n> fields{};
  std::copy_n(first.begin(), m, fields.begin());
  std::copy_n(rest, n, fields.begin() + m);
  return fields;
}

inline constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// One row of a field table: the member `member` of struct `Struct`, accepted in [low, high].
#define BITPOSE_FIELD(Struct, member, low, high) \
  ::bitpose::make_field<decltype(Struct::member)>(#member, offsetof(Struct, member), low, high)

}  // namespace bitpose
