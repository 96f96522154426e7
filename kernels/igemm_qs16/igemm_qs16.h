// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/requantize.h"
#include "kernels/igemm_qs8/igemm_qs8.h"

/// Indirect GEMM of symmetric 16-bit activations and symmetric 8-bit weights.
///
///   acc(i, j) = bias(j) + sum_{t < ks} sum_{k < kc} a_t(i, k) * w(j, t, k)       an exact integer
///   dst(i, j) = requantize_rounded(float(acc(i, j)), multiplier(j), range)
///                                                               (kernels/base/requantize.h)
///
/// Both zero points are 0, so padding is a row of zeros. Rows, taps and panels are those of
/// igemm_qs8, and its pack_panel packs them, with weights widened to int16 and columns in natural
/// order.
///
/// int32 holds what few products sum up to, and a whole layer may need more: k-steps (KR of k; a
/// tap has ceil(kc / KR) of them) come in segments of `segment` steps, each of which the packer has
/// proved to stay in int32 whatever the activations are,
///
///   32768 * sum|w| (+ |bias| in the first segment) < 2^31       for every column,
///
/// and kernels add up segments as float64, which holds every integer below 2^53. Either way
/// acc is exact when it is rounded to float32, once, so where segments end changes no bit.
namespace bitpose {

/// The largest |bias|. One step always fits beside it.
inline constexpr int32_t kMaxBiasQs16 = 1 << 30;

struct IgemmQs16Args {
  size_t m = 0;  ///< Rows, at least 1.
  size_t n = 0;  ///< Columns of this panel, 1..NR.
  size_t ks = 0;
  size_t kc = 0;
  size_t segment = 0;  ///< Steps, at least 1.
  /// Rows at equal distances: row i starts at a + i * a_stride. Used when `indirection` is null; ks
  /// is then 1.
  const int16_t* a = nullptr;
  size_t a_stride = 0;
  /// Tap t of row i starts at indirection[i * ks + t].
  const int16_t* const* indirection = nullptr;
  const void* panel = nullptr;  ///< Packed, aligned to kAlignment.
  bool narrow = false;          ///< dst has int8 codes, else int16.
  void* dst = nullptr;
  size_t dst_stride = 0;  ///< Codes between rows of dst.
  OutputRange range;
};

/// Reads up to kOverread bytes behind each row of activations. May compute a row twice, so dst may
/// not overlap the activations.
using IgemmQs16 = void(const IgemmQs16Args& args);

struct IgemmQs16Kernel {
  isa::Set isa;
  const char* name;
  IgemmQs16* run;
  uint32_t mr;  ///< Rows of the register tile.
  PackLayout layout;
};

#define MICROKERNEL(isa_set, symbol, ...) IgemmQs16 symbol;
#include "kernels/igemm_qs16/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, grouped by instruction set, best first.
std::span<const IgemmQs16Kernel> igemm_qs16_kernels();

/// The kernel for layers of `columns` columns: of the best instruction set in `available`, the tile
/// that wastes least.
const IgemmQs16Kernel& select_igemm_qs16(isa::Set available, size_t columns);

/// The length of segments that suits a layer, from its actual weights: as few segments as can be
/// proved, equally long. Zero points of `layer` are 0 and |bias| <= kMaxBiasQs16.
size_t segment_igemm_qs16(const IgemmQs8Weights& layer, uint32_t kr);

}  // namespace bitpose
