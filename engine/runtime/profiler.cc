// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/profiler.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <numeric>

namespace bitpose {
namespace {

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(buffer, sizeof(buffer), pattern, arguments);
  va_end(arguments);
  return buffer;
}

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      quoted += format("\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

// The end of a long name, where names of one network differ.
std::string shortened(std::string_view name) {
  constexpr size_t kMost = 48;
  if (name.size() <= kMost) return std::string(name);
  size_t first = name.size() - kMost;
  while (first < name.size() && (static_cast<unsigned char>(name[first]) & 0xc0) == 0x80) ++first;
  return "..." + std::string(name.substr(first));
}

double per_second(uint64_t amount, int64_t ns) {
  return ns > 0 ? static_cast<double>(amount) / static_cast<double>(ns) : 0;
}

}  // namespace

Profiler::Profiler(const Session& session) : session_(session) {}

void Profiler::before(size_t, std::span<const TensorRef>) {
  started_ = Clock::now();
  if (events_.empty()) origin_ = started_;
}

void Profiler::after(size_t op, std::span<const TensorRef>) {
  const auto ns = [](Clock::duration duration) {
    return int64_t{std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count()};
  };
  events_.push_back({op, ns(started_ - origin_), ns(Clock::now() - started_)});
}

std::vector<int64_t> Profiler::median_ns() const {
  std::vector<std::vector<int64_t>> times(session_.operators());
  for (const Event& event : events_) times[event.op].push_back(event.duration_ns);
  std::vector<int64_t> medians(times.size());
  for (size_t op = 0; op < times.size(); ++op) {
    if (times[op].empty()) continue;
    const auto middle = times[op].begin() + static_cast<std::ptrdiff_t>(times[op].size() / 2);
    std::nth_element(times[op].begin(), middle, times[op].end());
    medians[op] = *middle;
  }
  return medians;
}

size_t Profiler::runs() const {
  return std::max<size_t>(1, events_.size() / std::max<size_t>(1, session_.operators()));
}

std::string Profiler::table() const {
  const std::vector<int64_t> times = median_ns();
  const int64_t all = std::max<int64_t>(1, std::accumulate(times.begin(), times.end(), int64_t{0}));
  std::vector<size_t> order(times.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return times[a] > times[b]; });
  uint64_t macs = 0;
  std::string text = "        us      %   GMAC/s     GB/s  operator            kernel and name\n";
  for (const size_t op : order) {
    const OperatorInfo info = session_.operator_info(op);
    macs += info.cost.macs;
    text += format("%10.1f %6.2f %8.2f %8.2f  %-18s  %s  ", static_cast<double>(times[op]) * 1e-3,
                   100.0 * static_cast<double>(times[op]) / static_cast<double>(all),
                   per_second(info.cost.macs, times[op]), per_second(info.cost.bytes, times[op]),
                   info.type, info.kernel);
    text += shortened(info.name) + "\n";
  }
  return text + format("%10.1f 100.00 %8.2f           all %zu operators, %.1f MMAC, %zu runs\n",
                       static_cast<double>(all) * 1e-3, per_second(macs, all), times.size(),
                       static_cast<double>(macs) * 1e-6, runs());
}

std::string Profiler::trace_json() const {
  std::string json = "{\"traceEvents\":[\n";
  for (size_t i = 0; i < events_.size(); ++i) {
    const Event& event = events_[i];
    const OperatorInfo info = session_.operator_info(event.op);
    json += "{\"ph\":\"X\",\"pid\":1,\"tid\":1,\"name\":" + json_string(info.name) +
            ",\"cat\":" + json_string(info.type);
    json += format(",\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"macs\":%llu,\"bytes\":%llu,\"kernel\":",
                   static_cast<double>(event.start_ns) * 1e-3,
                   static_cast<double>(event.duration_ns) * 1e-3,
                   static_cast<unsigned long long>(info.cost.macs),
                   static_cast<unsigned long long>(info.cost.bytes));
    json += json_string(info.kernel) + "}}";
    json += i + 1 < events_.size() ? ",\n" : "\n";
  }
  return json + "]}\n";
}

}  // namespace bitpose
