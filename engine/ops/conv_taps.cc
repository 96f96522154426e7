// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/conv_taps.h"

#include "kernels/base/overread.h"

namespace bitpose {

ConvTaps::ConvTaps(const ConvLayer& layer, size_t element_bytes, size_t merged_channels)
    : merged_(layer.channels <= merged_channels && layer.groups() == 1 && layer.kernel_w > 1 &&
              layer.window.dilation_w == 1),
      ks_(merged_ ? layer.kernel_h : layer.taps()),
      kc_(merged_ ? size_t{layer.kernel_w} * layer.channels : layer.filter_channels),
      pixel_bytes_(layer.channels * element_bytes),
      tap_bytes_(kc_ * element_bytes),
      // Every group has its own channels of it.
      padding_(merged_ ? kc_ : layer.channels) {}

size_t ConvTaps::scratch_bytes(size_t rows) const {
  const size_t taps = rows * ks_;
  const size_t patches = merged_ ? taps * tap_bytes_ + kOverread : 0;
  const size_t patch_pointers = (patches + sizeof(void*) - 1) / sizeof(void*);
  return (taps + patch_pointers) * sizeof(void*);
}

void ConvTaps::fill_bytes(const ConvGeometry& geometry, const std::byte* input,
                          const std::byte* padding, size_t first, size_t rows,
                          std::byte* scratch) const {
  auto** taps = reinterpret_cast<const std::byte**>(scratch);
  if (merged_) {
    // Taps that overlap the picture's edge are put together behind the pointers.
    fill_merged_indirection(geometry, input, pixel_bytes_, padding, first, rows, taps,
                            reinterpret_cast<std::byte*>(taps + rows * ks_));
  } else {
    fill_indirection(geometry, input, pixel_bytes_, padding, first, rows, taps);
  }
}

void ConvTaps::next_group(size_t rows, std::byte* scratch) const {
  auto** taps = reinterpret_cast<const std::byte**>(scratch);
  for (size_t i = 0; i < rows * ks_; ++i) taps[i] += tap_bytes_;
}

}  // namespace bitpose
