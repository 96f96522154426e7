// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bitpose {

/// What the memory plan needs to know of an operator.
struct PlanOperator {
  std::span<const uint32_t> inputs;  ///< Tensor indices, constants included.
  std::span<const uint32_t> outputs;
  int in_place_input = -1;  ///< Operator::in_place_input().
  bool is_view = false;     ///< Operator::is_view().
};

/// A network as the memory plan sees it. Operators stand in execution order.
struct PlanRequest {
  std::span<const uint64_t> bytes;  ///< Of each tensor; 0 for constants, which need no memory.
  std::span<const uint32_t> inputs;
  std::span<const uint32_t> outputs;
  std::span<const PlanOperator> operators;
  /// Every tensor can still be read after the run: no memory is used twice.
  bool keep_tensors = false;
};

/// Memory that one tensor, or several that share it, occupy during the steps [first, last]. Step 0
/// fills the graph inputs, step i + 1 runs operator i, and the last step reads the graph outputs.
struct Buffer {
  uint64_t bytes = 0;
  uint32_t first = 0;
  uint32_t last = 0;
};

struct Liveness {
  static constexpr uint32_t kNoBuffer = ~uint32_t{0};

  std::vector<Buffer> buffers;
  std::vector<uint32_t> buffer_of;  ///< By tensor; kNoBuffer for constants.
};

/// Derives who needs memory when. A tensor shares the buffer of an operator's input where
///  1. the operator is a view of that (computed) input, or
///  2. the operator may work in place, the two have equally many bytes, and nothing that lies in
///  the
///     input's buffer is read by a later operator, by another operand of this one, or as a graph
///     output.
Liveness analyse_liveness(const PlanRequest& request);

/// The largest sum of bytes of buffers that are live in one step: no plan can need less.
uint64_t live_bytes_bound(std::span<const Buffer> buffers);

}  // namespace bitpose
