// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "kernels/base/isa.h"

namespace bitpose {

/// The first entry of a family's kernel list, which is ordered best first, that `available` can
/// run. The last entry of every list is a portable kernel, so there always is one.
template <typename Kernel, size_t count>
const Kernel& first_runnable(const Kernel (&kernels)[count], isa::Set available) {
  for (const Kernel& kernel : kernels) {
    if (isa::runs(kernel.isa, available)) return kernel;
  }
  return kernels[count - 1];
}

}  // namespace bitpose
