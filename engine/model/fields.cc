// SPDX-License-Identifier: Apache-2.0
#include "engine/model/fields.h"

#include <cstdio>
#include <cstring>
#include <string>

namespace bitpose {
namespace {

template <typename T>
double load(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  return static_cast<double>(value);
}

std::string text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.10g", value);
  return buffer;
}

Status check_value(const Field& field, const std::byte* bytes) {
  const double value = field_value(field.type, bytes);
  if (value >= field.low && value <= field.high) return {};
  return invalid_model(
      std::string(field.name) + " is " + text(value) + ", expected " +
      (field.low == field.high ? text(field.low) : text(field.low) + " to " + text(field.high)));
}

}  // namespace

size_t field_type_bytes(FieldType type) {
  switch (type) {
    case FieldType::kU8:
      return 1;
    case FieldType::kU32:
    case FieldType::kS32:
    case FieldType::kF32:
      return 4;
    case FieldType::kU64:
      return 8;
  }
  return 0;
}

double field_value(FieldType type, const std::byte* bytes) {
  switch (type) {
    case FieldType::kU8:
      return load<uint8_t>(bytes);
    case FieldType::kU32:
      return load<uint32_t>(bytes);
    case FieldType::kS32:
      return load<int32_t>(bytes);
    case FieldType::kF32:
      return load<float>(bytes);
    case FieldType::kU64:
      return load<uint64_t>(bytes);
  }
  return 0;
}

Status check_fields(Fields fields, const void* bytes) {
  for (const Field& field : fields) {
    const std::byte* first = static_cast<const std::byte*>(bytes) + field.offset;
    for (uint32_t i = 0; i < field.count; ++i) {
      Status status = check_value(field, first + i * field_type_bytes(field.type));
      if (!status.ok()) return status;
    }
  }
  return {};
}

}  // namespace bitpose
