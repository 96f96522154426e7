// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

namespace bitpose {

/// A fixed set of threads that split the tasks of one operator at a time. Tasks write disjoint
/// outputs, so their number and order never change a result.
class ThreadPool {
 public:
  /// `task(context, index, thread)`; thread is in [0, threads()).
  using Task = void(void* context, size_t index, size_t thread);

  /// Starts threads - 1 workers; the caller of `parallel_for` is the last one.
  explicit ThreadPool(size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  size_t threads() const;

  /// Calls task for every index in [0, count) and returns when all are done. Never allocates. Calls
  /// from different threads wait for each other.
  void parallel_for(size_t count, Task* task, void* context);

  /// The same for a callable `void(size_t index, size_t thread)`.
  template <typename F>
  void parallel_for(size_t count, const F& function) {
    parallel_for(
        count,
        [](void* context, size_t index, size_t thread) {
          (*static_cast<const F*>(context))(index, thread);
        },
        const_cast<F*>(&function));
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitpose
