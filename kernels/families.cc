// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/family.h"

namespace bitpose {

#define FAMILY(name)            \
  KernelFamily name##_family(); \
  KernelWorkloads name##_workloads();
#include "kernels/families.inc"
#undef FAMILY

namespace {

KernelFamily with(KernelFamily family, KernelWorkloads workloads) {
  family.workloads = workloads;
  return family;
}

}  // namespace

std::span<const KernelFamily> kernel_families() {
  static const KernelFamily families[] = {
#define FAMILY(name) with(name##_family(), name##_workloads()),
#include "kernels/families.inc"
#undef FAMILY
  };
  return families;
}

}  // namespace bitpose
