// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/thread_pool.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "engine/runtime/parallel.h"
#include "tests/support/check.h"

namespace bitpose::test {
namespace {

void every_task_runs_once(size_t threads) {
  ThreadPool pool(threads);
  CHECK(pool.threads() == threads);
  for (const size_t count : {0, 1, 2, 3, 7, 64, 1000}) {
    std::vector<int> runs(count);
    std::vector<size_t> thread_of(count);
    pool.parallel_for(count, [&](size_t index, size_t thread) {
      ++runs[index];
      thread_of[index] = thread;
    });
    for (size_t i = 0; i < count; ++i) CHECK(runs[i] == 1 && thread_of[i] < threads);
  }
}

// Workers that have gone to sleep wake up for the next job.
void jobs_may_be_far_apart() {
  ThreadPool pool(3);
  for (int job = 0; job < 5; ++job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<size_t> sum{0};
    pool.parallel_for(100, [&](size_t index, size_t) { sum += index; });
    CHECK(sum == 4950);
  }
}

void many_short_jobs() {
  ThreadPool pool(4);
  size_t sum = 0;
  for (size_t job = 0; job < 20000; ++job) {
    size_t parts[3] = {};
    pool.parallel_for(3, [&](size_t index, size_t) { parts[index] = index + job; });
    sum += parts[0] + parts[1] + parts[2];
  }
  CHECK(sum == 3 * (size_t{20000} * 19999 / 2) + 3 * 20000);
}

void calls_from_several_threads_take_turns() {
  ThreadPool pool(2);
  std::atomic<int> inside{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&] {
      for (int job = 0; job < 500; ++job) {
        pool.parallel_for(8, [&](size_t, size_t) {
          CHECK(++inside <= 2);
          --inside;
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

void ranges_cover_everything() {
  for (const size_t threads : {1, 3}) {
    ThreadPool pool(threads);
    for (const size_t count : {0, 1, 15, 16, 17, 100, 4096, 12345}) {
      std::vector<int> runs(count);
      parallel_ranges(&pool, count, 16, [&](size_t begin, size_t end, size_t) {
        CHECK(begin % 16 == 0 && begin < end && end <= count);
        for (size_t i = begin; i < end; ++i) ++runs[i];
      });
      for (const int run : runs) CHECK(run == 1);
    }
  }
}

}  // namespace
}  // namespace bitpose::test

int main() {
  using namespace bitpose::test;
  for (const size_t threads : {1, 2, 4, 9}) every_task_runs_once(threads);
  jobs_may_be_far_apart();
  many_short_jobs();
  calls_from_several_threads_take_turns();
  ranges_cover_everything();
}
