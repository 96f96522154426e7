// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bitpose {

/// A part of a layer, for benchmarks: `m` output pixels, `ks` taps of `kc` channels, `n` output
/// channels. The rows of a filter share taps as neighbours in a picture do.
struct GemmShape {
  size_t m, ks, kc, n;

  uint64_t macs() const { return uint64_t{m} * ks * kc * n; }
  size_t activations() const { return (m + ks - 1) * kc; }
  size_t weights() const { return n * ks * kc; }

  std::string text() const {
    return std::to_string(m) + " x " + (ks == 1 ? "" : std::to_string(ks) + "x") +
           std::to_string(kc) + " -> " + std::to_string(n);
  }
};

/// MobileNetV2's narrow and wide 1x1 layers, MobileNetV1's usual one, rows of ResNet-50's 3x3
/// layers and the classifier, which reads each weight once.
inline constexpr GemmShape kGemmShapes[] = {
    {784, 1, 144, 32},  {196, 1, 64, 384},  {196, 1, 512, 512},
    {112, 9, 128, 128}, {1, 1, 1024, 1000},
};

}  // namespace bitpose
