// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "kernels/base/isa.h"

/// Indirect GEMM of floats: convolution, 1x1 convolution and dense layers without an im2col copy.
///
///   acc(i, j) = bias(j)
///   for t < ks, for k < kc, in this order: acc(i, j) = fma(a_t(i, k), w(j, t, k), acc(i, j))
///   dst(i, j) = clamp(acc(i, j), fmin, fmax)                            (kernels/base/clamp.h)
///
/// Rows i are output pixels, columns j output channels, t the taps of the filter; a_t(i, .) is the
/// input pixel under tap t. Every product and sum rounds once (fmaf), so the bits are the same in
/// every kernel, except for the payload of a NaN. Padding is a row of zeros, which takes part in
/// the arithmetic: a NaN or infinite weight shows.
///
/// One call computes m rows of one panel of up to NR columns. A packed panel is
///
///   float bias[NR] | for t < ks, for k < kc: float weight[NR]
///
/// with zeros in the columns behind the last one.
namespace bitpose {

/// Canonical operands of a layer.
struct GemmF32Weights {
  size_t n = 0;                    ///< Columns: output channels.
  size_t ks = 0;                   ///< Taps.
  size_t kc = 0;                   ///< Input channels.
  const float* weights = nullptr;  ///< [n][ks][kc].
  const float* bias = nullptr;     ///< [n].
};

struct GemmF32Args {
  size_t m = 0;  ///< Rows, at least 1.
  size_t n = 0;  ///< Columns of this panel, 1..NR.
  size_t ks = 0;
  size_t kc = 0;
  /// Rows at equal distances: row i starts at a + i * a_stride. Used when `indirection` is null; ks
  /// is then 1.
  const float* a = nullptr;
  size_t a_stride = 0;  ///< In floats.
  /// Tap t of row i starts at indirection[i * ks + t].
  const float* const* indirection = nullptr;
  const float* panel = nullptr;  ///< Packed, aligned to kAlignment.
  float* dst = nullptr;
  size_t dst_stride = 0;  ///< Floats between rows of dst.
  float fmin = -std::numeric_limits<float>::infinity();
  float fmax = std::numeric_limits<float>::infinity();
};

/// Reads no float behind a row and writes each result once. dst may not overlap the activations.
using GemmF32 = void(const GemmF32Args& args);

struct GemmF32Kernel {
  isa::Set isa;
  const char* name;
  GemmF32* run;
  uint32_t mr;  ///< Rows of the register tile; multiples of it waste nothing.
  uint32_t nr;  ///< Columns of a panel.
};

#define MICROKERNEL(isa_set, symbol, ...) GemmF32 symbol;
#include "kernels/gemm_f32/kernels.inc"
#undef MICROKERNEL

/// Every kernel of this build, grouped by instruction set, best first.
std::span<const GemmF32Kernel> gemm_f32_kernels();

/// How the columns of a layer are divided: whole panels of `body`, and the columns that are left in
/// one panel of `tail`.
struct GemmF32Plan {
  const GemmF32Kernel* body = nullptr;
  const GemmF32Kernel* tail = nullptr;
  size_t body_panels = 0;
  size_t tail_columns = 0;  ///< 0 when the body's panels are all.

  size_t panels() const { return body_panels + (tail_columns != 0 ? 1 : 0); }
  const GemmF32Kernel& kernel(size_t panel) const { return panel < body_panels ? *body : *tail; }
  size_t first_column(size_t panel) const { return panel * body->nr; }
  size_t columns(size_t panel) const { return panel < body_panels ? body->nr : tail_columns; }
};

/// The division of n >= 1 columns that wastes least, with kernels of the best instruction set in
/// `available`.
GemmF32Plan plan_gemm_f32(isa::Set available, size_t n);

/// Bytes of one packed panel of `nr` columns, a multiple of kAlignment.
size_t packed_panel_bytes(uint32_t nr, size_t ks, size_t kc);

/// Packs columns [first_column, first_column + nr) of `layer`; columns behind n become zeros.
void pack_panel(uint32_t nr, const GemmF32Weights& layer, size_t first_column, float* panel);

}  // namespace bitpose
