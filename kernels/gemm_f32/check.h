// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <vector>

#include "kernels/base/aligned.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace bitpose {

/// A whole layer over `m` rows in canonical layouts.
struct GemmF32Problem {
  size_t m = 0;
  GemmF32Weights layer;
  const float* a = nullptr;  ///< Row i is [ks][kc] at a + i * row_step.
  size_t row_step = 0;       ///< 0 stands for ks * kc: rows that share nothing.
  float fmin = -std::numeric_limits<float>::infinity();
  float fmax = std::numeric_limits<float>::infinity();
  bool indirect = false;  ///< Through an indirection buffer even where ks == 1.
};

/// A problem placed and packed for a kernel. Reads the problem's weights when it is made and its
/// activations at each run.
class PackedGemmF32 {
 public:
  PackedGemmF32(const GemmF32Kernel& kernel, const GemmF32Problem& problem);

  /// Computes dst panel by panel.
  void run();

  const std::vector<float>& dst() const { return dst_; }  ///< [m][n].

 private:
  const GemmF32Kernel& kernel_;
  size_t n_;
  size_t panel_floats_;
  std::vector<const float*> taps_;
  AlignedPointer<float> panels_;
  std::vector<float> dst_;
  GemmF32Args args_;
};

/// Packs and runs `kernel` panel by panel. Returns dst [m][n].
std::vector<float> run_gemm_f32(const GemmF32Kernel& kernel, const GemmF32Problem& problem);

}  // namespace bitpose
