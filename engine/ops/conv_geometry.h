// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/model/fields.h"
#include "engine/model/status.h"
#include "engine/model/tensor.h"

/// What every 2-D convolution shares: where its windows lie.
namespace bitpose {

/// The first attributes of every convolution, in the order of the model file.
struct ConvWindow {
  uint32_t stride_h, stride_w;
  uint32_t dilation_h, dilation_w;
  uint32_t pad_top, pad_left, pad_bottom, pad_right;
};

/// The largest extent, stride, dilation or padding of a window.
inline constexpr double kLargestWindowExtent = 65535;

inline constexpr std::array kConvWindowFields = {
    BITPOSE_FIELD(ConvWindow, stride_h, 1, kLargestWindowExtent),
    BITPOSE_FIELD(ConvWindow, stride_w, 1, kLargestWindowExtent),
    BITPOSE_FIELD(ConvWindow, dilation_h, 1, kLargestWindowExtent),
    BITPOSE_FIELD(ConvWindow, dilation_w, 1, kLargestWindowExtent),
    BITPOSE_FIELD(ConvWindow, pad_top, 0, kLargestWindowExtent),
    BITPOSE_FIELD(ConvWindow, pad_left, 0, kLargestWindowExtent),
    BITPOSE_FIELD(ConvWindow, pad_bottom, 0, kLargestWindowExtent),
    BITPOSE_FIELD(ConvWindow, pad_right, 0, kLargestWindowExtent),
};

/// Extents of a convolution over one input shape. Output pixel p in [0, pixels()) counts pictures,
/// rows and columns in the order of memory.
struct ConvGeometry {
  size_t batch, input_h, input_w;
  size_t output_h, output_w;
  size_t kernel_h, kernel_w;
  size_t stride_h, stride_w;
  size_t dilation_h, dilation_w;
  size_t pad_top, pad_left;

  size_t taps() const { return kernel_h * kernel_w; }
  size_t pixels() const { return batch * output_h * output_w; }
  Shape output_shape(uint32_t channels) const {
    return {static_cast<uint32_t>(batch), static_cast<uint32_t>(output_h),
            static_cast<uint32_t>(output_w), channels};
  }
  /// Whether output pixel p depends on input pixel p alone, so that rows stand at equal distances.
  bool is_pointwise() const {
    return taps() == 1 && stride_h == 1 && stride_w == 1 && pad_top == 0 && pad_left == 0 &&
           input_h == output_h && input_w == output_w;
  }
};

/// Whether a window may lie in padding alone.
enum class PaddingRule { kBelowKernel, kAny };

/// Checks the window, the kernel's extents and an input shape [N,H,W,C] and derives the geometry.
/// Accepts only what the engine can run safely: every extent positive, every stride and dilation
/// at least 1, padding smaller than the dilated kernel (by `rule`), at least one output pixel, and
/// no more than kMaxElements elements in an output of `output_channels`.
Status make_conv_geometry(const ConvWindow& window, uint32_t kernel_h, uint32_t kernel_w,
                          const Shape& input, uint32_t output_channels, ConvGeometry* geometry,
                          PaddingRule rule = PaddingRule::kBelowKernel);

/// Where tap t of output pixel first_pixel + i starts: taps[i * geometry.taps() + t], for i <
/// count. Taps beyond the picture's edge point to `padding`, a pixel of padding values.
void fill_indirection(const ConvGeometry& geometry, const std::byte* input, size_t pixel_bytes,
                      const std::byte* padding, size_t first_pixel, size_t count,
                      const std::byte** taps);

/// The same for filters whose kernel_w taps of a row are merged into one tap of kernel_w pixels,
/// which pays where a pixel is a few bytes: taps[i * kernel_h + ky]. There is no dilation_w. Merged
/// taps inside the picture are read in place, those that cross its left or right edge are put
/// together in `patches`, which has room for count * kernel_h of them. `padding` is kernel_w
/// pixels.
void fill_merged_indirection(const ConvGeometry& geometry, const std::byte* input,
                             size_t pixel_bytes, const std::byte* padding, size_t first_pixel,
                             size_t count, const std::byte** taps, std::byte* patches);

}  // namespace bitpose
