// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/avgpool_qs8/avgpool_qs8.h"
#include "kernels/base/pool_blocks.h"

// What blocks (kernels/base/pool_blocks.h) of every instruction set share. Vectors of taps are
// summed in int16, where 255 of them cannot overflow, and every 255 of them in int32. In an unnamed
// namespace: see kernels/base/requantize.h.
namespace bitpose {
namespace {

inline constexpr size_t kTapsPerFlush = 255;

/// Vectors is the `requantize` of an instruction set.
template <typename Vectors>
struct Params {
  explicit Params(const AvgpoolQs8Args& args)
      : bias(static_cast<int32_t>(0u - static_cast<uint32_t>(args.window.taps()) *
                                           static_cast<uint32_t>(args.zero_point))),
        multiplier(args.multiplier),
        range(args.range),
        vectors(args.multiplier, args.range) {}

  int32_t bias;  ///< -taps * zero_point.
  float multiplier;
  OutputRange range;
  Vectors vectors;
};

/// A single channel.
template <typename Params>
struct Code {
  static constexpr size_t kWidth = 1;
  uint32_t acc;

  Code(const Params& params, const int8_t*) : acc(static_cast<uint32_t>(params.bias)) {}
  void take(const int8_t* src) { acc += static_cast<uint32_t>(int32_t{*src}); }
  void store(const Params& params, int8_t* dst) const {
    *dst = requantize(static_cast<int32_t>(acc), params.multiplier, params.range);
  }
};

}  // namespace
}  // namespace bitpose
