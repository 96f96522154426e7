// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/context.h"

#include <cstring>

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
  std::memcpy(target.data(), tensor.data, target.size());
}

}  // namespace

Context::Context(const Program& program)
    : program_(program),
      arena_(program.plan.arena_bytes),
      scratch_(program.scratch_bytes()),
      pool_(program.threads) {
  const Network& network = *program.network;
  for (size_t i = 0; i < network.tensors.size(); ++i) {
    const TensorDesc& desc = network.tensors[i];
    const uint64_t offset = program.plan.offsets[i];
    void* data = offset == Plan::kNoOffset ? const_cast<void*>(desc.constant)
                                           : static_cast<void*>(arena_.data() + offset);
    tensors_.push_back({data, &desc});
  }
  size_t operands = 0;
  for (const OperatorNode& node : network.operators) {
    operands += node.inputs.size() + node.outputs.size();
  }
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

void Context::run(std::span<const std::span<const std::byte>> inputs,
                  std::span<const std::span<std::byte>> outputs, RunObserver* observer) {
  const Network& network = *program_.network;
  const FpEnvironment environment;
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::memcpy(tensors_[network.inputs[i]].data, inputs[i].data(), inputs[i].size());
  }
  run_operators(observer);
  for (size_t i = 0; i < outputs.size(); ++i) {
    copy_out(tensors_[network.outputs[i]], outputs[i]);
  }
}

void Context::run_operators(RunObserver* observer) {
  for (size_t i = 0; i < args_.size(); ++i) {
    if (observer != nullptr) observer->before(i, args_[i].inputs);
    program_.operators[i]->run(args_[i]);
    if (observer != nullptr) observer->after(i, args_[i].outputs);
  }
}

}  // namespace bitpose
