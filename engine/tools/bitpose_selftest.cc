// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "kernels/base/family.h"
#include "kernels/base/isa.h"

// bitpose-selftest [--problems N] [--seed N] [--family NAME]
// Compares every kernel that this CPU can run with the portable kernel of its family, bit by bit.

namespace bitpose {
namespace {

struct Options {
  uint64_t problems = 200;
  uint64_t seed = 1;
  std::string family;
};

void print_isas(isa::Set available) {
  std::printf("instruction sets:");
  for (isa::Set set = 1; set != 0; set <<= 1) {
    if ((available & set) != 0) std::printf(" %s", isa::name(set));
  }
  std::printf("\n");
}

// Returns whether all problems agree.
bool check_kernel(const KernelFamily& family, size_t index, const Options& options) {
  const KernelInfo kernel = family.kernel(index);
  for (uint64_t i = 0; i < options.problems; ++i) {
    const uint64_t seed = options.seed + i;
    const std::string difference = family.compare(index, seed);
    if (difference.empty()) continue;
    std::printf("FAILED  %s  seed %llu: %s\n", kernel.name, static_cast<unsigned long long>(seed),
                difference.c_str());
    return false;
  }
  std::printf("ok      %s\n", kernel.name);
  return true;
}

int run(const Options& options) {
  const isa::Set available = isa::enabled() | isa::test;
  print_isas(isa::enabled());
  size_t checked = 0;
  size_t skipped = 0;
  size_t failed = 0;
  for (const KernelFamily& family : kernel_families()) {
    if (!options.family.empty() && options.family != family.name) continue;
    for (size_t index = 0; index < family.count; ++index) {
      if (!isa::runs(family.kernel(index).isa, available)) {
        std::printf("skipped %s\n", family.kernel(index).name);
        ++skipped;
        continue;
      }
      ++checked;
      if (!check_kernel(family, index, options)) ++failed;
    }
  }
  std::printf("%zu kernels checked on %llu problems each, %zu failed, %zu skipped\n", checked,
              static_cast<unsigned long long>(options.problems), failed, skipped);
  return failed == 0 && checked > 0 ? 0 : 1;
}

bool parse(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return false;
    const char* value = argv[i + 1];
    if (std::strcmp(argv[i], "--problems") == 0) {
      options->problems = std::strtoull(value, nullptr, 10);
    } else if (std::strcmp(argv[i], "--seed") == 0) {
      options->seed = std::strtoull(value, nullptr, 10);
    } else if (std::strcmp(argv[i], "--family") == 0) {
      options->family = value;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace
}  // namespace bitpose

int main(int argc, char** argv) {
  bitpose::Options options;
  if (!bitpose::parse(argc, argv, &options)) {
    std::fprintf(stderr, "usage: bitpose-selftest [--problems N] [--seed N] [--family NAME]\n");
    return 2;
  }
  return bitpose::run(options);
}
