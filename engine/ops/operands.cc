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

OperandChecks& OperandChecks::expect(bool condition, std::span<const TextPart> is,
                                     std::span<const TextPart> expected) {
  if (condition || !status_.ok()) return *this;
  status_ = invalid_model(text("operand ", role_, " '", tensor_->name, "' ", join_text(is),
                               ", expected ", join_text(expected)));
  return *this;
}

OperandChecks& OperandChecks::dtype(std::initializer_list<DType> allowed) {
  if (std::find(allowed.begin(), allowed.end(), tensor_->dtype) != allowed.end()) return *this;
  std::string names;
  for (const DType dtype : allowed) {
    if (!names.empty()) names += " or ";
    names += dtype_name(dtype);
  }
  return expect(false, text("is ", dtype_name(tensor_->dtype)), text(names));
}

OperandChecks& OperandChecks::rank(uint32_t rank) {
  return expect(tensor_->shape.rank == rank, text("has shape ", tensor_->shape),
                text("rank ", rank));
}

OperandChecks& OperandChecks::shape(const Shape& shape) {
  return expect(tensor_->shape == shape, text("has shape ", tensor_->shape), text(shape));
}

OperandChecks& OperandChecks::constant() {
  return expect(tensor_->constant != nullptr, text("is computed"), text("a constant"));
}

OperandChecks& OperandChecks::quantized() {
  const float scale = tensor_->scale;
  const auto [low, high] = code_limits(tensor_->dtype);
  expect(low < high, text("is ", dtype_name(tensor_->dtype)), text("int8, uint8 or int16"));
  expect(std::isfinite(scale) && scale > 0, text("has scale ", scale),
         text("a finite positive scale"));
  return expect(tensor_->zero_point >= low && tensor_->zero_point <= high,
                text("has zero point ", tensor_->zero_point), text(low, " to ", high));
}

OperandChecks& OperandChecks::require(bool condition, std::span<const TextPart> message) {
  if (!condition && status_.ok()) status_ = invalid_model(join_text(message));
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
      return invalid_model(text("shapes ", a, " and ", b, " do not broadcast"));
    }
    const uint32_t extent = from_a == 1 ? from_b : from_a;
    shape.dims[shape.rank - i] = extent;
    elements *= extent;
    if (elements > kMaxElements) {
      return invalid_model(text("shapes ", a, " and ", b, " broadcast to more than 2^31 elements"));
    }
  }
  *result = shape;
  return {};
}

}  // namespace bitpose
