// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/program.h"

#include <algorithm>
#include <limits>
#include <string>
#include <thread>

#include "engine/model/float16.h"
#include "kernels/base/overread.h"

namespace bitpose {
namespace {

uint64_t saturating_add(uint64_t a, uint64_t b) {
  const uint64_t most = std::numeric_limits<uint64_t>::max();
  return a > most - b ? most : a + b;
}

Status check_limit(const char* what, uint64_t value, const char* limit_name, uint64_t limit) {
  if (value <= limit) return {};
  return unsupported(std::string(what) + " " + std::to_string(value) + ", the session's " +
                     limit_name + " is " + std::to_string(limit));
}

// Builds the operators one by one and sums up what they need.
class Builder {
 public:
  Builder(const Network& network, const SessionOptions& options, Program* program)
      : network_(network), options_(options), program_(*program) {}

  Status build();

 private:
  Status check_constants() const;
  Status add_operator(const OperatorNode& node);
  Status check_shapes(const OperatorNode& node, const Operator& op);
  void find_run_time_shapes();
  Status plan_memory();

  const Network& network_;
  const SessionOptions& options_;
  Program& program_;
  isa::Set isas_ = 0;
  uint64_t work_ = 0;
  std::vector<TensorDesc> inputs_, outputs_;  // Operands of the current operator.
};

Status Builder::build() {
  if (options_.threads > SessionOptions::kMaxThreads) {
    return invalid_argument("threads is " + std::to_string(options_.threads) +
                            ", expected at most " + std::to_string(SessionOptions::kMaxThreads));
  }
  program_.network = &network_;
  const size_t cpus =
      std::clamp<size_t>(std::thread::hardware_concurrency(), 1, SessionOptions::kMaxThreads);
  program_.threads = options_.threads == 0 ? cpus : options_.threads;
  isas_ = options_.isas == 0 ? isa::enabled() : options_.isas;
  Status status = check_constants();
  if (!status.ok()) return status;
  for (const OperatorNode& node : network_.operators) {
    status = add_operator(node);
    if (!status.ok()) return {status.code(), node.text() + ": " + status.message()};
  }
  find_run_time_shapes();
  return plan_memory();
}

Status Builder::check_constants() const {
  uint64_t bytes = 0;
  for (const OperatorNode& node : network_.operators) {
    for (const uint32_t input : node.inputs) {
      const TensorDesc& tensor = network_.tensors[input];
      if (tensor.constant == nullptr) continue;
      const uint64_t widening = tensor.dtype == DType::kF16 ? 2 : 1;
      bytes = saturating_add(bytes, widening * tensor.bytes());
    }
  }
  return check_limit("the operators read constants of bytes", bytes, "max_constant_bytes",
                     options_.max_constant_bytes);
}

Status Builder::add_operator(const OperatorNode& node) {
  inputs_.clear();
  outputs_.clear();
  for (const uint32_t index : node.inputs) inputs_.push_back(network_.tensors[index]);
  for (const uint32_t index : node.outputs) outputs_.push_back(network_.tensors[index]);
  std::vector<float> weights;  // Until they are packed.
  if (node.type->widens_weights && inputs_[1].dtype == DType::kF16) {
    weights = widened(inputs_[1]);
    inputs_[1].dtype = DType::kF32;
    inputs_[1].constant = weights.data();
  }
  std::unique_ptr<Operator> op;
  Status status = node.type->create(
      {.attributes = node.attributes, .inputs = inputs_, .outputs = outputs_, .isas = isas_}, &op);
  if (!status.ok()) return status;
  status = check_shapes(node, *op);
  if (!status.ok()) return status;
  const size_t scratch = op->scratch_per_thread(inputs_, outputs_);
  if (scratch > options_.max_arena_bytes) {
    return check_limit("needs scratch bytes", scratch, "max_arena_bytes", options_.max_arena_bytes);
  }
  program_.scratch_per_thread =
      std::max(program_.scratch_per_thread, (scratch + kAlignment - 1) / kAlignment * kAlignment);
  const Cost cost = op->cost(inputs_, outputs_);
  work_ = saturating_add(work_, saturating_add(cost.macs, cost.bytes));
  program_.costs.push_back(cost);
  program_.packed_bytes += op->packed_bytes();
  program_.operators.push_back(std::move(op));
  return check_limit("the work up to here is", work_, "max_work", options_.max_work);
}

// The model's shapes must be those that the operators derive: all memory is planned by them.
Status Builder::check_shapes(const OperatorNode& node, const Operator& op) {
  Status status = op.reshape(inputs_, outputs_);
  if (status.ok()) status = check_empty_inputs(op, inputs_, outputs_);
  if (!status.ok()) return status;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const TensorDesc& stored = network_.tensors[node.outputs[i]];
    if (stored.shape == outputs_[i].shape) continue;
    return invalid_model("output '" + std::string(stored.name) + "' has shape " +
                         stored.shape.text() + " in the model, its inputs give " +
                         outputs_[i].shape.text());
  }
  return {};
}

void Builder::find_run_time_shapes() {
  std::vector<bool> open(network_.tensors.size());  // Its shape is that of a run.
  for (size_t i = 0; i < network_.operators.size(); ++i) {
    const OperatorNode& node = network_.operators[i];
    const bool follows = program_.operators[i]->shapes_follow_values();
    const bool found = std::any_of(node.inputs.begin(), node.inputs.end(), [&](uint32_t input) {
      return open[input] || (follows && network_.tensors[input].constant == nullptr);
    });
    program_.run_time_shapes.push_back(found);
    for (const uint32_t output : node.outputs) open[output] = found;
  }
}

Status Builder::plan_memory() {
  std::vector<uint64_t> bytes;
  bytes.reserve(network_.tensors.size());
  for (const TensorDesc& tensor : network_.tensors) {
    bytes.push_back(tensor.constant != nullptr ? 0 : tensor.bytes());
  }
  std::vector<PlanOperator> operators;
  operators.reserve(network_.operators.size());
  for (size_t i = 0; i < network_.operators.size(); ++i) {
    // In a run, an input may turn out smaller than the output and be repeated: nothing in place.
    const Operator& op = *program_.operators[i];
    operators.push_back({network_.operators[i].inputs, network_.operators[i].outputs,
                         program_.run_time_shapes[i] ? -1 : op.in_place_input(), op.is_view()});
  }
  program_.plan = make_plan({.bytes = bytes,
                             .inputs = network_.inputs,
                             .outputs = network_.outputs,
                             .operators = operators,
                             .keep_tensors = options_.keep_tensors});
  return check_limit("a run needs bytes of memory",
                     saturating_add(program_.plan.arena_bytes, program_.scratch_bytes()),
                     "max_arena_bytes", options_.max_arena_bytes);
}

}  // namespace

Status make_program(const Network& network, const SessionOptions& options, Program* program) {
  return Builder(network, options, program).build();
}

}  // namespace bitpose
