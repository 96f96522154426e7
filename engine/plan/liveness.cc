// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/liveness.h"

#include <algorithm>

namespace bitpose {
namespace {

// The last step that reads each tensor, or the one that writes it when nobody does.
std::vector<uint32_t> last_steps(const PlanRequest& request) {
  std::vector<uint32_t> last(request.bytes.size(), 0);
  const auto steps = static_cast<uint32_t>(request.operators.size()) + 2;
  for (uint32_t i = 0; i < request.operators.size(); ++i) {
    for (const uint32_t tensor : request.operators[i].outputs) last[tensor] = i + 1;
    for (const uint32_t tensor : request.operators[i].inputs) last[tensor] = i + 1;
  }
  for (const uint32_t tensor : request.outputs) last[tensor] = steps - 1;
  if (request.keep_tensors) std::fill(last.begin(), last.end(), steps - 1);
  return last;
}

class Analysis {
 public:
  explicit Analysis(const PlanRequest& request) : request_(request), last_(last_steps(request)) {
    liveness_.buffer_of.assign(request.bytes.size(), Liveness::kNoBuffer);
  }

  Liveness run() {
    for (const uint32_t tensor : request_.inputs) add_buffer(tensor, 0);
    for (uint32_t i = 0; i < request_.operators.size(); ++i) add_outputs(i);
    return std::move(liveness_);
  }

 private:
  void add_outputs(uint32_t index) {
    const std::span<const uint32_t> outputs = request_.operators[index].outputs;
    for (size_t i = 0; i < outputs.size(); ++i) {
      const uint32_t shared = i == 0 ? shared_buffer(index) : Liveness::kNoBuffer;
      if (shared == Liveness::kNoBuffer) {
        add_buffer(outputs[i], index + 1);
      } else {
        join_buffer(outputs[i], shared);
      }
    }
  }

  void add_buffer(uint32_t tensor, uint32_t step) {
    liveness_.buffer_of[tensor] = static_cast<uint32_t>(liveness_.buffers.size());
    liveness_.buffers.push_back({request_.bytes[tensor], step, std::max(step, last_[tensor])});
  }

  void join_buffer(uint32_t tensor, uint32_t buffer) {
    liveness_.buffer_of[tensor] = buffer;
    Buffer& shared = liveness_.buffers[buffer];
    shared.last = std::max(shared.last, last_[tensor]);
  }

  // The buffer that the first output of an operator takes over.
  uint32_t shared_buffer(uint32_t index) const {
    const PlanOperator& op = request_.operators[index];
    const int position = op.is_view ? 0 : request_.keep_tensors ? -1 : op.in_place_input;
    if (position < 0 || static_cast<size_t>(position) >= op.inputs.size()) {
      return Liveness::kNoBuffer;
    }
    const uint32_t input = op.inputs[static_cast<size_t>(position)];
    const uint32_t buffer = liveness_.buffer_of[input];
    const bool same_size = request_.bytes[input] == request_.bytes[op.outputs[0]];
    if (buffer == Liveness::kNoBuffer || !same_size) return Liveness::kNoBuffer;
    if (op.is_view) return buffer;
    const bool dies_here = liveness_.buffers[buffer].last <= index + 1;
    const auto readers = std::count_if(op.inputs.begin(), op.inputs.end(), [&](uint32_t tensor) {
      return liveness_.buffer_of[tensor] == buffer;
    });
    return dies_here && readers == 1 ? buffer : Liveness::kNoBuffer;
  }

  const PlanRequest& request_;
  std::vector<uint32_t> last_;
  Liveness liveness_;
};

}  // namespace

Liveness analyse_liveness(const PlanRequest& request) { return Analysis(request).run(); }

uint64_t live_bytes_bound(std::span<const Buffer> buffers) {
  uint32_t last = 0;
  for (const Buffer& buffer : buffers) last = std::max(last, buffer.last);
  std::vector<uint64_t> starting(size_t{last} + 2);
  std::vector<uint64_t> ending(size_t{last} + 2);
  for (const Buffer& buffer : buffers) {
    starting[buffer.first] += buffer.bytes;
    ending[buffer.last + 1] += buffer.bytes;
  }
  uint64_t live = 0;
  uint64_t most = 0;
  for (size_t step = 0; step < starting.size(); ++step) {
    live = live - ending[step] + starting[step];
    most = std::max(most, live);
  }
  return most;
}

}  // namespace bitpose
