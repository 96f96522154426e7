// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/conv_geometry.h"

#include <cstring>
#include <string>

#include "engine/model/text.h"

namespace bitpose {
namespace {

/// One axis of a window. Values come from a file: sums stay within 64 bits for any 32-bit values.
struct Axis {
  const char* name;
  uint64_t input, kernel, stride, dilation, pad_before, pad_after;

  uint64_t kernel_extent() const { return (kernel - 1) * dilation + 1; }
  uint64_t padded() const { return input + pad_before + pad_after; }
  uint64_t output() const { return (padded() - kernel_extent()) / stride + 1; }

  std::string describe() const {
    return text("convolution ", name, ": input ", input, ", kernel ", kernel, ", stride ", stride,
                ", dilation ", dilation, ", padding ", pad_before, " and ", pad_after);
  }

  Status check(PaddingRule rule) const {
    if (input == 0 || kernel == 0 || stride == 0 || dilation == 0) {
      return invalid_argument(
          text(describe(), ": extents, strides and dilations must be positive"));
    }
    if (rule == PaddingRule::kBelowKernel &&
        (pad_before >= kernel_extent() || pad_after >= kernel_extent())) {
      return invalid_argument(
          text(describe(), ": padding must be smaller than the dilated kernel"));
    }
    if (kernel_extent() > padded()) {
      return invalid_argument(text(describe(), ": the kernel does not fit into the padded input"));
    }
    return {};
  }
};

/// a * b, or a value beyond kMaxElements if the product is.
uint64_t saturating_product(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

/// Output pixels in the order of memory, and the input under them. Coordinates above and left of
/// the picture wrap below zero, which makes them too large.
class OutputWalk {
 public:
  OutputWalk(const ConvGeometry& geometry, size_t first_pixel)
      : g_(geometry),
        x_(first_pixel % g_.output_w),
        y_(first_pixel / g_.output_w % g_.output_h),
        picture_(first_pixel / g_.output_w / g_.output_h) {}

  size_t input_x(size_t kx) const { return x_ * g_.stride_w + kx * g_.dilation_w - g_.pad_left; }
  size_t input_y(size_t ky) const { return y_ * g_.stride_h + ky * g_.dilation_h - g_.pad_top; }
  /// Pixels before row iy.
  size_t input_row(size_t iy) const { return (picture_ * g_.input_h + iy) * g_.input_w; }

  void next() {
    if (++x_ < g_.output_w) return;
    x_ = 0;
    if (++y_ < g_.output_h) return;
    y_ = 0;
    ++picture_;
  }

 private:
  const ConvGeometry& g_;
  size_t x_, y_, picture_;
};

}  // namespace

Status make_conv_geometry(const ConvWindow& window, uint32_t kernel_h, uint32_t kernel_w,
                          const Shape& input, uint32_t output_channels, ConvGeometry* geometry,
                          PaddingRule rule) {
  if (input.rank != 4) {
    return invalid_argument(text("convolution input ", input, " must be [N,H,W,C]"));
  }
  const Axis height{"height",          input[1],       kernel_h,         window.stride_h,
                    window.dilation_h, window.pad_top, window.pad_bottom};
  const Axis width{"width",           input[2],        kernel_w,        window.stride_w,
                   window.dilation_w, window.pad_left, window.pad_right};
  if (Status status = height.check(rule); !status.ok()) return status;
  if (Status status = width.check(rule); !status.ok()) return status;
  const uint64_t pixels = saturating_product(height.output(), width.output());
  const uint64_t image = saturating_product(pixels, output_channels);
  if (image == 0 || saturating_product(image, input[0]) > kMaxElements) {
    return invalid_argument(text(height.describe(), "; ", width.describe(),
                                 ": the output would have more than ", kMaxElements,
                                 " elements, or none"));
  }
  *geometry = {input[0],        input[1],          input[2],          height.output(),
               width.output(),  kernel_h,          kernel_w,          window.stride_h,
               window.stride_w, window.dilation_h, window.dilation_w, window.pad_top,
               window.pad_left};
  return {};
}

void fill_indirection(const ConvGeometry& geometry, const std::byte* input, size_t pixel_bytes,
                      const std::byte* padding, size_t first_pixel, size_t count,
                      const std::byte** taps) {
  const ConvGeometry& g = geometry;
  OutputWalk walk(g, first_pixel);
  for (size_t i = 0; i < count; ++i, walk.next()) {
    for (size_t ky = 0; ky < g.kernel_h; ++ky) {
      const size_t iy = walk.input_y(ky);
      const size_t row = walk.input_row(iy);
      for (size_t kx = 0; kx < g.kernel_w; ++kx) {
        const size_t ix = walk.input_x(kx);
        const bool inside = iy < g.input_h && ix < g.input_w;
        *taps++ = inside ? input + (row + ix) * pixel_bytes : padding;
      }
    }
  }
}

void fill_merged_indirection(const ConvGeometry& geometry, const std::byte* input,
                             size_t pixel_bytes, const std::byte* padding, size_t first_pixel,
                             size_t count, const std::byte** taps, std::byte* patches) {
  const ConvGeometry& g = geometry;
  OutputWalk walk(g, first_pixel);
  for (size_t i = 0; i < count; ++i, walk.next()) {
    const size_t ix = walk.input_x(0);
    const bool inside = ix < g.input_w && g.kernel_w <= g.input_w - ix;
    for (size_t ky = 0; ky < g.kernel_h; ++ky, ++taps) {
      const size_t iy = walk.input_y(ky);
      const std::byte* row = input + walk.input_row(iy) * pixel_bytes;
      if (iy >= g.input_h) {
        *taps = padding;
      } else if (inside) {
        *taps = row + ix * pixel_bytes;
      } else {
        *taps = patches;
        for (size_t kx = 0; kx < g.kernel_w; ++kx, patches += pixel_bytes) {
          const std::byte* pixel = ix + kx < g.input_w ? row + (ix + kx) * pixel_bytes : padding;
          std::memcpy(patches, pixel, pixel_bytes);
        }
      }
    }
  }
}

}  // namespace bitpose
