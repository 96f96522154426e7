// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "kernels/igemm_qs16/igemm_qs16.h"

namespace bitpose {

/// A whole layer over `m` rows in canonical layouts.
struct IgemmQs16Problem {
  size_t m = 0;
  IgemmQs8Weights layer;       ///< Zero points are 0.
  const int16_t* a = nullptr;  ///< [m][ks][kc].
  OutputRange range;
  bool narrow = false;    ///< Results are int8.
  bool indirect = false;  ///< Through an indirection buffer even where ks == 1.
};

/// Packs and runs `kernel` panel by panel. Returns dst [m][n], widened where it is int8.
std::vector<int16_t> run_igemm_qs16(const IgemmQs16Kernel& kernel, const IgemmQs16Problem& problem);

}  // namespace bitpose
