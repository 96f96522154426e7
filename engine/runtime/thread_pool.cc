// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "engine/runtime/fp_environment.h"

namespace bitpose {
namespace {

// Operators follow each other within microseconds, so a thread looks again for some tens of
// microseconds before it goes to sleep.
constexpr int kSpins = 1000;

void relax() {
#if defined(__x86_64__)
  asm volatile("pause");
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <typename Condition>
bool spin_until(int spins, const Condition& condition) {
  for (int i = 0; i < spins; ++i) {
    if (condition()) return true;
    relax();
  }
  return condition();
}

}  // namespace

// A job is `count` tasks. `unclaimed` counts those that no thread has taken, `finished` those that
// are done. Whoever lowers `unclaimed` from r to r - 1 has taken task count - r; as the job cannot
// end before that task does, its other members are stable from the claim on. A worker that comes
// late finds nothing to claim, so the caller never waits for a thread to wake up.
struct ThreadPool::State {
  std::mutex call;  // Held for one parallel_for.

  Task* task = nullptr;
  void* context = nullptr;
  size_t count = 0;
  std::atomic<size_t> unclaimed{0};
  std::atomic<size_t> finished{0};

  std::mutex sleep;  // Guards the two conditions, `sleepers` and `stop`.
  std::condition_variable work_ready;
  std::condition_variable work_done;
  size_t sleepers = 0;
  std::atomic<bool> stop{false};

  int spins = 0;
  std::vector<std::thread> workers;

  void publish(size_t tasks, Task* new_task, void* new_context);
  size_t claim_and_run(size_t thread);
  void wait_until_done();
  void work(size_t thread);
};

void ThreadPool::State::publish(size_t tasks, Task* new_task, void* new_context) {
  task = new_task;
  context = new_context;
  count = tasks;
  finished.store(0, std::memory_order_relaxed);
  size_t asleep = 0;
  {
    const std::lock_guard lock(sleep);
    unclaimed.store(tasks, std::memory_order_release);
    asleep = sleepers;
  }
  if (asleep > 0) work_ready.notify_all();
}

// Runs tasks until none is unclaimed; returns the number of tasks of the job once this thread has
// finished the last one, else 0.
size_t ThreadPool::State::claim_and_run(size_t thread) {
  size_t done = 0;
  size_t tasks = 0;
  size_t left = unclaimed.load(std::memory_order_relaxed);
  while (left > 0) {
    if (!unclaimed.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel,
                                         std::memory_order_relaxed)) {
      continue;
    }
    tasks = count;
    task(context, tasks - left, thread);
    ++done;
    left = unclaimed.load(std::memory_order_relaxed);
  }
  if (done == 0) return 0;
  // Not `fetch_add(done) + done == tasks`: gcc 12 makes twice the old value of it at -O1.
  return finished.fetch_add(done, std::memory_order_acq_rel) == tasks - done ? tasks : 0;
}

void ThreadPool::State::wait_until_done() {
  const auto done = [this] { return finished.load(std::memory_order_acquire) == count; };
  if (spin_until(spins, done)) return;
  std::unique_lock lock(sleep);
  work_done.wait(lock, done);
}

void ThreadPool::State::work(size_t thread) {
  const FpEnvironment environment;
  const auto wanted = [this] {
    return unclaimed.load(std::memory_order_relaxed) > 0 || stop.load(std::memory_order_relaxed);
  };
  while (true) {
    if (!spin_until(spins, wanted)) {
      std::unique_lock lock(sleep);
      ++sleepers;
      work_ready.wait(lock, wanted);
      --sleepers;
    }
    if (stop.load(std::memory_order_relaxed)) return;
    if (claim_and_run(thread) > 0) {
      // The empty critical section keeps the notification from falling between the caller's look
      // and its sleep.
      {
        const std::lock_guard lock(sleep);
      }
      work_done.notify_one();
    }
  }
}

ThreadPool::ThreadPool(size_t threads) : state_(std::make_unique<State>()) {
  State* state = state_.get();
  if (threads <= std::max(1u, std::thread::hardware_concurrency())) state->spins = kSpins;
  state->workers.reserve(threads);
  try {
    for (size_t thread = 1; thread < threads; ++thread) {
      state->workers.emplace_back([state, thread] { state->work(thread); });
    }
  } catch (const std::system_error&) {
    // The system has no thread left: results do not depend on their number, so go on with fewer.
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(state_->sleep);
    state_->stop.store(true, std::memory_order_relaxed);
  }
  state_->work_ready.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

size_t ThreadPool::threads() const { return state_->workers.size() + 1; }

void ThreadPool::parallel_for(size_t count, Task* task, void* context) {
  if (count == 0) return;
  const std::lock_guard lock(state_->call);
  if (count == 1 || state_->workers.empty()) {
    for (size_t index = 0; index < count; ++index) task(context, index, 0);
    return;
  }
  state_->publish(count, task, context);
  if (state_->claim_and_run(0) == 0) state_->wait_until_done();
}

}  // namespace bitpose
