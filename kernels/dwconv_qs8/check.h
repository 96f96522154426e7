// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

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
};

/// Packs and runs `kernel`. Returns dst [output_rows][output_w][channels]. The kernel must be
/// eligible.
std::vector<int8_t> run_dwconv_qs8(const DwconvQs8Kernel& kernel, const DwconvQs8Problem& problem);

}  // namespace bitpose
