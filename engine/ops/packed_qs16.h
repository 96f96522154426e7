// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/model/aligned_buffer.h"
#include "kernels/igemm_qs16/igemm_qs16.h"

namespace bitpose {

/// The packed weights of a 16-bit layer in groups: see PackedQs8.
class PackedQs16 {
 public:
  /// Channels up to which single taps would leave most of a step of k empty.
  static constexpr size_t kMergedChannels = 4;

  /// The inputs of a block and their indirection stay in the second-level cache.
  static constexpr size_t kBlockBytes = 128 * 1024;

  /// `layer` has the columns of all groups, one group behind the other.
  PackedQs16(isa::Set isas, const IgemmQs8Weights& layer, size_t groups);

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

  /// Computes one panel. All of `gemm` is set but the panel, the number of its columns and
  /// segments.
  void run(size_t panel, IgemmQs16Args& gemm) const {
    gemm.n = columns(panel);
    gemm.segment = segment_;
    gemm.panel = panels_.data() + panel * panel_bytes_;
    kernel_->run(gemm);
  }

 private:
  size_t groups_, columns_;  ///< Columns of a group.
  const IgemmQs16Kernel* kernel_;
  size_t segment_;
  size_t panels_per_group_;
  size_t panel_bytes_;
  AlignedBuffer panels_;
};

}  // namespace bitpose
