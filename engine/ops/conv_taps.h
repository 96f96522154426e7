// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/convolution.h"

namespace bitpose {

/// The taps of a convolution as an indirect GEMM sees them (kernels/igemm_qs8/igemm_qs8.h,
/// kernels/gemm_f32/gemm_f32.h): a row, which is an output pixel, has ks() taps of kc() elements.
///
/// Taps of a filter row that lie side by side in memory are merged into one tap of kernel_w pixels
/// when a pixel is so small that a kernel would spend its time on single taps.
class ConvTaps {
 public:
  /// Pixels of up to `merged_channels` channels are merged.
  ConvTaps(const ConvLayer& layer, size_t element_bytes, size_t merged_channels);

  size_t ks() const { return ks_; }
  size_t kc() const { return kc_; }
  /// Input bytes of a row.
  size_t row_bytes() const { return ks_ * tap_bytes_; }

  /// Scratch that `fill` takes for `rows` rows, a multiple of the size of a pointer.
  size_t scratch_bytes(size_t rows) const;

  /// Where the taps of output pixels [first, first + rows) start: [rows][ks()] in `scratch`.
  /// `padding` is a tap of padding values.
  template <typename T>
  const T* const* fill(const ConvGeometry& geometry, const T* input, const T* padding, size_t first,
                       size_t rows, std::byte* scratch) const {
    fill_bytes(geometry, reinterpret_cast<const std::byte*>(input),
               reinterpret_cast<const std::byte*>(padding), first, rows, scratch);
    return reinterpret_cast<const T* const*>(scratch);
  }

 private:
  void fill_bytes(const ConvGeometry& geometry, const std::byte* input, const std::byte* padding,
                  size_t first, size_t rows, std::byte* scratch) const;

  bool merged_;
  size_t ks_, kc_;
  size_t pixel_bytes_, tap_bytes_;
};

}  // namespace bitpose
