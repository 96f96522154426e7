// SPDX-License-Identifier: Apache-2.0
#include "kernels/binary_f32/binary_f32.h"
#include "kernels/unary_f32/unary_f32.h"
#include "tests/support/random_operators.h"

namespace bitpose::test {
namespace {

// Another operand that broadcasts with x: x itself, a sibling, a row or a single value.
template <typename Constant>
uint32_t partner(Maker& m, uint32_t x, const Constant& constant) {
  const TensorDesc& desc = m.builder.desc(x);
  const Shape shape = desc.shape;
  if (m.random.chance(4)) return x;
  if (const Result other = m.pick(desc.dtype, shape.rank); m.random.chance(2) && other) {
    return *other;
  }
  if (m.random.chance(2) || shape.rank == 0) return constant(Shape{1});
  return constant(Shape{shape[shape.rank - 1]});
}

Result add_qs8(Maker& m) {
  const Result a = m.pick(DType::kS8);
  if (!a) return {};
  const Quantization codes = m.codes(DType::kS8);
  const uint32_t b = partner(m, *a, [&](const Shape& s) { return m.constant_codes(s, codes); });
  const double ma = m.small(1, 32767);
  const auto mb = static_cast<double>(m.random.integer(-32767, 32767));
  return m.add("add_qs8", {*a, b}, DType::kS8,
               m.quantized_range({{"a_multiplier", ma},
                                  {"b_multiplier", mb},
                                  {"bias", static_cast<double>(m.random.integer(-900000, 900000))},
                                  {"multiplier", m.random.real(1e-6f, 1e-4f)}}),
               m.codes(DType::kS8));
}

Result mul_qs8(Maker& m) {
  const Result a = m.pick(DType::kS8);
  if (!a) return {};
  const Quantization codes = m.codes(DType::kS8);
  const uint32_t b = partner(m, *a, [&](const Shape& s) { return m.constant_codes(s, codes); });
  return m.add("mul_qs8", {*a, b}, DType::kS8,
               m.quantized_range({{"multiplier", m.random.real(1e-4f, 1e-1f)}}),
               m.codes(DType::kS8));
}

Result lut_x8(Maker& m) {
  const Result x = m.pick(m.random.chance(2) ? DType::kS8 : DType::kU8);
  if (!x) return {};
  std::vector<uint8_t> table(256);
  for (uint8_t& value : table) value = static_cast<uint8_t>(m.random.integer(0, 255));
  const DType dtype = m.random.chance(4) ? DType::kU8 : DType::kS8;
  return m.add("lut_x8", {*x, m.builder.constant(m.name(), DType::kU8, {256}, table)}, dtype, {},
               m.codes(dtype));
}

Result quantize_f32_qs8(Maker& m) {
  const Result x = m.pick(DType::kF32);
  if (!x) return {};
  return m.add("quantize_f32_qs8", {*x}, DType::kS8, m.quantized_range({}), m.codes(DType::kS8));
}

Result quantize_f32_qs16(Maker& m) {
  const Result x = m.pick(DType::kF32);
  if (!x) return {};
  return m.add("quantize_f32_qs16", {*x}, DType::kS16, m.quantized_range({}, DType::kS16),
               m.codes(DType::kS16));
}

Result dequantize_qs16_f32(Maker& m) {
  const Result x = m.pick(DType::kS16);
  if (!x) return {};
  return m.add("dequantize_qs16_f32", {*x}, DType::kF32);
}

Result requantize(Maker& m) {
  const Result x = m.pick(m.random.chance(2) ? DType::kS8 : DType::kS16);
  if (!x) return {};
  const DType y = m.random.chance(2) ? DType::kS8 : DType::kS16;
  return m.add("requantize", {*x}, y, m.quantized_range({}, y), m.codes(y));
}

Result dequantize_qs8_f32(Maker& m) {
  const Result x = m.pick(DType::kS8);
  if (!x) return {};
  return m.add("dequantize_qs8_f32", {*x}, DType::kF32);
}

Result binary_f32(Maker& m) {
  const Result a = m.pick(DType::kF32);
  if (!a) return {};
  const uint32_t b =
      partner(m, *a, [&](const Shape& shape) { return m.constant_floats(shape, -2, 2); });
  return m.add("binary_f32", {*a, b}, DType::kF32,
               {{"function", m.small(0, kBinaryFunctions - 1)}});
}

Result binary_integer(Maker& m) {
  const DType dtypes[] = {DType::kS8, DType::kU8, DType::kS16, DType::kS32, DType::kS64};
  const DType dtype = dtypes[m.small(0, 4)];
  const Result a = m.pick(dtype);
  if (!a) return {};
  const uint32_t b = partner(m, *a, [&](const Shape& shape) {
    return dtype == DType::kS32 ? m.constant_words(shape, -9, 9) : *a;
  });
  return m.add("binary_integer", {*a, b}, dtype, {{"function", m.small(0, 13)}});
}

Result compare(Maker& m) {
  const uint32_t a = *m.pick_any();
  const uint32_t b = partner(m, a, [&](const Shape&) { return a; });
  return m.add("compare", {a, b}, DType::kBool, {{"function", m.small(0, 4)}});
}

Result logic(Maker& m) {
  const Result a = m.pick(DType::kBool);
  if (!a) return {};
  const uint32_t b = partner(m, *a, [&](const Shape&) { return *a; });
  return m.add("logic", {*a, b}, DType::kBool, {{"function", m.small(0, 2)}});
}

Result where(Maker& m) {
  const Result condition = m.pick(DType::kBool);
  if (!condition) return {};
  const uint32_t a = *m.pick_any();
  const uint32_t b = partner(m, a, [&](const Shape&) { return a; });
  return m.add("where", {*condition, a, b}, m.builder.desc(a).dtype, {});
}

Result softmax_f32(Maker& m) {
  const Result x = m.pick(DType::kF32);
  if (!x) return {};
  return m.add("softmax_f32", {*x}, DType::kF32);
}

Result unary_f32(Maker& m) {
  const Result x = m.pick(DType::kF32);
  if (!x) return {};
  return m.add("unary_f32", {*x}, DType::kF32,
               {{"function", m.small(0, kUnaryFunctions - 1)},
                {"alpha", m.random.real(-2, 2)},
                {"beta", m.random.real(-2, 2)}});
}

constexpr Generator kGenerators[] = {
    {"add_qs8", add_qs8},
    {"binary_f32", binary_f32},
    {"binary_integer", binary_integer},
    {"compare", compare},
    {"dequantize_qs16_f32", dequantize_qs16_f32},
    {"dequantize_qs8_f32", dequantize_qs8_f32},
    {"logic", logic},
    {"lut_x8", lut_x8},
    {"mul_qs8", mul_qs8},
    {"quantize_f32_qs16", quantize_f32_qs16},
    {"quantize_f32_qs8", quantize_f32_qs8},
    {"requantize", requantize},
    {"softmax_f32", softmax_f32},
    {"unary_f32", unary_f32},
    {"where", where},
};

}  // namespace

std::span<const Generator> elementwise_generators() { return kGenerators; }

}  // namespace bitpose::test
