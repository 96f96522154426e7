// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/packed_qs8.h"

#include "kernels/base/overread.h"

namespace bitpose {

PackedQs8::PackedQs8(isa::Set isas, const IgemmQs8Weights& layer, size_t groups)
    : groups_(groups),
      columns_(layer.n / groups),
      weight_zero_point_(layer.weight_zero_point),
      row_sum_(&select_row_sum_s8(isas)) {
  IgemmQs8Facts facts = prove_igemm_qs8(layer);
  facts.n = columns_;
  kernel_ = &select_igemm_qs8(isas, facts);
  panels_per_group_ = (columns_ + nr() - 1) / nr();
  panel_bytes_ = packed_panel_bytes(kernel_->layout, layer.ks, layer.kc);
  panels_ = AlignedBuffer(panels() * panel_bytes_ + kOverread);
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

void PackedQs8::sum_rows(IgemmQs8Args& gemm, int32_t* scratch) const {
  if (weight_zero_point_ == 0) return;
  row_sum_->run({gemm.m, gemm.ks, gemm.kc, gemm.a, gemm.a_stride, gemm.indirection,
                 -weight_zero_point_, scratch});
  gemm.row_bias = scratch;
}

}  // namespace bitpose
