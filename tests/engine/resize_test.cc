// SPDX-License-Identifier: Apache-2.0
// The resize operators against their definition.
#include <cmath>

#include "engine/ops/resampling.h"
#include "kernels/base/quantize.h"
#include "kernels/base/random_range.h"
#include "kernels/base/reals.h"
#include "tests/support/run_operator.h"

namespace bitpose::test {
namespace {

struct Qs8Attributes {
  ResizeAttributes resize;
  int32_t qmin, qmax;
};

struct Layer {
  ResizeAttributes resize;
  Shape x, y;

  std::string text() const {
    return x.text() + " to " + y.text() + " scale " + std::to_string(resize.scale_h) + " " +
           std::to_string(resize.scale_w) + " mode " + std::to_string(resize.coordinate_mode);
  }
};

Layer random_layer(Random& random) {
  const auto pick = [&](int64_t low, int64_t high) {
    return static_cast<uint32_t>(random.integer(low, high));
  };
  Layer layer;
  layer.x = {pick(1, 2), pick(1, 12), pick(1, 12), pick(1, random.chance(3) ? 70 : 20)};
  layer.y = {layer.x[0], pick(1, 30), pick(1, 30), layer.x[3]};
  const bool exact = random.chance(2);
  const auto scale = [&](int axis) {
    return exact ? static_cast<float>(layer.y[axis]) / static_cast<float>(layer.x[axis])
                 : random.real(0.2f, 4.0f);
  };
  layer.resize = {layer.y[1], layer.y[2], scale(1), scale(2), pick(0, 2)};
  if (random.chance(20)) layer.resize.scale_h = random.chance(2) ? 1e-40f : 3e38f;
  return layer;
}

struct Position {
  size_t low, high;
  float x;

  /// How far x lies from each neighbour: the weight of the other one.
  float from_low() const { return low == high ? 0.5f : x - static_cast<float>(low); }
  float from_high() const { return low == high ? 0.5f : static_cast<float>(high) - x; }
};

Position position(uint32_t mode, float scale, size_t inputs, size_t outputs, size_t i) {
  const auto index = static_cast<float>(i);
  float x = 0;
  if (mode == 0) x = (index + 0.5f) / scale - 0.5f;
  if (mode == 1) x = index / scale;
  if (mode == 2 && outputs > 1) {
    x = index * static_cast<float>(inputs - 1) / static_cast<float>(outputs - 1);
  }
  if (!(x > 0)) x = 0;
  if (x > static_cast<float>(inputs - 1)) x = static_cast<float>(inputs - 1);
  const auto low = static_cast<size_t>(std::floor(x));
  return {low, low + 1 < inputs ? low + 1 : low, x};
}

/// `blend(column, row, top left, top right, bottom left, bottom right)` for every output.
template <typename T, typename F>
std::vector<T> reference(const Layer& layer, const std::vector<T>& x, const F& blend) {
  std::vector<T> result;
  const ResizeAttributes& r = layer.resize;
  for (size_t i = 0; i < layer.y.elements(); ++i) {
    const size_t channel = i % layer.y[3];
    const size_t column = i / layer.y[3] % layer.y[2];
    const size_t row = i / layer.y[3] / layer.y[2] % layer.y[1];
    const size_t picture = i / layer.y[3] / layer.y[2] / layer.y[1];
    const Position h = position(r.coordinate_mode, r.scale_h, layer.x[1], layer.y[1], row);
    const Position w = position(r.coordinate_mode, r.scale_w, layer.x[2], layer.y[2], column);
    const auto at = [&](size_t iy, size_t ix) {
      return x[((picture * layer.x[1] + iy) * layer.x[2] + ix) * layer.x[3] + channel];
    };
    result.push_back(
        blend(w, h, at(h.low, w.low), at(h.low, w.high), at(h.high, w.low), at(h.high, w.high)));
  }
  return result;
}

void check_resize(uint64_t seed) {
  Random random(seed);
  const Layer layer = random_layer(random);
  const OutputRange range = random_range(random);
  const Qs8Attributes quantized{layer.resize, range.qmin, range.qmax};
  const auto zero_point = static_cast<int32_t>(random.integer(-128, 127));
  const float x_scale = random.real(0.001f, 0.5f);
  const float y_scale = random.chance(2) ? x_scale : x_scale * random.real(0.5f, 2.0f);
  const std::vector<int8_t> codes = random.codes(layer.x.elements());
  const auto blend_codes = [&](const Position& w, const Position& h, int32_t x00, int32_t x01,
                               int32_t x10, int32_t x11) {
    const auto real = [&](int32_t code) { return static_cast<float>(code - zero_point) * x_scale; };
    float y = w.from_high() * h.from_high() * real(x00);
    y += w.from_low() * h.from_high() * real(x01);
    y += w.from_high() * h.from_low() * real(x10);
    y += w.from_low() * h.from_low() * real(x11);
    return static_cast<int8_t>(quantize(y, y_scale, range));
  };
  check_operator<int8_t, Qs8Attributes, int8_t>(
      "resize2d_qs8", quantized, {{describe(DType::kS8, layer.x, x_scale, zero_point), codes}},
      describe(DType::kS8, layer.y, y_scale, range.zero_point),
      reference<int8_t>(layer, codes, blend_codes), layer.text());

  const auto kind = static_cast<Reals>(random.integer(0, 2));
  const std::vector<float> x = reals(random, layer.x.elements(), kind);
  const auto blend = [](const Position& w, const Position& h, float x00, float x01, float x10,
                        float x11) {
    const float fx = w.x - static_cast<float>(w.low), fy = h.x - static_cast<float>(h.low);
    const float top = fmaf(fx, x01 - x00, x00);
    const float bottom = fmaf(fx, x11 - x10, x10);
    return fmaf(fy, bottom - top, top);
  };
  check_operator<float, ResizeAttributes, float>(
      "resize2d_f32", layer.resize, {{describe(DType::kF32, layer.x), x}},
      describe(DType::kF32, layer.y), reference<float>(layer, x, blend), layer.text());
}

void check_refusals() {
  const auto reshapes = [](const ResizeAttributes& resize, const Shape& x) {
    const TensorDesc input = describe(DType::kF32, x);
    TensorDesc output = describe(DType::kF32, {1, 1, 1, 1});
    std::unique_ptr<Operator> op;
    CHECK_OK(
        find_operator_type("resize2d_f32")
            ->create({.attributes = &resize, .inputs = {&input, 1}, .outputs = {&output, 1}}, &op));
    return op->reshape({&input, 1}, {&output, 1}).ok();
  };
  CHECK(reshapes({4, 4, 2.0f, 2.0f, 0}, {1, 2, 2, 3}));
  CHECK(!reshapes({4, 4, 2.0f, 2.0f, 0}, {1, 0, 2, 3}));
  CHECK(!reshapes({4, 4, 2.0f, 2.0f, 0}, {1, (1u << 24) + 1, 2, 3}));
  CHECK(!reshapes({1 << 24, 1 << 24, 2.0f, 2.0f, 0}, {1, 2, 2, 3}));
}

}  // namespace
}  // namespace bitpose::test

int main() {
  using namespace bitpose::test;
  for (uint64_t seed = 0; seed < 300; ++seed) check_resize(seed);
  check_refusals();
  return 0;
}
