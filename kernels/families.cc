// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/family.h"

namespace bitpose {

#define FAMILY(name) KernelFamily name##_family();
#include "kernels/families.inc"
#undef FAMILY

std::span<const KernelFamily> kernel_families() {
  static const KernelFamily families[] = {
#define FAMILY(name) name##_family(),
#include "kernels/families.inc"
#undef FAMILY
  };
  return families;
}

}  // namespace bitpose
