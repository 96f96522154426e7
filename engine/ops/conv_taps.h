// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "engine/ops/conv_geometry.h"
#include "engine/ops/convolution.h"
#include "engine/ops/gemm_blocks.h"

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

  /// Elements of `padding`.
  size_t padding() const { return padding_; }

  /// Where the taps of output pixels [first, first + rows) start: [rows][ks()] in `scratch`, for
  /// the first group of channels. `padding` is padding() elements of padding values.
  template <typename T>
  const T* const* fill(const ConvGeometry& geometry, const T* input, const T* padding, size_t first,
                       size_t rows, std::byte* scratch) const {
    fill_bytes(geometry, reinterpret_cast<const std::byte*>(input),
               reinterpret_cast<const std::byte*>(padding), first, rows, scratch);
    return reinterpret_cast<const T* const*>(scratch);
  }

  /// Moves the taps that `fill` has written to the channels of the next group.
  void next_group(size_t rows, std::byte* scratch) const;

 private:
  void fill_bytes(const ConvGeometry& geometry, const std::byte* input, const std::byte* padding,
                  size_t first, size_t rows, std::byte* scratch) const;

  bool merged_;
  size_t ks_, kc_;
  size_t pixel_bytes_, tap_bytes_;
  size_t padding_;
};

/// The rows of a block of a convolution, group by group.
template <typename T>
class GroupRows {
 public:
  /// `scratch` and `padding` are those of ConvTaps::fill.
  GroupRows(const ConvTaps& taps, const ConvGeometry& geometry, const ConvLayer& layer,
            const T* input, const T* padding, const GemmBlock& block, std::byte* scratch)
      : taps_(taps), layer_(layer), rows_(block.rows), scratch_(scratch) {
    if (geometry.is_pointwise()) {
      pixels_ = input + block.first_row * layer.channels;
    } else {
      indirection_ = taps.fill(geometry, input, padding, block.first_row, block.rows, scratch);
    }
  }

  /// Sets the rows of `gemm` to those of a group, which may only grow. False if they were already.
  template <typename Gemm>
  bool turn_to(size_t group, Gemm& gemm) {
    if (started_ && group == group_) return false;
    for (; group_ < group; ++group_) {
      if (indirection_ != nullptr) taps_.next_group(rows_, scratch_);
    }
    started_ = true;
    gemm.indirection = indirection_;
    gemm.a = pixels_ == nullptr ? nullptr : pixels_ + group * layer_.filter_channels;
    gemm.a_stride = layer_.channels;
    return true;
  }

 private:
  const ConvTaps& taps_;
  const ConvLayer& layer_;
  size_t rows_, group_ = 0;
  std::byte* scratch_;
  const T* const* indirection_ = nullptr;
  const T* pixels_ = nullptr;  ///< In the place of the indirection.
  bool started_ = false;
};

}  // namespace bitpose
