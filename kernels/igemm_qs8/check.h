// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "kernels/igemm_qs8/igemm_qs8.h"

namespace bitpose {

/// A whole layer over `m` rows in canonical layouts.
struct IgemmQs8Problem {
  size_t m = 0;
  IgemmQs8Weights layer;
  const int8_t* a = nullptr;  ///< [m][ks][kc].
  OutputRange range;
  bool indirect = false;  ///< Through an indirection buffer even where ks == 1.
};

/// Packs and runs `kernel` panel by panel. Returns dst [m][n]. The kernel must be eligible.
std::vector<int8_t> run_igemm_qs8(const IgemmQs8Kernel& kernel, const IgemmQs8Problem& problem);

}  // namespace bitpose
