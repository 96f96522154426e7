// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/benchmark.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "kernels/base/family.h"

namespace bitpose {
namespace {

using Clock = std::chrono::steady_clock;

struct Candidate {
  KernelInfo info;
  Workload workload;
  size_t repetitions = 1;
  std::vector<double> samples;  ///< Seconds of a run.
};

double sample(const Candidate& candidate) {
  const auto start = Clock::now();
  for (size_t i = 0; i < candidate.repetitions; ++i) candidate.workload.run();
  const std::chrono::duration<double> time = Clock::now() - start;
  return time.count() / static_cast<double>(candidate.repetitions);
}

/// Warms up and finds how many runs make a sample.
void calibrate(Candidate& candidate, double sample_seconds) {
  candidate.workload.run();
  for (;;) {
    const double run = sample(candidate);
    const double lasted = run * static_cast<double>(candidate.repetitions);
    if (lasted >= sample_seconds / 2) {
      const double wanted = sample_seconds / run;
      candidate.repetitions = wanted > 1 ? static_cast<size_t>(wanted) : 1;
      return;
    }
    candidate.repetitions *= 4;
  }
}

bool matches(const KernelInfo& kernel, const BenchmarkOptions& options) {
  return isa::runs(kernel.isa, options.available) &&
         std::string_view(kernel.name).find(options.filter) != std::string_view::npos;
}

/// The last one of a family that selections can pick: it takes every problem.
bool is_portable(const KernelInfo& kernel) { return kernel.isa == isa::scalar; }

std::vector<Candidate> candidates(const KernelFamily& family, size_t shape,
                                  const BenchmarkOptions& options) {
  std::vector<Candidate> all;
  for (size_t i = 0; i < family.count; ++i) {
    const KernelInfo info = family.kernel(i);
    if (!matches(info, options) && !is_portable(info)) continue;
    Candidate candidate{info, family.workloads.make(i, shape), 1, {}};
    if (candidate.workload.run) all.push_back(std::move(candidate));
  }
  return all;
}

double percentile(std::vector<double> samples, size_t percent) {
  const size_t index = (percent * (samples.size() - 1) + 50) / 100;
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(index),
                   samples.end());
  return samples[index];
}

bool any_wanted(const KernelFamily& family, const BenchmarkOptions& options) {
  for (size_t i = 0; i < family.count; ++i) {
    if (matches(family.kernel(i), options)) return true;
  }
  return false;
}

}  // namespace

void time_kernels(const BenchmarkOptions& options,
                  const std::function<void(const KernelTime&)>& report) {
  for (const KernelFamily& family : kernel_families()) {
    if (!any_wanted(family, options)) continue;
    for (size_t shape = 0; shape < family.workloads.count; ++shape) {
      std::vector<Candidate> all = candidates(family, shape, options);
      for (Candidate& candidate : all) calibrate(candidate, options.sample_seconds);
      for (size_t round = 0; round < options.samples; ++round) {
        for (Candidate& candidate : all) candidate.samples.push_back(sample(candidate));
      }
      double portable = 0;
      for (const Candidate& candidate : all) {
        if (is_portable(candidate.info)) portable = percentile(candidate.samples, 50);
      }
      for (const Candidate& candidate : all) {
        if (!matches(candidate.info, options)) continue;
        report({family.name, candidate.info.name, isa::name(candidate.info.isa),
                candidate.workload.shape, candidate.workload.macs, candidate.workload.bytes,
                percentile(candidate.samples, 50), percentile(candidate.samples, 10),
                percentile(candidate.samples, 90), portable});
      }
    }
  }
}

}  // namespace bitpose
