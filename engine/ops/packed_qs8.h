// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/model/aligned_buffer.h"
#include "kernels/igemm_qs8/igemm_qs8.h"
#include "kernels/row_sum_s8/row_sum_s8.h"

namespace bitpose {

/// The packed weights of an 8-bit layer in groups: every group has as many columns, and inputs of
/// its own. Panels count those of all groups; none holds columns of two groups.
class PackedQs8 {
 public:
  /// Channels up to which single taps would leave most of a step of k empty.
  static constexpr size_t kMergedChannels = 4;

  /// The inputs of a block and their indirection stay in the first-level cache.
  static constexpr size_t kBlockBytes = 96 * 1024;

  /// `layer` has the columns of all groups, one group behind the other.
  PackedQs8(isa::Set isas, const IgemmQs8Weights& layer, size_t groups);

  size_t panels() const { return groups_ * panels_per_group_; }
  size_t panels_per_group() const { return panels_per_group_; }
  size_t first_column(size_t panel) const {
    return panel / panels_per_group_ * columns_ + panel % panels_per_group_ * nr();
  }
  size_t columns(size_t panel) const {
    return std::min(nr(), columns_ - panel % panels_per_group_ * nr());
  }
  /// The most columns of a panel.
  size_t nr() const { return kernel_->layout.nr; }
  /// Rows of a register tile.
  size_t mr() const { return kernel_->mr; }
  size_t bytes() const { return panels_.size(); }
  const char* kernel_name() const { return kernel_->name; }

  /// What rows add to all their columns, for weights with a zero point: sets gemm.row_bias to
  /// [gemm.m] in `scratch`. The rows of `gemm` are set.
  void sum_rows(IgemmQs8Args& gemm, int32_t* scratch) const;

  /// Computes one panel. All of `gemm` is set but the panel and the number of its columns.
  void run(size_t panel, IgemmQs8Args& gemm) const {
    gemm.n = columns(panel);
    gemm.panel = panels_.data() + panel * panel_bytes_;
    kernel_->run(gemm);
  }

 private:
  size_t groups_, columns_;  ///< Columns of a group.
  int32_t weight_zero_point_;
  const IgemmQs8Kernel* kernel_;
  const RowSumS8Kernel* row_sum_;
  size_t panels_per_group_;
  size_t panel_bytes_;
  AlignedBuffer panels_;
};

}  // namespace bitpose
