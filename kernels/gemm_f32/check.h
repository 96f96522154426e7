// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <vector>

#include "kernels/gemm_f32/gemm_f32.h"

namespace bitpose {

/// A whole layer over `m` rows in canonical layouts.
struct GemmF32Problem {
  size_t m = 0;
  GemmF32Weights layer;
  const float* a = nullptr;  ///< [m][ks][kc].
  float fmin = -std::numeric_limits<float>::infinity();
  float fmax = std::numeric_limits<float>::infinity();
  bool indirect = false;  ///< Through an indirection buffer even where ks == 1.
};

/// Packs and runs `kernel` panel by panel. Returns dst [m][n].
std::vector<float> run_gemm_f32(const GemmF32Kernel& kernel, const GemmF32Problem& problem);

}  // namespace bitpose
