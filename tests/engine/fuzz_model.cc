// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/model/crc32.h"
#include "engine/ops/operator.h"
#include "engine/runtime/session.h"
#include "tests/support/check.h"
#include "tests/support/model_mutator.h"
#include "tests/support/model_view.h"
#include "tests/support/random_network.h"

// fuzz_model [--mutants N] [--seed N] [--verbose]
// Loads and runs random networks in which something has been changed. Whatever the file, nothing
// may crash, hang or take much memory; and where it runs, the portable kernels with separate memory
// for each tensor and the best kernels with the planned arena must give the same bits.

namespace bitpose::test {
namespace {

constexpr double kMaxSeconds = 20;
constexpr long kMaxResidentKib = 2 * 1024 * 1024;
constexpr int kLeastPercentRun = 30;

struct Totals {
  size_t mutants = 0, refused = 0, loaded = 0, run = 0, changed = 0;
  std::set<std::string> operators;
};

using Buffers = std::vector<std::vector<std::byte>>;

Buffers make_buffers(std::span<const TensorDesc> tensors) {
  Buffers buffers;
  for (const TensorDesc& tensor : tensors) buffers.emplace_back(tensor.bytes());
  return buffers;
}

// Any bits; every second float buffer has moderate numbers instead.
Buffers random_inputs(Random* random, const Session& session) {
  Buffers buffers = make_buffers(session.inputs());
  for (size_t i = 0; i < buffers.size(); ++i) {
    const bool moderate = session.inputs()[i].dtype == DType::kF32 && random->chance(2);
    for (size_t k = 0; k + 4 <= buffers[i].size(); k += 4) {
      auto word = static_cast<uint32_t>(random->next());
      const float number = random->real(-3, 3);
      if (moderate) std::memcpy(&word, &number, sizeof(word));
      std::memcpy(buffers[i].data() + k, &word, sizeof(word));
    }
  }
  return buffers;
}

// With separate memory for each tensor: no operator may write outside its outputs.
class WriteChecker final : public RunObserver {
 public:
  void after(size_t, std::span<const TensorRef> outputs) override {
    for (const TensorRef& output : outputs) written_.push_back({output, digest(output)});
  }
  ~WriteChecker() override = default;

  /// To be called while the session's context still holds the run's tensors.
  void verify() const {
    for (const Written& written : written_) {
      CHECK(digest(written.tensor) == written.crc,
            "a later operator changed tensor " + std::string(written.tensor.desc->name));
    }
  }

 private:
  struct Written {
    TensorRef tensor;
    uint32_t crc;
  };

  static uint32_t digest(const TensorRef& tensor) {
    return crc32({tensor.as<std::byte>(), tensor.desc->bytes()});
  }

  std::vector<Written> written_;
};

// What comes out, or nothing where shapes that are known only in a run do not fit each other.
Buffers run(Session* session, const Buffers& inputs, RunObserver* observer) {
  Buffers outputs = make_buffers(session->outputs());
  const std::vector<std::span<const std::byte>> from(inputs.begin(), inputs.end());
  const std::vector<std::span<std::byte>> to(outputs.begin(), outputs.end());
  std::vector<Shape> shapes(outputs.size());
  const Status status = session->run(from, to, shapes, observer);
  if (!status.ok()) {
    CHECK(contains(status.message(), "in this run: "), status.message());
    return {};
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i].resize(shapes[i].elements() * dtype_bytes(session->outputs()[i].dtype));
  }
  return outputs;
}

SessionOptions options(Random* random, bool reference) {
  SessionOptions chosen;
  chosen.threads = reference ? 1 : static_cast<size_t>(random->integer(1, 3));
  chosen.isas = reference ? isa::scalar : 0;
  chosen.keep_tensors = reference;
  chosen.max_arena_bytes = reference ? 256u << 20 : 64u << 20;
  chosen.max_constant_bytes = 64u << 20;
  chosen.max_work = 1u << 26;
  return chosen;
}

void try_model(Random* random, std::span<const std::byte> file, Totals* totals) {
  std::shared_ptr<const Model> model;
  Status status = load_copy(file, &model);
  if (!status.ok()) {
    CHECK(!status.message().empty());
    ++totals->refused;
    return;
  }
  ++totals->loaded;
  std::unique_ptr<Session> best;
  status = Session::create(model, options(random, false), &best);
  if (!status.ok()) {
    CHECK(!status.message().empty());
    return;
  }
  ++totals->run;
  for (size_t i = 0; i < best->operators(); ++i) {
    totals->operators.insert(best->operator_info(i).type);
  }
  const Buffers inputs = random_inputs(random, *best);
  const Buffers outputs = run(best.get(), inputs, nullptr);
  std::unique_ptr<Session> reference;
  if (!Session::create(model, options(random, true), &reference).ok()) return;
  WriteChecker checker;
  const Buffers expected = run(reference.get(), inputs, &checker);
  checker.verify();
  CHECK(outputs == expected, "kernels or memory plans disagree");
}

void try_seed(uint64_t seed, Totals* totals) {
  Random random(seed);
  std::vector<std::byte> file =
      random_network(random.next(), static_cast<int>(random.integer(1, 16))).build();
  const std::vector<std::byte> original = file;
  for (int64_t left = random.chance(2) ? 1 : random.integer(2, 3); left > 0; --left) {
    mutate(&random, &file);
    if (!random.chance(5)) repair_shapes(&file);
  }
  ++totals->mutants;
  if (file != original) ++totals->changed;
  try_model(&random, file, totals);
}

long resident_kib() {
  struct rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void fuzz(uint64_t mutants, uint64_t seed, bool verbose) {
  Totals totals;
  for (uint64_t i = 0; i < mutants; ++i) {
    if (verbose) std::fprintf(stderr, "seed %s\n", std::to_string(seed + i).c_str());
    const auto start = std::chrono::steady_clock::now();
    try_seed(seed + i, &totals);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    CHECK(took.count() < kMaxSeconds, "seed " + std::to_string(seed + i) + " took too long");
    CHECK(resident_kib() < kMaxResidentKib, "seed " + std::to_string(seed + i) + ": memory");
  }
  std::printf(
      "%zu mutants (%zu changed): %zu refused by the loader, %zu loaded, %zu run; "
      "%zu kinds of operators, %ld MiB\n",
      totals.mutants, totals.changed, totals.refused, totals.loaded, totals.run,
      totals.operators.size(), resident_kib() / 1024);
  CHECK(100 * totals.run >= kLeastPercentRun * totals.mutants, "too few mutants ran");
  for (const OperatorType* type : operator_types()) {
    CHECK(makes_operators_of(type->name), std::string("no generator of operator ") + type->name);
    const bool reached = totals.operators.contains(type->name);
    CHECK(reached || mutants < 1000, std::string("never ran operator ") + type->name);
  }
}

}  // namespace
}  // namespace bitpose::test

int main(int argc, char** argv) {
  uint64_t mutants = 1000;
  uint64_t seed = 1;
  bool verbose = false;
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (std::strcmp(argv[i], "--verbose") == 0) {
      verbose = true;
    } else if (std::strcmp(argv[i], "--mutants") == 0 && has_value) {
      mutants = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--seed") == 0 && has_value) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      std::fprintf(stderr, "usage: fuzz_model [--mutants N] [--seed N] [--verbose]\n");
      return 2;
    }
  }
  bitpose::test::fuzz(mutants, seed, verbose);
}
