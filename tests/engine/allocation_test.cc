// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "engine/ops/operator.h"
#include "engine/runtime/session.h"
#include "tests/support/check.h"
#include "tests/support/random_network.h"

// A run allocates nothing after the first one: all of C++'s allocation functions are counted here.

namespace {

std::atomic<size_t> allocations{0};

void* counted(size_t size, size_t alignment) {
  ++allocations;
  const size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new[](size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<size_t>(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<size_t>(alignment));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return counted(size, alignof(std::max_align_t));
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return counted(size, alignof(std::max_align_t));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace bitpose::test {
namespace {

std::vector<std::vector<std::byte>> buffers(std::span<const TensorDesc> tensors) {
  std::vector<std::vector<std::byte>> list;
  for (const TensorDesc& tensor : tensors) list.emplace_back(tensor.bytes());
  return list;
}

// Returns the number of operators that ran.
size_t second_run_allocates_nothing(uint64_t seed, size_t threads) {
  std::unique_ptr<Session> session;
  CHECK_OK(Session::create(random_network(seed, 40).load(), {.threads = threads}, &session));
  std::vector<std::vector<std::byte>> inputs = buffers(session->inputs());
  std::vector<std::vector<std::byte>> outputs = buffers(session->outputs());
  const std::vector<std::span<const std::byte>> from(inputs.begin(), inputs.end());
  const std::vector<std::span<std::byte>> to(outputs.begin(), outputs.end());
  if (!session->run(from, to).ok()) return 0;  // Shapes that do not fit, known only in a run.
  const size_t before = allocations;
  const Status status = session->run(from, to);
  const size_t made = allocations - before;
  CHECK_OK(status);
  CHECK(made == 0, std::to_string(made) + " allocations, seed " + std::to_string(seed));
  return session->operators();
}

}  // namespace
}  // namespace bitpose::test

int main() {
  using namespace bitpose::test;
  size_t operators = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    operators += second_run_allocates_nothing(seed, seed % 3 + 1);
  }
  std::printf("%zu operators ran without an allocation\n", operators);
  CHECK(operators > 200);
}
