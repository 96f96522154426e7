// SPDX-License-Identifier: Apache-2.0
#include "engine/model/tensor.h"

namespace bitpose {

size_t dtype_bytes(DType dtype) {
  switch (dtype) {
    case DType::kS8:
    case DType::kU8:
    case DType::kBool:
      return 1;
    case DType::kS16:
    case DType::kF16:
      return 2;
    case DType::kF32:
    case DType::kS32:
      return 4;
    case DType::kS64:
      return 8;
  }
  return 0;
}

const char* dtype_name(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "float32";
    case DType::kS8:
      return "int8";
    case DType::kU8:
      return "uint8";
    case DType::kS32:
      return "int32";
    case DType::kS64:
      return "int64";
    case DType::kBool:
      return "bool";
    case DType::kS16:
      return "int16";
    case DType::kF16:
      return "float16";
  }
  return "unknown";
}

CodeLimits code_limits(DType dtype) {
  switch (dtype) {
    case DType::kS8:
      return {-128, 127};
    case DType::kU8:
      return {0, 255};
    case DType::kS16:
      return {-32768, 32767};
    default:
      return {1, 0};
  }
}

Shape::Shape(std::initializer_list<uint32_t> extents) {
  for (const uint32_t extent : extents) dims[rank++] = extent;
}

uint64_t Shape::elements() const {
  uint64_t count = 1;
  for (uint32_t axis = 0; axis < rank; ++axis) count *= dims[axis];
  return count;
}

std::string Shape::text() const {
  std::string text = "[";
  for (uint32_t axis = 0; axis < rank; ++axis) {
    if (axis > 0) text += ',';
    text += std::to_string(dims[axis]);
  }
  return text + "]";
}

}  // namespace bitpose
