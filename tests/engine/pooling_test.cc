// SPDX-License-Identifier: Apache-2.0
// The pooling operators against their definition, over random windows.
#include "engine/ops/pooling.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "kernels/base/random_range.h"
#include "kernels/base/reals.h"
#include "kernels/base/requantize.h"
#include "tests/support/run_operator.h"

namespace bitpose::test {
namespace {

struct AvgF32Attributes {
  PoolAttributes pool;
  uint32_t count_include_pad;
};

struct IndicesAttributes {
  PoolAttributes pool;
  uint32_t column_major;
};

struct AvgQs8Attributes {
  PoolAttributes pool;
  uint32_t count_include_pad;
  float multiplier;
  int32_t qmin, qmax;
};

struct Layer {
  PoolAttributes window;
  Shape x, y;

  std::string text() const {
    const PoolAttributes& w = window;
    std::string text = x.text() + " window";
    for (const uint32_t value : {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h,
                                 w.dilation_w, w.pad_top, w.pad_left, w.pad_bottom, w.pad_right}) {
      text += ' ';
      text += std::to_string(value);
    }
    return text;
  }
  size_t taps() const { return size_t{window.kernel_h} * window.kernel_w; }
};

Layer random_layer(Random& random) {
  const auto pick = [&](int64_t low, int64_t high) {
    return static_cast<uint32_t>(random.integer(low, high));
  };
  PoolAttributes w;
  w.kernel_h = random.chance(2) ? 3 : pick(1, 7);
  w.kernel_w = random.chance(2) ? w.kernel_h : pick(1, 7);
  w.stride_h = pick(1, 3);
  w.stride_w = random.chance(2) ? w.stride_h : pick(1, 9);
  w.dilation_h = random.chance(2) ? 1 : pick(1, 3);
  w.dilation_w = random.chance(2) ? w.dilation_h : pick(1, 3);
  const uint32_t extent_h = (w.kernel_h - 1) * w.dilation_h + 1;
  const uint32_t extent_w = (w.kernel_w - 1) * w.dilation_w + 1;
  // Sometimes whole windows of padding.
  const uint32_t more = random.chance(3) ? 4 : 0;
  w.pad_top = pick(0, extent_h - 1 + more);
  w.pad_left = pick(0, extent_w - 1 + more);
  w.pad_bottom = pick(0, extent_h - 1 + more);
  w.pad_right = pick(0, extent_w - 1 + more);
  const auto side = [&](uint32_t extent, uint32_t padding) {
    const uint32_t least = extent > padding ? extent - padding : 1;
    return pick(least, least + 20);
  };
  Layer layer;
  layer.window = w;
  layer.x = {pick(1, 2), side(extent_h, w.pad_top + w.pad_bottom),
             side(extent_w, w.pad_left + w.pad_right), pick(1, random.chance(3) ? 150 : 20)};
  layer.y = {layer.x[0], (layer.x[1] + w.pad_top + w.pad_bottom - extent_h) / w.stride_h + 1,
             (layer.x[2] + w.pad_left + w.pad_right - extent_w) / w.stride_w + 1, layer.x[3]};
  return layer;
}

/// The outputs, each of which `reduce` makes of the taps that lie on the picture, in order.
template <typename T, typename F>
std::vector<T> reference(const Layer& layer, const std::vector<T>& x, const F& reduce) {
  std::vector<T> result;
  const PoolAttributes& w = layer.window;
  for (size_t i = 0; i < layer.y.elements(); ++i) {
    const size_t channel = i % layer.y[3];
    const size_t column = i / layer.y[3] % layer.y[2];
    const size_t row = i / layer.y[3] / layer.y[2] % layer.y[1];
    const size_t picture = i / layer.y[3] / layer.y[2] / layer.y[1];
    std::vector<T> taps;
    for (uint32_t ky = 0; ky < w.kernel_h; ++ky) {
      for (uint32_t kx = 0; kx < w.kernel_w; ++kx) {
        const size_t iy = row * w.stride_h + ky * w.dilation_h - w.pad_top;
        const size_t ix = column * w.stride_w + kx * w.dilation_w - w.pad_left;
        if (iy >= layer.x[1] || ix >= layer.x[2]) continue;
        taps.push_back(x[((picture * layer.x[1] + iy) * layer.x[2] + ix) * layer.x[3] + channel]);
      }
    }
    result.push_back(reduce(taps));
  }
  return result;
}

void check_maximum(uint64_t seed) {
  Random random(seed);
  const Layer layer = random_layer(random);
  const std::vector<int8_t> codes = random.codes(layer.x.elements());
  const auto largest = reference<int8_t>(layer, codes, [](const std::vector<int8_t>& taps) {
    if (taps.empty()) return int8_t{-128};
    return *std::max_element(taps.begin(), taps.end());
  });
  check_operator<int8_t, PoolAttributes, int8_t>(
      "maxpool2d_s8", layer.window, {{describe(DType::kS8, layer.x, 0.5f, 3), codes}},
      describe(DType::kS8, layer.y, 0.5f, 3), largest, layer.text());

  const auto kind = static_cast<Reals>(random.integer(0, 2));
  const std::vector<float> x = reals(random, layer.x.elements(), kind);
  const auto expected = reference<float>(layer, x, [](const std::vector<float>& taps) {
    if (taps.empty()) return std::numeric_limits<float>::lowest();
    float acc = taps[0];
    for (const float value : taps) acc = value > acc ? value : acc;
    return acc;
  });
  check_operator<float, PoolAttributes, float>(
      "maxpool2d_f32", layer.window, {{describe(DType::kF32, layer.x), x}},
      describe(DType::kF32, layer.y), expected, layer.text());
}

void check_indices(uint64_t seed) {
  Random random(seed);
  const Layer layer = random_layer(random);
  std::vector<float> x;  // Full of ties.
  for (size_t i = 0; i < layer.x.elements(); ++i) {
    x.push_back(static_cast<float>(random.integer(0, 9)));
  }
  const uint32_t column_major = random.chance(2) ? 1 : 0;
  // Every element with its index behind it.
  std::vector<std::pair<float, int64_t>> indexed;
  const size_t height = layer.x[1], width = layer.x[2], channels = layer.x[3];
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t row = i / channels / width % height, column = i / channels % width;
    const size_t plane = i / channels / width / height * channels + i % channels;
    const size_t place = column_major == 1 ? column * height + row : row * width + column;
    indexed.emplace_back(x[i], static_cast<int64_t>(plane * height * width + place));
  }
  using Taps = std::vector<std::pair<float, int64_t>>;
  const Taps largest = reference<std::pair<float, int64_t>>(layer, indexed, [](const Taps& taps) {
    std::pair<float, int64_t> best(-1.0f, 0);
    for (const auto& tap : taps) best = tap.first > best.first ? tap : best;
    return best;
  });
  std::vector<int64_t> expected;
  for (const auto& [value, index] : largest) expected.push_back(index);
  check_operator<int64_t, IndicesAttributes, float>(
      "maxpool2d_indices", {layer.window, column_major}, {{describe(DType::kF32, layer.x), x}},
      describe(DType::kS64, layer.y), expected, layer.text());
}

void check_average(uint64_t seed) {
  Random random(seed);
  const Layer layer = random_layer(random);
  const uint32_t include_pad = random.chance(2) ? 1 : 0;
  const auto divisor = [&](size_t taps) {
    return static_cast<float>(include_pad == 1 ? layer.taps() : std::max<size_t>(1, taps));
  };
  const OutputRange range = random_range(random);
  const AvgQs8Attributes quantized{layer.window, include_pad, random.real(0.3f, 2.0f), range.qmin,
                                   range.qmax};
  const auto zero_point = static_cast<int32_t>(random.integer(-128, 127));
  const std::vector<int8_t> codes = random.codes(layer.x.elements());
  const auto means = reference<int8_t>(layer, codes, [&](const std::vector<int8_t>& taps) {
    int32_t acc = 0;
    for (const int32_t value : taps) acc += value - zero_point;
    return requantize(acc, quantized.multiplier / divisor(taps.size()), range);
  });
  check_operator<int8_t, AvgQs8Attributes, int8_t>(
      "avgpool2d_qs8", quantized, {{describe(DType::kS8, layer.x, 0.5f, zero_point), codes}},
      describe(DType::kS8, layer.y, 0.5f, range.zero_point), means, layer.text());

  const auto kind = static_cast<Reals>(random.integer(0, 2));
  const std::vector<float> x = reals(random, layer.x.elements(), kind);
  const auto expected = reference<float>(layer, x, [&](const std::vector<float>& taps) {
    float acc = 0.0f;
    for (const float value : taps) acc += value;
    return acc / divisor(taps.size());
  });
  check_operator<float, AvgF32Attributes, float>(
      "avgpool2d_f32", {layer.window, include_pad}, {{describe(DType::kF32, layer.x), x}},
      describe(DType::kF32, layer.y), expected, layer.text());
}

void check_refusals() {
  const auto reshapes = [](const PoolAttributes& window, const Shape& x) {
    const TensorDesc input = describe(DType::kF32, x);
    TensorDesc output = describe(DType::kF32, {1, 1, 1, 1});
    std::unique_ptr<Operator> op;
    CHECK_OK(
        find_operator_type("maxpool2d_f32")
            ->create({.attributes = &window, .inputs = {&input, 1}, .outputs = {&output, 1}}, &op));
    return op->reshape({&input, 1}, {&output, 1}).ok();
  };
  CHECK(reshapes({3, 3, 1, 1, 1, 1, 0, 0, 0, 0}, {1, 3, 3, 1}));
  CHECK(reshapes({3, 3, 1, 1, 1, 1, 3, 0, 0, 0}, {1, 3, 3, 1}));   // A window of padding only.
  CHECK(!reshapes({3, 3, 1, 1, 1, 1, 0, 0, 0, 0}, {1, 2, 3, 1}));  // Smaller than the kernel.
  CHECK(!reshapes({3, 3, 1, 1, 2, 1, 0, 0, 0, 0}, {1, 4, 3, 1}));
  CHECK(!reshapes({3, 3, 1, 1, 1, 1, 0, 0, 0, 0}, {1, 3, 3, 0}));  // No channels.
  CHECK(!reshapes({65535, 65535, 1, 1, 1, 1, 65534, 65534, 65534, 65534}, {1, 60000, 60000, 1}));
}

}  // namespace
}  // namespace bitpose::test

int main() {
  using namespace bitpose::test;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    check_maximum(seed);
    check_average(seed);
    check_indices(seed);
  }
  check_refusals();
  return 0;
}
