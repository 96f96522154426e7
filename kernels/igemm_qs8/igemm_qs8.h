// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "kernels/base/isa.h"
#include "kernels/base/requantize.h"

/// Indirect GEMM of signed 8-bit activations and weights: convolution, 1x1 convolution and dense
/// layers without an im2col copy.
///
///   acc(i, j) = bias(j) + sum_{t < ks} sum_{k < kc} (a_t(i, k) - za) * (w(j, t, k) - zw)
///   dst(i, j) = requantize(acc(i, j), multiplier(j), range) (kernels/base/requantize.h)
///
/// or, where real numbers are wanted instead of codes,
///
///   real_dst(i, j) = rescale(acc(i, j), multiplier(j), fmin, fmax)
///
/// Rows i are output pixels, columns j output channels, t the taps of the filter; a_t(i, .) is the
/// input pixel under tap t. acc is exact modulo 2^32. With stored bytes a and w,
///
///   acc = [bias - za * sum w + ks * kc * za * zw] + sum a * w + [-zw * sum a]
///
/// so the packer folds the first bracket into the packed bias, the kernel computes the sum, and the
/// caller hands the last bracket in as `row_bias` (absent when zw = 0). Padding is a row of za.
///
/// One call computes m rows of one panel of up to NR columns. A packed panel is
///
///   int32 bias[NR] | float multiplier[NR] | for t < ks, for each block of KR of kc: weight[NR][KR]
///
/// with kc padded to whole blocks by zero weights, so bytes read behind a row are multiplied by
/// zero. Columns stand in lane order (kernels/base/lane_order.h), which saves the epilogue its
/// shuffles.
namespace bitpose {

/// Canonical operands of a layer.
struct IgemmQs8Weights {
  size_t n = 0;                       ///< Columns: output channels.
  size_t ks = 0;                      ///< Taps.
  size_t kc = 0;                      ///< Input channels.
  const int8_t* weights = nullptr;    ///< [n][ks][kc], as stored: the zero point is not subtracted.
  const int32_t* bias = nullptr;      ///< [n].
  const float* multiplier = nullptr;  ///< [n], finite and positive.
  int32_t input_zero_point = 0;       ///< za.
  int32_t weight_zero_point = 0;      ///< zw.
};

struct IgemmQs8Args {
  size_t m = 0;  ///< Rows, at least 1.
  size_t n = 0;  ///< Columns of this panel, 1..NR.
  size_t ks = 0;
  size_t kc = 0;
  /// Rows at equal distances: row i starts at a + i * a_stride. Used when `indirection` is null; ks
  /// is then 1.
  const int8_t* a = nullptr;
  size_t a_stride = 0;
  /// Tap t of row i starts at indirection[i * ks + t].
  const int8_t* const* indirection = nullptr;
  const int32_t* row_bias = nullptr;  ///< [m] or null.
  const void* panel = nullptr;        ///< Packed, aligned to kAlignment.
  int8_t* dst = nullptr;
  float* real_dst = nullptr;  ///< Null for codes; `dst` and `range` do not count where it is set.
  size_t dst_stride = 0;      ///< Elements between rows of dst or real_dst.
  OutputRange range;
  float fmin = -std::numeric_limits<float>::infinity();
  float fmax = std::numeric_limits<float>::infinity();
};

/// Reads up to kOverread bytes behind each row of activations. May compute a row twice, so what is
/// written may not overlap the activations.
using IgemmQs8 = void(const IgemmQs8Args& args);

/// What the packer proves about a layer from its actual weights; never read from a file.
struct IgemmQs8Facts {
  size_t n = 0;
  /// |float(acc) * multiplier| < 2^30 for every column and every input: the epilogue may clamp in
  /// integers.
  bool bounded_products = false;
  /// No stored weight is -128: |w| fits int8 and a pair of products fits int16.
  bool symmetric_weights = false;
  bool operator==(const IgemmQs8Facts&) const = default;
};

/// Describes a packed panel.
struct PackLayout {
  uint32_t nr = 0;
  uint32_t kr = 0;
  uint32_t weight_bytes = 1;      ///< 1, or 2 when the kernel wants weights widened to int16.
  int32_t activation_offset = 0;  ///< What the kernel adds to each activation (128 for VNNI).
  uint32_t lanes = 1;             ///< 128-bit lanes of the accumulator vectors.
};

struct IgemmQs8Kernel {
  isa::Set isa;
  const char* name;
  IgemmQs8* run;
  uint32_t mr;  ///< Rows of the register tile.
  PackLayout layout;
  bool needs_bounded_products;
  bool needs_symmetric_weights;
};

#define MICROKERNEL(isa_set, symbol, ...) IgemmQs8 symbol;
#include "kernels/igemm_qs8/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, grouped by instruction set, best first.
std::span<const IgemmQs8Kernel> igemm_qs8_kernels();

/// What holds for this layer. `weights` and `bias` are read completely.
IgemmQs8Facts prove_igemm_qs8(const IgemmQs8Weights& layer);

/// The kernel for a layer: of the best instruction set in `available` that has an eligible kernel,
/// the tile that wastes least on `facts.n` columns.
const IgemmQs8Kernel& select_igemm_qs8(isa::Set available, const IgemmQs8Facts& facts);

/// Whether `kernel` may run a layer with these facts.
bool eligible(const IgemmQs8Kernel& kernel, const IgemmQs8Facts& facts);

/// Bytes of one packed panel, a multiple of kAlignment.
size_t packed_panel_bytes(const PackLayout& layout, size_t ks, size_t kc);

/// Packs columns [first_column, first_column + NR) of `layer`; columns behind n become zeros.
void pack_panel(const PackLayout& layout, const IgemmQs8Weights& layer, size_t first_column,
                void* panel);

/// Packs the first NR columns of a layer of one tap whose weights lie [kc][n], with `row_step`
/// bytes from one k to the next: for matrices that are computed at run time, so it is fast. At most
/// kMaxColumns columns.
void pack_panel_of_rows(const PackLayout& layout, const IgemmQs8Weights& layer, size_t row_step,
                        void* panel);

/// No panel is wider.
inline constexpr size_t kMaxColumns = 128;

}  // namespace bitpose
