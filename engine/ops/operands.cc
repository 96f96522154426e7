// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"

#include <algorithm>
#include <cmath>

namespace bitpose {

OperandChecks& OperandChecks::of(const char* role, const TensorDesc& tensor) {
  role_ = role;
  tensor_ = &tensor;
  return *this;
}

OperandChecks& OperandChecks::expect(bool condition, const std::string& is,
                                     const std::string& expected) {
  if (condition || !status_.ok()) return *this;
  status_ = invalid_model("operand " + std::string(role_) + " '" + std::string(tensor_->name) +
                          "' " + is + ", expected " + expected);
  return *this;
}

OperandChecks& OperandChecks::dtype(std::initializer_list<DType> allowed) {
  if (std::find(allowed.begin(), allowed.end(), tensor_->dtype) != allowed.end()) return *this;
  std::string names;
  for (const DType dtype : allowed) {
    if (!names.empty()) names += " or ";
    names += dtype_name(dtype);
  }
  return expect(false, std::string("is ") + dtype_name(tensor_->dtype), names);
}

OperandChecks& OperandChecks::rank(uint32_t rank) {
  return expect(tensor_->shape.rank == rank, "has shape " + tensor_->shape.text(),
                "rank " + std::to_string(rank));
}

OperandChecks& OperandChecks::shape(const Shape& shape) {
  return expect(tensor_->shape == shape, "has shape " + tensor_->shape.text(), shape.text());
}

OperandChecks& OperandChecks::constant() {
  return expect(tensor_->constant != nullptr, "is computed", "a constant");
}

OperandChecks& OperandChecks::quantized() {
  const float scale = tensor_->scale;
  const bool is_signed = tensor_->dtype == DType::kS8;
  const int32_t low = is_signed ? -128 : 0;
  const int32_t high = is_signed ? 127 : 255;
  expect(is_signed || tensor_->dtype == DType::kU8, std::string("is ") + dtype_name(tensor_->dtype),
         "int8 or uint8");
  expect(std::isfinite(scale) && scale > 0, "has scale " + std::to_string(scale),
         "a finite positive scale");
  return expect(tensor_->zero_point >= low && tensor_->zero_point <= high,
                "has zero point " + std::to_string(tensor_->zero_point),
                std::to_string(low) + " to " + std::to_string(high));
}

OperandChecks& OperandChecks::require(bool condition, const std::string& message) {
  if (!condition && status_.ok()) status_ = invalid_model(message);
  return *this;
}

Status broadcast(const Shape& a, const Shape& b, Shape* result) {
  Shape shape;
  shape.rank = std::max(a.rank, b.rank);
  uint64_t elements = 1;
  for (uint32_t i = 1; i <= shape.rank; ++i) {
    const uint32_t from_a = i <= a.rank ? a[a.rank - i] : 1;
    const uint32_t from_b = i <= b.rank ? b[b.rank - i] : 1;
    if (from_a != from_b && from_a != 1 && from_b != 1) {
      return invalid_model("shapes " + a.text() + " and " + b.text() + " do not broadcast");
    }
    const uint32_t extent = from_a == 1 ? from_b : from_a;
    shape.dims[shape.rank - i] = extent;
    elements *= extent;
    if (elements > kMaxElements) {
      return invalid_model("shapes " + a.text() + " and " + b.text() +
                           " broadcast to more than 2^31 elements");
    }
  }
  *result = shape;
  return {};
}

}  // namespace bitpose
