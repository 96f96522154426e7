// SPDX-License-Identifier: Apache-2.0
#include "kernels/unary_f32/unary_f32.h"

#include "kernels/base/elementary.h"
#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr UnaryF32Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/unary_f32/kernels.inc"
#undef MICROKERNEL
};

using Elementary = double(double x);

Elementary* elementary_of(UnaryFunction function) {
  switch (function) {
    case UnaryFunction::kSin:
      return elementary::sin;
    case UnaryFunction::kCos:
      return elementary::cos;
    case UnaryFunction::kTan:
      return elementary::tan;
    case UnaryFunction::kAsin:
      return elementary::asin;
    case UnaryFunction::kAcos:
      return elementary::acos;
    case UnaryFunction::kAtan:
      return elementary::atan;
    case UnaryFunction::kSinh:
      return elementary::sinh;
    case UnaryFunction::kCosh:
      return elementary::cosh;
    case UnaryFunction::kAsinh:
      return elementary::asinh;
    case UnaryFunction::kAcosh:
      return elementary::acosh;
    default:
      return elementary::atanh;
  }
}

}  // namespace

void rare_unary_f32(UnaryFunction function, size_t n, const float* src, float* dst) {
  Elementary* const f = elementary_of(function);
  for (size_t i = 0; i < n; ++i) dst[i] = static_cast<float>(f(static_cast<double>(src[i])));
}

std::span<const UnaryF32Kernel> unary_f32_kernels() { return kKernels; }

const UnaryF32Kernel& select_unary_f32(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
