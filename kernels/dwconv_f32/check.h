// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <vector>

#include "kernels/base/aligned.h"
#include "kernels/dwconv_f32/dwconv_f32.h"

namespace bitpose {

/// One row of output pixels in canonical layouts.
struct DwconvF32Problem {
  DwconvF32Weights layer;
  size_t kernel_h = 0, kernel_w = 0;
  size_t stride_w = 1;
  size_t output_w = 0;
  const float* input = nullptr;  ///< [kernel_h][input_w()][channels], padding included.
  float fmin = -std::numeric_limits<float>::infinity();
  float fmax = std::numeric_limits<float>::infinity();

  size_t input_w() const { return (output_w - 1) * stride_w + kernel_w; }
};

/// A problem placed and packed for a kernel. Reads the problem when it is made, not later.
class PackedDwconvF32 {
 public:
  PackedDwconvF32(const DwconvF32Kernel& kernel, const DwconvF32Problem& problem);

  void run() { kernel_.run(args_); }

  const std::vector<float>& dst() const { return dst_; }  ///< [output_w][channels].

 private:
  const DwconvF32Kernel& kernel_;
  std::vector<float> input_;
  std::vector<const float*> columns_;
  std::vector<const float* const*> lines_;
  AlignedPointer<float> packed_;
  std::vector<float> dst_;
  DwconvF32Args args_;
};

/// Packs and runs `kernel`. Returns dst [output_w][channels].
std::vector<float> run_dwconv_f32(const DwconvF32Kernel& kernel, const DwconvF32Problem& problem);

}  // namespace bitpose
