// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/session.h"

namespace bitpose {

/// Measures operators during the runs that it observes, one run at a time.
class Profiler final : public RunObserver {
 public:
  explicit Profiler(const Session& session);

  void before(size_t op, std::span<const TensorRef> inputs) override;
  void after(size_t op, std::span<const TensorRef> outputs) override;

  /// A table of the operators, slowest first: the median of its times and its share of their sum,
  /// MACs and bytes per second, kind, kernel and name; then the sums.
  std::string table() const;

  /// The operators of all runs on a time line, in Chrome's trace event format (JSON), for
  /// chrome://tracing or ui.perfetto.dev.
  std::string trace_json() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Event {
    size_t op;
    int64_t start_ns;  // Since the first operator of the first run.
    int64_t duration_ns;
  };

  std::vector<int64_t> median_ns() const;
  size_t runs() const;

  const Session& session_;
  Clock::time_point origin_{};
  Clock::time_point started_{};
  std::vector<Event> events_;
};

}  // namespace bitpose
