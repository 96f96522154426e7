// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/plan.h"

#include "kernels/base/overread.h"

namespace bitpose {

Plan make_plan(const PlanRequest& request) {
  Plan plan;
  plan.liveness = analyse_liveness(request);
  const Liveness& liveness = plan.liveness;
  plan.lower_bound = live_bytes_bound(liveness.buffers);
  const std::vector<uint64_t> offsets = place_buffers(liveness.buffers, &plan.arena_bytes);
  plan.arena_bytes += kOverread;
  plan.offsets.reserve(request.bytes.size());
  for (const uint32_t buffer : liveness.buffer_of) {
    plan.offsets.push_back(buffer == Liveness::kNoBuffer ? Plan::kNoOffset : offsets[buffer]);
  }
  return plan;
}

}  // namespace bitpose
