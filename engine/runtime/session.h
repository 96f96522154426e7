// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "engine/model/model.h"
#include "engine/model/status.h"
#include "engine/runtime/context.h"
#include "engine/runtime/program.h"

namespace bitpose {

/// Bytes that a session takes.
struct MemoryUse {
  uint64_t arena = 0;        ///< Of one context: activations.
  uint64_t lower_bound = 0;  ///< The least that any plan of the arena could need.
  uint64_t scratch = 0;      ///< Of one context: workspace of all threads.
  uint64_t packed = 0;       ///< Packed weights and tables, once.
};

struct OperatorInfo {
  std::string_view name;
  const char* type = "";
  const char* kernel = "";
  Cost cost;
};

/// A network of a model, ready to run. `run` may be called from several threads at once: each call
/// takes a context of its own (with its own threads), of which the session makes as many as run at
/// the same time.
class Session {
 public:
  static Status create(std::shared_ptr<const Model> model, const SessionOptions& options,
                       std::unique_ptr<Session>* session);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  std::span<const TensorDesc> inputs() const { return inputs_; }
  std::span<const TensorDesc> outputs() const { return outputs_; }

  /// Runs the network on one buffer for each input and each output, in their order, of exactly the
  /// tensor's bytes. NaNs in outputs are 0x7fc00000. Allocates nothing unless it has to make a
  /// context, which the first of several simultaneous calls does not.
  ///
  /// Where extents are known only in a run, outputs() are the largest that can come out, and an
  /// output takes up the start of its buffer; `shapes`, empty or one for each output, is set to
  /// what came out.
  Status run(std::span<const std::span<const std::byte>> inputs,
             std::span<const std::span<std::byte>> outputs, std::span<Shape> shapes = {},
             RunObserver* observer = nullptr);

  size_t threads() const { return program_.threads; }
  size_t operators() const { return program_.operators.size(); }
  OperatorInfo operator_info(size_t index) const;
  /// All tensors of the network: constants, and what observers see.
  std::span<const TensorDesc> tensors() const { return program_.network->tensors; }
  const OperatorNode& operator_node(size_t index) const {
    return program_.network->operators[index];
  }
  MemoryUse memory() const;
  const Plan& plan() const { return program_.plan; }

 private:
  explicit Session(std::shared_ptr<const Model> model) : model_(std::move(model)) {}

  Context* take_context();
  void give_back(Context* context);

  std::shared_ptr<const Model> model_;
  Program program_;
  std::vector<TensorDesc> inputs_, outputs_;

  std::mutex mutex_;  // Guards the two lists.
  std::vector<std::unique_ptr<Context>> contexts_;
  std::vector<Context*> idle_;  // Has room for all contexts.
};

}  // namespace bitpose
