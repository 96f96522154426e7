// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/runtime/program.h"
#include "engine/runtime/thread_pool.h"

namespace bitpose {

/// Watches a run, for hashes, profiles and tests. Called on the thread of the run.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void before(size_t op, std::span<const TensorRef> inputs) { (void)op, (void)inputs; }
  /// The outputs can be read until the next operator runs; with SessionOptions::keep_tensors until
  /// the run ends.
  virtual void after(size_t op, std::span<const TensorRef> outputs) { (void)op, (void)outputs; }
};

/// What one run at a time needs: arena, scratch memory and threads.
class Context {
 public:
  explicit Context(const Program& program);

  /// Runs the network on the graph inputs at `inputs` and writes the graph outputs, each from the
  /// start of its buffer, with their shapes where `shapes` is not empty. Allocates nothing unless
  /// it fails, which only shapes that are known in a run can make it do.
  Status run(std::span<const std::span<const std::byte>> inputs,
             std::span<const std::span<std::byte>> outputs, std::span<Shape> shapes,
             RunObserver* observer);

 private:
  Status run_operators(RunObserver* observer);
  Status derive_shapes(size_t op);

  const Program& program_;
  AlignedBuffer arena_;
  AlignedBuffer scratch_;
  std::vector<TensorDesc> descs_;             // By tensor index, with the shapes of the last run.
  std::vector<TensorRef> tensors_;            // By tensor index.
  std::vector<TensorRef> operands_;           // Of all operators, one after the other.
  std::vector<RunArgs> args_;                 // By operator.
  std::vector<TensorDesc> inputs_, outputs_;  // Room for those of one operator.
  ThreadPool pool_;
};

}  // namespace bitpose
