// SPDX-License-Identifier: Apache-2.0
#include "kernels/binary_f32/binary_f32.h"

#include "kernels/base/elementary.h"
#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr BinaryF32Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/binary_f32/kernels.inc"
#undef MICROKERNEL
};

float power(float a, float b) { return static_cast<float>(elementary::power(a, b)); }
float remainder(float a, float b) { return static_cast<float>(elementary::remainder(a, b)); }

float modulus(float a, float b) {
  const float rest = remainder(a, b);
  if (rest == 0) return __builtin_copysignf(rest, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

using Function = float(float a, float b);

Function* rare_function(BinaryFunction function) {
  if (function == BinaryFunction::kPower) return power;
  return function == BinaryFunction::kRemainder ? remainder : modulus;
}

}  // namespace

void rare_binary_f32(BinaryFunction function, size_t n, const BinaryF32Row& row, float* dst) {
  const auto f = rare_function(function);
  const size_t a_step = row.a_advances ? 1 : 0;
  const size_t b_step = row.b_advances ? 1 : 0;
  for (size_t i = 0; i < n; ++i) dst[i] = f(row.a[i * a_step], row.b[i * b_step]);
}

std::span<const BinaryF32Kernel> binary_f32_kernels() { return kKernels; }

const BinaryF32Kernel& select_binary_f32(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
