// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/packed_f32.h"

namespace bitpose {

PackedF32::PackedF32(isa::Set isas, const GemmF32Weights& layer, size_t groups)
    : groups_(groups),
      columns_(layer.n / groups),
      plan_(plan_gemm_f32(isas, columns_)),
      body_bytes_(packed_panel_bytes(plan_.body->nr, layer.ks, layer.kc)),
      group_bytes_(plan_.body_panels * body_bytes_) {
  if (plan_.tail_columns != 0) {
    group_bytes_ += packed_panel_bytes(plan_.tail->nr, layer.ks, layer.kc);
  }
  panels_ = AlignedBuffer(groups * group_bytes_);
  for (size_t group = 0; group < groups; ++group) {
    GemmF32Weights part = layer;
    part.n = columns_;
    part.weights += group * columns_ * layer.ks * layer.kc;
    part.bias += group * columns_;
    for (size_t i = 0; i < plan_.panels(); ++i) {
      pack_panel(plan_.kernel(i).nr, part, plan_.first_column(i), at(group * plan_.panels() + i));
    }
  }
}

}  // namespace bitpose
