// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/context.h"

#include <algorithm>
#include <cstring>

#include "engine/model/text.h"
#include "engine/runtime/fp_environment.h"

namespace bitpose {
namespace {

// Which NaN an operation gives differs between CPUs; the result of a run does not.
void copy_canonical(const void* source, std::span<std::byte> target) {
  constexpr uint32_t kMagnitude = 0x7fffffffu;
  constexpr uint32_t kInfinity = 0x7f800000u;
  constexpr uint32_t kQuietNan = 0x7fc00000u;
  const auto* bytes = static_cast<const std::byte*>(source);
  for (size_t i = 0; i < target.size(); i += sizeof(uint32_t)) {
    uint32_t word = 0;
    std::memcpy(&word, bytes + i, sizeof(word));
    if ((word & kMagnitude) > kInfinity) word = kQuietNan;
    std::memcpy(target.data() + i, &word, sizeof(word));
  }
}

void copy_out(const TensorRef& tensor, std::span<std::byte> target) {
  if (tensor.desc->dtype == DType::kF32) return copy_canonical(tensor.data, target);
  if (!target.empty()) std::memcpy(target.data(), tensor.data, target.size());
}

bool is_empty(const TensorRef& tensor) { return tensor.shape().elements() == 0; }

}  // namespace

Context::Context(const Program& program)
    : program_(program),
      arena_(program.plan.arena_bytes),
      scratch_(program.scratch_bytes()),
      descs_(program.network->tensors),
      pool_(program.threads) {
  const Network& network = *program.network;
  for (size_t i = 0; i < descs_.size(); ++i) {
    const uint64_t offset = program.plan.offsets[i];
    void* data = offset == Plan::kNoOffset ? const_cast<void*>(descs_[i].constant)
                                           : static_cast<void*>(arena_.data() + offset);
    tensors_.push_back({data, &descs_[i]});
  }
  size_t operands = 0;
  size_t most_inputs = 0;
  size_t most_outputs = 0;
  for (const OperatorNode& node : network.operators) {
    operands += node.inputs.size() + node.outputs.size();
    most_inputs = std::max(most_inputs, node.inputs.size());
    most_outputs = std::max(most_outputs, node.outputs.size());
  }
  inputs_.reserve(most_inputs);
  outputs_.reserve(most_outputs);
  operands_.reserve(operands);
  for (const OperatorNode& node : network.operators) {
    const size_t first = operands_.size();
    for (const uint32_t index : node.inputs) operands_.push_back(tensors_[index]);
    for (const uint32_t index : node.outputs) operands_.push_back(tensors_[index]);
    const std::span<const TensorRef> all(operands_.data() + first, operands_.size() - first);
    args_.push_back({.inputs = all.first(node.inputs.size()),
                     .outputs = all.subspan(node.inputs.size()),
                     .scratch = scratch_.data(),
                     .scratch_stride = program.scratch_per_thread,
                     .pool = &pool_});
  }
}

Status Context::run(std::span<const std::span<const std::byte>> inputs,
                    std::span<const std::span<std::byte>> outputs, std::span<Shape> shapes,
                    RunObserver* observer) {
  const Network& network = *program_.network;
  const FpEnvironment environment;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].empty()) continue;
    std::memcpy(tensors_[network.inputs[i]].data, inputs[i].data(), inputs[i].size());
  }
  Status status = run_operators(observer);
  if (!status.ok()) return status;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const TensorRef& tensor = tensors_[network.outputs[i]];
    copy_out(tensor, outputs[i].first(tensor.desc->bytes()));
    if (!shapes.empty()) shapes[i] = tensor.shape();
  }
  return {};
}

Status Context::run_operators(RunObserver* observer) {
  for (size_t i = 0; i < args_.size(); ++i) {
    if (program_.run_time_shapes[i]) {
      Status status = derive_shapes(i);
      if (!status.ok()) {
        const OperatorNode& node = program_.network->operators[i];
        return {StatusCode::kInvalidArgument, node.text() + ", in this run: " + status.message()};
      }
    }
    if (observer != nullptr) observer->before(i, args_[i].inputs);
    if (!is_empty(args_[i].outputs[0])) program_.operators[i]->run(args_[i]);
    if (observer != nullptr) observer->after(i, args_[i].outputs);
  }
  return {};
}

// The memory of a tensor is planned for the shape that the model states, so no other may be larger.
Status Context::derive_shapes(size_t op) {
  const Operator& made = *program_.operators[op];
  const RunArgs& args = args_[op];
  inputs_.clear();
  outputs_.clear();
  for (const TensorRef& input : args.inputs) {
    inputs_.push_back(*input.desc);
    if (made.shapes_follow_values()) inputs_.back().constant = input.data;
  }
  for (const TensorRef& output : args.outputs) outputs_.push_back(*output.desc);
  Status status = made.reshape(inputs_, outputs_);
  if (status.ok()) status = check_empty_inputs(made, inputs_, outputs_);
  if (!status.ok()) return status;
  const OperatorNode& node = program_.network->operators[op];
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const TensorDesc& planned = program_.network->tensors[node.outputs[i]];
    if (outputs_[i].bytes() > planned.bytes()) {
      return unsupported(
          text("the output has shape ", outputs_[i].shape, ", more than ", planned.shape));
    }
    descs_[node.outputs[i]].shape = outputs_[i].shape;
  }
  if (made.scratch_per_thread(inputs_, outputs_) > program_.scratch_per_thread) {
    return unsupported(text("shape ", outputs_[0].shape, " needs more memory than was planned"));
  }
  return {};
}

}  // namespace bitpose
