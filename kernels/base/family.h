// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "kernels/base/isa.h"
#include "kernels/base/workload.h"

/// Kernel families behind one face, for the self-test, pytest and the benchmarks. The runtime does
/// not use this: it selects kernels through each family's own header.
namespace bitpose {

struct KernelInfo {
  const char* name;
  isa::Set isa;
};

struct KernelFamily {
  const char* name;
  size_t count;
  /// Kernel `index` of the family, in the order of its kernels.inc.
  KernelInfo (*kernel)(size_t index);
  /// Runs kernel `index` and the family's portable kernel on the random problem that `seed` stands
  /// for, with odd sizes and extreme values. Returns an empty string when all bits agree, and else
  /// the problem and the first difference.
  std::string (*compare)(size_t index, uint64_t seed);
  KernelWorkloads workloads = {};
};

/// Every family of the library, by name.
std::span<const KernelFamily> kernel_families();

}  // namespace bitpose
