// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "kernels/base/benchmark.h"
#include "kernels/base/isa.h"

// bitpose-bench [--filter TEXT] [--samples N] [--milliseconds N] [--json]
// Times every kernel that this CPU can run and whose name contains TEXT, on shapes of real
// networks: GMAC/s, or GB/s where moving bytes is the work, and how many times as fast as the
// portable kernel of the family. --milliseconds is the length of a sample. --json prints one object
// per line.

namespace bitpose {
namespace {

struct Options {
  BenchmarkOptions benchmark;
  bool json = false;
};

/// 10^9 multiply-accumulates or bytes in a second.
double rate(const KernelTime& time) {
  const uint64_t work = time.macs != 0 ? time.macs : time.bytes;
  return static_cast<double>(work) / time.median * 1e-9;
}

void print_row(const KernelTime& time) {
  const double noise = 100 * (time.p90 - time.p10) / time.median;
  std::printf("%-32s %-28s %10.2f us  %8.2f %s %7.2fx %6.1f%%\n", time.kernel, time.shape.c_str(),
              1e6 * time.median, rate(time), time.macs != 0 ? "GMAC/s" : "GB/s  ",
              time.portable / time.median, noise);
  std::fflush(stdout);
}

void print_json(const KernelTime& time) {
  std::printf(
      "{\"family\": \"%s\", \"kernel\": \"%s\", \"isa\": \"%s\", \"shape\": \"%s\", "
      "\"macs\": %llu, \"bytes\": %llu, \"median_seconds\": %.4g, \"p10_seconds\": %.4g, "
      "\"p90_seconds\": %.4g, \"portable_seconds\": %.4g}\n",
      time.family, time.kernel, time.isa, time.shape.c_str(),
      static_cast<unsigned long long>(time.macs), static_cast<unsigned long long>(time.bytes),
      time.median, time.p10, time.p90, time.portable);
  std::fflush(stdout);
}

int run(Options options) {
  options.benchmark.available = isa::enabled();
  size_t timed = 0;
  if (!options.json) {
    std::printf("%-32s %-28s %13s  %15s %8s %7s\n", "kernel", "shape", "median", "rate", "portable",
                "p90-p10");
  }
  time_kernels(options.benchmark, [&](const KernelTime& time) {
    ++timed;
    options.json ? print_json(time) : print_row(time);
  });
  if (timed == 0) std::fprintf(stderr, "no kernel has such a name\n");
  return timed == 0 ? 1 : 0;
}

bool parse(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) {
      options->json = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const char* name = argv[i];
    const char* value = argv[++i];
    if (std::strcmp(name, "--filter") == 0) {
      options->benchmark.filter = value;
    } else if (std::strcmp(name, "--samples") == 0) {
      options->benchmark.samples = std::strtoull(value, nullptr, 10);
    } else if (std::strcmp(name, "--milliseconds") == 0) {
      options->benchmark.sample_seconds = 1e-3 * std::strtod(value, nullptr);
    } else {
      return false;
    }
  }
  return options->benchmark.samples > 0 && options->benchmark.sample_seconds >= 0;
}

}  // namespace
}  // namespace bitpose

int main(int argc, char** argv) {
  bitpose::Options options;
  if (!bitpose::parse(argc, argv, &options)) {
    std::fprintf(
        stderr, "usage: bitpose-bench [--filter TEXT] [--samples N] [--milliseconds N] [--json]\n");
    return 2;
  }
  return bitpose::run(options);
}
