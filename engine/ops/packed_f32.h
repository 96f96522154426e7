// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/model/aligned_buffer.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace bitpose {

/// The packed weights of a layer of floats in groups: every group has as many columns, and inputs
/// of its own. Panels count those of all groups; none holds columns of two groups.
class PackedF32 {
 public:
  /// Channels up to which a tile would spend its time on pointers to single taps.
  static constexpr size_t kMergedChannels = 8;

  /// The inputs of a block stay in the second-level cache.
  static constexpr size_t kBlockBytes = 128 * 1024;

  /// `layer` has the columns of all groups, one group behind the other.
  PackedF32(isa::Set isas, const GemmF32Weights& layer, size_t groups);

  size_t panels() const { return groups_ * plan_.panels(); }
  size_t panels_per_group() const { return plan_.panels(); }
  size_t first_column(size_t panel) const {
    return panel / plan_.panels() * columns_ + plan_.first_column(panel % plan_.panels());
  }
  size_t columns(size_t panel) const { return plan_.columns(panel % plan_.panels()); }
  /// The most columns of a panel.
  size_t nr() const { return plan_.kernel(0).nr; }
  /// Rows of a register tile.
  size_t mr() const { return plan_.kernel(0).mr; }
  size_t bytes() const { return panels_.size(); }
  const char* kernel_name() const { return plan_.kernel(0).name; }

  /// Computes one panel. All of `gemm` is set but the panel and the number of its columns.
  void run(size_t panel, GemmF32Args& gemm) const {
    gemm.n = columns(panel);
    gemm.panel = at(panel);
    plan_.kernel(panel % plan_.panels()).run(gemm);
  }

 private:
  float* at(size_t panel) const {
    const size_t group = panel / plan_.panels();
    const size_t offset = group * group_bytes_ + panel % plan_.panels() * body_bytes_;
    return reinterpret_cast<float*>(panels_.data() + offset);
  }

  size_t groups_, columns_;  ///< Columns of a group.
  GemmF32Plan plan_;
  size_t body_bytes_;   ///< Of one packed panel of the plan's body,
  size_t group_bytes_;  ///< and of all panels of a group.
  AlignedBuffer panels_;
};

}  // namespace bitpose
