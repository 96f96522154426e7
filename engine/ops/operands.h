// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <span>

#include "engine/model/status.h"
#include "engine/model/tensor.h"
#include "engine/model/text.h"

namespace bitpose {

/// Checks operands and keeps the first failure, so that an operator states all it needs and asks
/// once:
///
///   OperandChecks checks;
///   checks.of("x", args.inputs[0]).dtype({DType::kS8}).quantized();
///   checks.of("weights", args.inputs[1]).dtype({DType::kS8}).rank(4).constant();
///   if (!checks.ok()) return checks.status();
///
/// Shapes of constants may be checked in `create`; all other shapes are checked in `reshape`.
class OperandChecks {
 public:
  /// Makes `tensor` the operand that the next checks are about. `role` is its name in the
  /// operator's documentation.
  OperandChecks& of(const char* role, const TensorDesc& tensor);

  OperandChecks& dtype(std::initializer_list<DType> allowed);
  OperandChecks& rank(uint32_t rank);
  OperandChecks& shape(const Shape& shape);
  /// The model stores its elements.
  OperandChecks& constant();
  /// Codes, with a finite positive scale and a zero point among its codes.
  OperandChecks& quantized();
  /// A condition on several operands or attributes; `message` says what is wrong and what would be
  /// right.
  OperandChecks& require(bool condition, std::span<const TextPart> message);
  OperandChecks& require(bool condition, const char* message) {
    return require(condition, text(message));
  }

  bool ok() const { return status_.ok(); }
  Status status() const { return status_; }

 private:
  OperandChecks& expect(bool condition, std::span<const TextPart> is,
                        std::span<const TextPart> expected);

  const char* role_ = "";
  const TensorDesc* tensor_ = nullptr;
  Status status_;
};

/// The shape that `a` and `b` broadcast to by numpy's rule; an error when they do not, or when the
/// result has too many elements.
Status broadcast(const Shape& a, const Shape& b, Shape* result);

}  // namespace bitpose
