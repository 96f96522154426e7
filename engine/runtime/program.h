// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/model/network.h"
#include "engine/model/status.h"
#include "engine/ops/operator.h"
#include "engine/plan/plan.h"

namespace bitpose {

/// What a session may do and use. The three limits keep a hostile model from taking all memory or
/// all time; a model beyond one of them is refused with a message that names it.
struct SessionOptions {
  std::string_view network = {};  ///< Empty: the first of the model.
  size_t threads = 1;  ///< 0: one per CPU that this process may use. At most kMaxThreads.
  isa::Set isas = 0;   ///< 0: isa::enabled().
  /// Of the arena and the scratch memory of one context.
  uint64_t max_arena_bytes = uint64_t{1} << 30;
  /// Of constants, counted for each operator that reads them, as each packs its own.
  uint64_t max_constant_bytes = uint64_t{1} << 30;
  /// Multiply-accumulates plus bytes moved in one run, see Operator::cost.
  uint64_t max_work = uint64_t{1} << 42;
  /// Each tensor keeps its own memory during a run, so that an observer can read all of them.
  bool keep_tensors = false;

  static constexpr size_t kMaxThreads = 256;
};

/// A network ready to run: operators created, shapes checked, memory planned. Immutable.
struct Program {
  const Network* network = nullptr;
  std::vector<std::unique_ptr<Operator>> operators;
  std::vector<Cost> costs;  ///< By operator.
  /// By operator: its shapes are those of a run, and the model's are their bounds.
  std::vector<bool> run_time_shapes;
  Plan plan;
  size_t threads = 1;
  size_t scratch_per_thread = 0;  ///< Multiple of kAlignment.
  uint64_t packed_bytes = 0;

  uint64_t scratch_bytes() const { return uint64_t{threads} * scratch_per_thread; }
};

/// Builds the program of `network`, which must outlive it.
Status make_program(const Network& network, const SessionOptions& options, Program* program);

}  // namespace bitpose
