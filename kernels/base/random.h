// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

/// Replayable random problems for kernel checks: the same seed gives the same problem everywhere.
namespace bitpose {

/// SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  /// Uniform in [low, high].
  int64_t integer(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(next() % static_cast<uint64_t>(high - low + 1));
  }

  /// Uniform in [low, high), a multiple of 2^-24 of the width.
  float real(float low, float high) {
    return low + (high - low) * static_cast<float>(next() >> 40) * 0x1p-24f;
  }

  bool chance(int one_in) { return integer(1, one_in) == 1; }

  /// Codes in [low, high], one in eight of them at an end of the range.
  std::vector<int8_t> codes(size_t count, int low = -128, int high = 127) {
    return codes_of<int8_t>(count, low, high);
  }

  std::vector<int16_t> codes16(size_t count) { return codes_of<int16_t>(count, -32768, 32767); }

 private:
  template <typename T>
  std::vector<T> codes_of(size_t count, int low, int high) {
    std::vector<T> values(count);
    for (T& value : values) {
      value = static_cast<T>(chance(8) ? (chance(2) ? low : high) : integer(low, high));
    }
    return values;
  }

  uint64_t state_;
};

}  // namespace bitpose
