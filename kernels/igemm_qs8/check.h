// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/base/aligned.h"
#include "kernels/igemm_qs8/igemm_qs8.h"

namespace bitpose {

/// A whole layer over `m` rows in canonical layouts.
struct IgemmQs8Problem {
  size_t m = 0;
  IgemmQs8Weights layer;
  const int8_t* a = nullptr;  ///< Row i is [ks][kc] at a + i * row_step.
  size_t row_step = 0;        ///< 0 stands for ks * kc: rows that share nothing.
  OutputRange range;
  bool indirect = false;  ///< Through an indirection buffer even where ks == 1.
  bool real = false;      ///< Real numbers within fmin and fmax instead of codes within `range`.
  float fmin = 0;
  float fmax = 0;
};

/// A problem placed and packed for a kernel, which must be eligible. Reads the problem's weights
/// and activations when it is made, not later.
class PackedIgemmQs8 {
 public:
  PackedIgemmQs8(const IgemmQs8Kernel& kernel, const IgemmQs8Problem& problem);

  /// Computes dst panel by panel.
  void run();

  const std::vector<int8_t>& dst() const { return dst_; }           ///< [m][n], of codes
  const std::vector<float>& real_dst() const { return real_dst_; }  ///< or of real numbers.

 private:
  const IgemmQs8Kernel& kernel_;
  size_t n_;
  size_t panel_bytes_;
  std::vector<int8_t> a_;
  std::vector<const int8_t*> taps_;
  std::vector<int32_t> row_bias_;
  AlignedPointer<std::byte> panels_;
  std::vector<int8_t> dst_;
  std::vector<float> real_dst_;
  IgemmQs8Args args_;
};

/// Packs and runs `kernel` panel by panel. Returns dst [m][n], codes. The kernel must be eligible.
std::vector<int8_t> run_igemm_qs8(const IgemmQs8Kernel& kernel, const IgemmQs8Problem& problem);

}  // namespace bitpose
