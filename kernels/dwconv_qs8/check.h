// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/base/aligned.h"
#include "kernels/dwconv_qs8/dwconv_qs8.h"

namespace bitpose {

/// One or two output rows of a layer in canonical layouts.
struct DwconvQs8Problem {
  DwconvQs8Weights layer;
  size_t stride_w = 1, dilation_w = 1, pad_left = 0;
  size_t input_w = 0, output_w = 0;
  size_t output_rows = 1;
  const int8_t* input = nullptr;  ///< [output_rows + kernel_h - 1][input_w][channels].
  /// Rows in [first_row, end_row) are inside the picture.
  size_t first_row = 0, end_row = 0;
  OutputRange range;
  bool real = false;  ///< Real numbers in [fmin, fmax] are wanted instead of codes.
  float fmin = 0.0f, fmax = 0.0f;
};

/// A problem placed and packed for a kernel, which must be eligible. Reads the problem when it is
/// made, not later.
class PackedDwconvQs8 {
 public:
  PackedDwconvQs8(const DwconvQs8Kernel& kernel, const DwconvQs8Problem& problem);

  /// As many rows at a time as the kernel takes.
  void run();

  /// [output_rows][output_w][channels], one of them empty.
  const std::vector<int8_t>& dst() const { return dst_; }
  const std::vector<float>& real_dst() const { return real_dst_; }

 private:
  const DwconvQs8Kernel& kernel_;
  size_t output_rows_;
  std::vector<int8_t> input_, padding_;
  std::vector<const int8_t*> rows_, taps_;
  AlignedPointer<std::byte> packed_;
  std::vector<int8_t> dst_;
  std::vector<float> real_dst_;
  DwconvQs8Args args_;
};

/// Packs and runs `kernel`. Returns dst [output_rows][output_w][channels]. The kernel must be
/// eligible.
std::vector<int8_t> run_dwconv_qs8(const DwconvQs8Kernel& kernel, const DwconvQs8Problem& problem);

}  // namespace bitpose
