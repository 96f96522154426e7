// SPDX-License-Identifier: Apache-2.0
#include "kernels/row_sum_s8/row_sum_s8.h"

#include "kernels/base/select.h"

namespace bitpose {
namespace {

constexpr RowSumS8Kernel kKernels[] = {
#define MICROKERNEL(isa_set, symbol) {isa_set, #symbol, symbol},
#include "kernels/row_sum_s8/kernels.inc"
#undef MICROKERNEL
};

}  // namespace

std::span<const RowSumS8Kernel> row_sum_s8_kernels() { return kKernels; }

const RowSumS8Kernel& select_row_sum_s8(isa::Set available) {
  return first_runnable(kKernels, available);
}

}  // namespace bitpose
