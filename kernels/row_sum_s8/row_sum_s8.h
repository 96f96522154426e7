// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"

/// Sums of activation rows, for weights with a zero point: igemm_qs8 wants
///
///   dst(i) = factor * sum_{t < ks} sum_{k < kc} a_t(i, k)        (modulo 2^32)
///
/// with factor = -zw. Rows are given as in IgemmQs8Args.
namespace bitpose {

struct RowSumS8Args {
  size_t m = 0;
  size_t ks = 0;
  size_t kc = 0;
  const int8_t* a = nullptr;  ///< Row i starts at a + i * a_stride; ks is then 1.
  size_t a_stride = 0;
  const int8_t* const* indirection = nullptr;  ///< Or null. Tap t of row i: [i * ks + t].
  int32_t factor = 0;
  int32_t* dst = nullptr;  ///< [m].
};

/// Reads up to kOverread bytes behind each row.
using RowSumS8 = void(const RowSumS8Args& args);

struct RowSumS8Kernel {
  isa::Set isa;
  const char* name;
  RowSumS8* run;
};

#define MICROKERNEL(isa_set, symbol) RowSumS8 symbol;
#include "kernels/row_sum_s8/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, best first.
std::span<const RowSumS8Kernel> row_sum_s8_kernels();

/// The best kernel that `available` can run.
const RowSumS8Kernel& select_row_sum_s8(isa::Set available);

}  // namespace bitpose
