// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/session.h"

#include <string>
#include <utility>

namespace bitpose {
namespace {

template <typename Byte>
Status check_buffers(const char* what, std::span<const TensorDesc> tensors,
                     std::span<const std::span<Byte>> buffers) {
  if (buffers.size() != tensors.size()) {
    return invalid_argument("got " + std::to_string(buffers.size()) + " " + what +
                            "s, the network has " + std::to_string(tensors.size()));
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    const bool there = buffers[i].data() != nullptr || tensors[i].bytes() == 0;
    if (buffers[i].size() == tensors[i].bytes() && there) continue;
    return invalid_argument(std::string(what) + " '" + std::string(tensors[i].name) + "' has " +
                            std::to_string(buffers[i].size()) + " bytes, " +
                            dtype_name(tensors[i].dtype) + " " + tensors[i].shape.text() +
                            " needs " + std::to_string(tensors[i].bytes()));
  }
  return {};
}

std::vector<TensorDesc> pick(const std::vector<TensorDesc>& tensors,
                             std::span<const uint32_t> indices) {
  std::vector<TensorDesc> picked;
  for (const uint32_t index : indices) picked.push_back(tensors[index]);
  return picked;
}

}  // namespace

Status Session::create(std::shared_ptr<const Model> model, const SessionOptions& options,
                       std::unique_ptr<Session>* session) {
  const Network* network = nullptr;
  Status status = model->find_network(options.network, &network);
  if (!status.ok()) return status;
  std::unique_ptr<Session> made(new Session(std::move(model)));
  status = make_program(*network, options, &made->program_);
  if (!status.ok()) {
    return {status.code(), "network '" + std::string(network->name) + "': " + status.message()};
  }
  made->inputs_ = pick(network->tensors, network->inputs);
  made->outputs_ = pick(network->tensors, network->outputs);
  made->give_back(made->take_context());
  made->model_->release_pages();
  *session = std::move(made);
  return {};
}

Status Session::run(std::span<const std::span<const std::byte>> inputs,
                    std::span<const std::span<std::byte>> outputs, std::span<Shape> shapes,
                    RunObserver* observer) {
  Status status = check_buffers("input", this->inputs(), inputs);
  if (status.ok()) status = check_buffers("output", this->outputs(), outputs);
  if (!status.ok()) return status;
  Context* context = take_context();
  status = context->run(inputs, outputs, shapes, observer);
  give_back(context);
  return status;
}

OperatorInfo Session::operator_info(size_t index) const {
  const OperatorNode& node = program_.network->operators[index];
  return {.name = node.name,
          .type = node.type->name,
          .kernel = program_.operators[index]->kernel_name(),
          .cost = program_.costs[index]};
}

MemoryUse Session::memory() const {
  return {.arena = program_.plan.arena_bytes,
          .lower_bound = program_.plan.lower_bound,
          .scratch = program_.scratch_bytes(),
          .packed = program_.packed_bytes};
}

Context* Session::take_context() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Context* context = idle_.back();
      idle_.pop_back();
      return context;
    }
  }
  auto made = std::make_unique<Context>(program_);
  Context* context = made.get();
  const std::lock_guard lock(mutex_);
  idle_.reserve(contexts_.size() + 1);
  contexts_.push_back(std::move(made));
  return context;
}

void Session::give_back(Context* context) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(context);
}

}  // namespace bitpose
