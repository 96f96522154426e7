// SPDX-License-Identifier: Apache-2.0
// add_qs8, mul_qs8, quantize_f32_qs8 and dequantize_qs8_f32 against their definition, over random
// shapes that broadcast.
#include <cmath>

#include "engine/ops/broadcast.h"
#include "engine/ops/operands.h"
#include "kernels/base/random_range.h"
#include "kernels/base/reals.h"
#include "kernels/base/requantize.h"
#include "tests/support/run_operator.h"

namespace bitpose::test {
namespace {

struct AddAttributes {
  int32_t a_multiplier, b_multiplier, bias;
  float multiplier;
  int32_t qmin, qmax;
};

struct MulAttributes {
  float multiplier;
  int32_t qmin, qmax;
};

struct QuantizeAttributes {
  int32_t qmin, qmax;
};

struct NoAttributes {};

/// Two shapes that broadcast, and what they broadcast to.
struct Shapes {
  Shape a, b, y;

  std::string text() const { return a.text() + " with " + b.text(); }
};

/// Two pictures, and a number for each of their channels.
Shapes picture_shapes(Random& random) {
  const auto extent = [&random](int most) {
    return static_cast<uint32_t>(random.integer(1, most));
  };
  Shapes shapes;
  shapes.y = shapes.a = {2, extent(90), extent(90), extent(40)};
  shapes.b = {extent(2), 1, 1, shapes.y[3]};
  return shapes;
}

Shapes random_shapes(Random& random) {
  Shapes shapes;
  shapes.y.rank = static_cast<uint32_t>(random.integer(0, kMaxRank));
  for (uint32_t i = 0; i < shapes.y.rank; ++i) {
    const bool is_last = i + 1 == shapes.y.rank;
    shapes.y.dims[i] = static_cast<uint32_t>(random.integer(1, is_last ? 40 : 4));
  }
  if (random.chance(10)) shapes.y = {1, static_cast<uint32_t>(random.integer(100, 400)), 500, 1};
  const auto skipped = static_cast<uint32_t>(random.integer(0, shapes.y.rank));
  shapes.a = shapes.y;
  shapes.b = Shape();
  for (uint32_t i = skipped; i < shapes.y.rank; ++i) {
    shapes.b.dims[shapes.b.rank++] = random.chance(3) ? 1 : shapes.y[i];
  }
  for (uint32_t i = skipped; i < shapes.y.rank; ++i) {
    if (shapes.b[i - skipped] == shapes.y[i] && random.chance(4)) shapes.a.dims[i] = 1;
  }
  if (random.chance(8)) shapes = picture_shapes(random);
  if (random.chance(2)) std::swap(shapes.a, shapes.b);
  return shapes;
}

/// The element of an operand of shape `shape` under output element `i`.
size_t element_under(const Shape& shape, const Shape& y, size_t i) {
  size_t element = 0;
  size_t stride = 1;
  for (uint32_t axis = 0; axis < shape.rank; ++axis) {
    const uint32_t extent = shape[shape.rank - 1 - axis];
    const uint32_t of_output = y[y.rank - 1 - axis];
    if (extent > 1) element += i % of_output * stride;
    stride *= extent;
    i /= of_output;
  }
  return element;
}

int32_t code(Random& random) { return static_cast<int32_t>(random.integer(-128, 127)); }

void check_add(uint64_t seed) {
  Random random(seed);
  const Shapes shapes = random_shapes(random);
  const OutputRange range = random_range(random);
  AddAttributes attributes;
  attributes.a_multiplier = static_cast<int32_t>(random.integer(-32767, 32767));
  attributes.b_multiplier = static_cast<int32_t>(random.integer(-32767, 32767));
  attributes.bias = static_cast<int32_t>(random.integer(-4000000, 4000000));
  attributes.multiplier = random.real(0.5f, 2.0f) * 0x1p-15f;
  attributes.qmin = range.qmin;
  attributes.qmax = range.qmax;
  const Input<int8_t> a{describe(DType::kS8, shapes.a, 0.1f, code(random)),
                        random.codes(shapes.a.elements())};
  const Input<int8_t> b{describe(DType::kS8, shapes.b, 0.2f, code(random)),
                        random.codes(shapes.b.elements())};
  std::vector<int8_t> expected(shapes.y.elements());
  for (size_t i = 0; i < expected.size(); ++i) {
    const int32_t acc = a.values[element_under(shapes.a, shapes.y, i)] * attributes.a_multiplier +
                        b.values[element_under(shapes.b, shapes.y, i)] * attributes.b_multiplier +
                        attributes.bias;
    expected[i] = requantize(acc, attributes.multiplier, range);
  }
  check_operator<int8_t, AddAttributes, int8_t>(
      "add_qs8", attributes, {a, b}, describe(DType::kS8, shapes.y, 0.3f, range.zero_point),
      expected, shapes.text());
}

void check_mul(uint64_t seed) {
  Random random(seed);
  const Shapes shapes = random_shapes(random);
  const OutputRange range = random_range(random);
  const MulAttributes attributes{random.real(0.001f, 0.1f), range.qmin, range.qmax};
  const Input<int8_t> a{describe(DType::kS8, shapes.a, 0.1f, code(random)),
                        random.codes(shapes.a.elements())};
  const Input<int8_t> b{describe(DType::kS8, shapes.b, 0.2f, code(random)),
                        random.codes(shapes.b.elements())};
  std::vector<int8_t> expected(shapes.y.elements());
  for (size_t i = 0; i < expected.size(); ++i) {
    const int32_t acc = (a.values[element_under(shapes.a, shapes.y, i)] - a.desc.zero_point) *
                        (b.values[element_under(shapes.b, shapes.y, i)] - b.desc.zero_point);
    expected[i] = requantize(acc, attributes.multiplier, range);
  }
  check_operator<int8_t, MulAttributes, int8_t>(
      "mul_qs8", attributes, {a, b}, describe(DType::kS8, shapes.y, 0.3f, range.zero_point),
      expected, shapes.text());
}

void check_conversions(uint64_t seed) {
  Random random(seed);
  const Shape shape = random_shapes(random).y;
  const OutputRange range = random_range(random);
  const float scale = random.real(0.001f, 0.1f);
  std::vector<float> x = reals(random, shape.elements(), static_cast<Reals>(random.integer(0, 2)));
  for (float& value : x) value *= 20.0f;
  std::vector<int8_t> codes(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const auto low = static_cast<float>(range.qmin - range.zero_point);
    const auto high = static_cast<float>(range.qmax - range.zero_point);
    const float q = x[i] / scale;
    const float clamped = std::isnan(q) || q < low ? low : q > high ? high : q;
    codes[i] = static_cast<int8_t>(std::nearbyint(clamped) + static_cast<float>(range.zero_point));
  }
  const TensorDesc quantized = describe(DType::kS8, shape, scale, range.zero_point);
  check_operator<int8_t, QuantizeAttributes, float>("quantize_f32_qs8", {range.qmin, range.qmax},
                                                    {{describe(DType::kF32, shape), x}}, quantized,
                                                    codes, shape.text());
  std::vector<float> back(codes.size());
  for (size_t i = 0; i < codes.size(); ++i) {
    back[i] = scale * static_cast<float>(codes[i] - range.zero_point);
  }
  check_operator<float, NoAttributes, int8_t>("dequantize_qs8_f32", {}, {{quantized, codes}},
                                              describe(DType::kF32, shape), back, shape.text());
}

void check_refusals() {
  const auto refused = [](int32_t qmin, int32_t qmax, float scale) {
    const MulAttributes attributes{0.5f, qmin, qmax};
    const std::vector<TensorDesc> inputs(2, describe(DType::kS8, {4}, 0.5f, 3));
    const TensorDesc output = describe(DType::kS8, {4}, scale, 3);
    std::unique_ptr<Operator> op;
    return !find_operator_type("mul_qs8")
                ->create({.attributes = &attributes, .inputs = inputs, .outputs = {&output, 1}},
                         &op)
                .ok();
  };
  CHECK(!refused(-128, 127, 0.5f));
  CHECK(refused(5, 4, 0.5f));
  CHECK(refused(-128, 127, 0.0f));
}

}  // namespace
}  // namespace bitpose::test

int main() {
  using namespace bitpose::test;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    check_add(seed);
    check_mul(seed);
    check_conversions(seed);
  }
  check_refusals();
  return 0;
}
