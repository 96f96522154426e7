// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "engine/plan/plan.h"
#include "kernels/base/overread.h"

namespace bitpose {
namespace {

using Order = std::vector<uint32_t>;

// Beyond this many buffers only the first orders are tried, so that planning stays below a second
// for any file.
constexpr size_t kManyBuffers = 4096;

uint64_t aligned(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

bool live_together(const Buffer& a, const Buffer& b) {
  return a.first <= b.last && b.first <= a.last;
}

// Places one buffer after the other, each in the smallest gap (or else the lowest one) among those
// that are live together with it.
class Placement {
 public:
  Placement(std::span<const Buffer> buffers, bool smallest_gap)
      : offsets(buffers.size()), buffers_(buffers), smallest_gap_(smallest_gap) {}

  void place(uint32_t index) {
    const uint64_t offset = find_gap(buffers_[index]);
    offsets[index] = offset;
    bytes = std::max(bytes, offset + aligned(buffers_[index].bytes));
    const auto behind =
        std::upper_bound(placed_.begin(), placed_.end(), offset,
                         [this](uint64_t value, uint32_t other) { return value < offsets[other]; });
    placed_.insert(behind, index);
  }

  std::vector<uint64_t> offsets;
  uint64_t bytes = 0;

 private:
  uint64_t find_gap(const Buffer& buffer) const {
    const uint64_t needed = aligned(buffer.bytes);
    uint64_t best = Plan::kNoOffset;
    uint64_t best_gap = ~uint64_t{0};
    uint64_t end = 0;
    for (const uint32_t other : placed_) {
      if (!live_together(buffer, buffers_[other])) continue;
      if (offsets[other] >= end + needed && offsets[other] - end < best_gap) {
        best = end;
        best_gap = offsets[other] - end;
        if (!smallest_gap_) return best;
      }
      end = std::max(end, offsets[other] + aligned(buffers_[other].bytes));
    }
    return best == Plan::kNoOffset ? end : best;
  }

  std::span<const Buffer> buffers_;
  bool smallest_gap_;
  Order placed_;  // By offset.
};

template <typename Key>
Order descending(std::span<const Buffer> buffers, const Key& key) {
  Order order(buffers.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return key(buffers[a]) > key(buffers[b]); });
  return order;
}

// Buffers of the step with the most live bytes first, by size, then those of the next step, and so
// on: the step that decides the peak is packed while the arena is empty.
Order by_crowded_steps(std::span<const Buffer> buffers) {
  uint32_t last = 0;
  for (const Buffer& buffer : buffers) last = std::max(last, buffer.last);
  std::vector<int64_t> live(size_t{last} + 2);
  for (const Buffer& buffer : buffers) {
    live[buffer.first] += static_cast<int64_t>(buffer.bytes);
    live[buffer.last + 1] -= static_cast<int64_t>(buffer.bytes);
  }
  std::partial_sum(live.begin(), live.end(), live.begin());
  // The most crowded step of each buffer's life.
  std::vector<std::pair<int64_t, uint64_t>> keys;
  for (const Buffer& buffer : buffers) {
    const auto begin = live.begin() + buffer.first;
    keys.emplace_back(*std::max_element(begin, live.begin() + buffer.last + 1), buffer.bytes);
  }
  Order order(buffers.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return keys[a] > keys[b]; });
  return order;
}

std::vector<Order> orders(std::span<const Buffer> buffers) {
  const auto steps = [](const Buffer& b) { return uint64_t{b.last} - b.first + 1; };
  std::vector<Order> all;
  all.push_back(descending(buffers, [](const Buffer& b) { return b.bytes; }));
  if (buffers.size() > kManyBuffers) return all;
  all.push_back(by_crowded_steps(buffers));
  all.push_back(descending(buffers, [&](const Buffer& b) { return b.bytes * steps(b); }));
  all.push_back(descending(buffers, [&](const Buffer& b) { return std::pair(steps(b), b.bytes); }));
  all.push_back(descending(buffers, [](const Buffer& b) { return std::pair(~b.first, b.bytes); }));
  all.push_back(descending(buffers, [](const Buffer& b) { return std::pair(b.last, b.bytes); }));
  return all;
}

}  // namespace

std::vector<uint64_t> place_buffers(std::span<const Buffer> buffers, uint64_t* bytes) {
  const uint64_t bound = live_bytes_bound(buffers);
  std::vector<uint64_t> best;
  for (const Order& order : orders(buffers)) {
    for (const bool smallest_gap : {true, false}) {
      Placement placement(buffers, smallest_gap);
      for (const uint32_t index : order) placement.place(index);
      if (best.empty() || placement.bytes < *bytes) {
        best = std::move(placement.offsets);
        *bytes = placement.bytes;
      }
      if (*bytes <= aligned(bound)) return best;
    }
  }
  return best;
}

}  // namespace bitpose
