// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "engine/plan/liveness.h"

namespace bitpose {

/// Where each computed tensor lies in the arena of a run.
struct Plan {
  static constexpr uint64_t kNoOffset = ~uint64_t{0};

  std::vector<uint64_t> offsets;  ///< By tensor, multiples of kAlignment; kNoOffset for constants.
  /// With kOverread bytes behind the last tensor. Reading over the end of another tensor reads its
  /// neighbour.
  uint64_t arena_bytes = 0;
  uint64_t lower_bound = 0;  ///< See live_bytes_bound.
  Liveness liveness;         ///< What the offsets were derived from.
};

/// Places the tensors so that no two that are live at once overlap.
Plan make_plan(const PlanRequest& request);

/// Places buffers greedily in several orders and keeps the best. Returns their offsets; `*bytes` is
/// the end of the last one.
std::vector<uint64_t> place_buffers(std::span<const Buffer> buffers, uint64_t* bytes);

}  // namespace bitpose
