// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "kernels/base/isa.h"

/// Times of single kernels, for `bitpose-bench` and `bitpose bench --kernels`. One core, operands
/// where the previous run has left them in the caches.
namespace bitpose {

struct BenchmarkOptions {
  std::string_view filter;       ///< Kernels whose name contains it.
  isa::Set available = 0;        ///< What this CPU runs.
  size_t samples = 15;           ///< Of each kernel, taken in turn with the others of its family.
  double sample_seconds = 1e-3;  ///< A sample repeats the kernel until it has lasted so long.
};

struct KernelTime {
  const char* family;
  const char* kernel;
  const char* isa;
  std::string shape;
  uint64_t macs;  ///< Of a run, as in Workload.
  uint64_t bytes;
  double median, p10, p90;  ///< Seconds of a run.
  double portable;          ///< Median seconds of the family's portable kernel.
};

/// Times kernels family by family and shape by shape, and hands each figure on when it is there.
void time_kernels(const BenchmarkOptions& options,
                  const std::function<void(const KernelTime&)>& report);

}  // namespace bitpose
