// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/packed_qs16.h"

#include "kernels/base/overread.h"

namespace bitpose {

PackedQs16::PackedQs16(isa::Set isas, const IgemmQs8Weights& layer, size_t groups)
    : groups_(groups),
      columns_(layer.n / groups),
      kernel_(&select_igemm_qs16(isas, columns_)),
      segment_(segment_igemm_qs16(layer, kernel_->layout.kr)),
      panels_per_group_((columns_ + nr() - 1) / nr()),
      panel_bytes_(packed_panel_bytes(kernel_->layout, layer.ks, layer.kc)),
      panels_(panels() * panel_bytes_ + kOverread) {
  for (size_t panel = 0; panel < panels(); ++panel) {
    const size_t first = panel / panels_per_group_ * columns_;
    IgemmQs8Weights part = layer;
    part.n = columns_;
    part.weights += first * layer.ks * layer.kc;
    part.bias += first;
    part.multiplier += first;
    pack_panel(kernel_->layout, part, panel % panels_per_group_ * nr(),
               panels_.data() + panel * panel_bytes_);
  }
}

}  // namespace bitpose
