// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_network.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "engine/ops/operator.h"
#include "kernels/base/random.h"
#include "kernels/binary_f32/binary_f32.h"
#include "kernels/unary_f32/unary_f32.h"

namespace bitpose::test {
namespace {

using Result = std::optional<uint32_t>;

class Maker {
 public:
  explicit Maker(uint64_t seed) : random(seed) {
    const uint32_t h = small(1, 12);
    const uint32_t w = small(1, 12);
    pool.push_back(builder.input("codes", DType::kS8, {1, h, w, small(1, 20)}, codes(DType::kS8)));
    pool.push_back(builder.input("floats", DType::kF32, {1, h, w, small(1, 20)}));
    pool.push_back(builder.input("bytes", DType::kU8, {small(1, 3), small(1, 40)}));
    pool.push_back(builder.input("words", DType::kS32, {small(1, 6), small(1, 3)}));
    if (random.chance(2)) {
      const Quantization symmetric{random.real(0.01f, 0.2f), 0};
      pool.push_back(builder.input("codes16", DType::kS16, {1, h, w, small(1, 20)}, symmetric));
    }
    if (random.chance(2)) pool.push_back(builder.input("longs", DType::kS64, {small(1, 9)}));
    if (random.chance(2)) pool.push_back(builder.input("flags", DType::kBool, {1, small(1, 9)}));
  }

  uint32_t small(int64_t low, int64_t high) {
    return static_cast<uint32_t>(random.integer(low, high));
  }

  Quantization codes(DType dtype) {
    const auto [low, high] = code_limits(dtype);
    // 16-bit operators want a zero point of 0.
    const bool symmetric = dtype == DType::kS16 && random.chance(2);
    return {random.real(0.01f, 0.2f),
            symmetric ? 0 : static_cast<int32_t>(random.integer(low, high))};
  }

  /// One of the last tensors with that dtype, and rank if it is not 0.
  Result pick(DType dtype, uint32_t rank = 0) {
    std::vector<uint32_t> fitting;
    for (const uint32_t index : pool) {
      const TensorDesc& desc = builder.desc(index);
      if (desc.dtype == dtype && (rank == 0 || desc.shape.rank == rank)) fitting.push_back(index);
    }
    if (fitting.empty()) return {};
    const auto count = static_cast<int64_t>(fitting.size());
    return fitting[static_cast<size_t>(count - random.integer(1, std::min<int64_t>(count, 4)))];
  }

  Result pick_any() {
    return pool[static_cast<size_t>(random.integer(0, static_cast<int64_t>(pool.size()) - 1))];
  }

  std::string name() { return std::string("c").append(std::to_string(++constants_)); }

  uint32_t constant_codes(const Shape& shape, Quantization quantization = {}) {
    return builder.constant(name(), DType::kS8, shape, random.codes(shape.elements()),
                            quantization);
  }

  uint32_t constant_floats(const Shape& shape, float low, float high) {
    std::vector<float> values(shape.elements());
    for (float& value : values) value = random.real(low, high);
    return builder.constant(name(), DType::kF32, shape, values);
  }

  /// Weights of floats, stored as float32 or float16.
  uint32_t weights(const Shape& shape) {
    if (random.chance(2)) return constant_floats(shape, -1, 1);
    std::vector<uint16_t> values(shape.elements());
    for (uint16_t& value : values) {
      value = static_cast<uint16_t>(random.integer(0, 0x3c00) | (random.chance(2) ? 0x8000 : 0));
    }
    return builder.constant(name(), DType::kF16, shape, values);
  }

  uint32_t constant_words(const Shape& shape, int64_t low, int64_t high) {
    std::vector<int32_t> values(shape.elements());
    for (int32_t& value : values) value = static_cast<int32_t>(random.integer(low, high));
    return builder.constant(name(), DType::kS32, shape, values);
  }

  Attributes quantized_range(Attributes attributes, DType dtype = DType::kS8) {
    const auto [least, most] = code_limits(dtype);
    const int64_t low = random.chance(2) ? least : random.integer(least, most / 2);
    const int64_t high = random.chance(2) ? most : random.integer(low, most);
    attributes.emplace_back("qmin", static_cast<double>(low));
    attributes.emplace_back("qmax", static_cast<double>(high));
    return attributes;
  }

  Attributes window(uint32_t kernel_h, uint32_t kernel_w) {
    Attributes attributes = {{"stride_h", small(1, 2)},
                             {"stride_w", small(1, 2)},
                             {"dilation_h", small(1, 2)},
                             {"dilation_w", small(1, 2)},
                             {"pad_top", small(0, kernel_h - 1)},
                             {"pad_left", small(0, kernel_w - 1)},
                             {"pad_bottom", small(0, kernel_h - 1)},
                             {"pad_right", small(0, kernel_w - 1)}};
    return attributes;
  }

  /// The result of an operator, or nothing where the operator refuses.
  Result add(const char* type, const std::vector<uint32_t>& inputs, DType dtype,
             const Attributes& attributes = {}, Quantization quantization = {},
             const Shape& shape = {}) {
    const TensorDesc result{.name = {},
                            .dtype = dtype,
                            .shape = shape,
                            .scale = quantization.scale,
                            .zero_point = quantization.zero_point};
    uint32_t made = 0;
    if (!builder.try_derived(type, inputs, result, attributes, &made).ok()) return {};
    return made;
  }

  Random random;
  ModelBuilder builder;
  std::vector<uint32_t> pool;  ///< Tensors with a value that is not constant.

 private:
  int constants_ = 0;
};

/// Groups of up to 4 that divide `channels`.
uint32_t groups_of(Maker& m, uint32_t channels) {
  const uint32_t groups = m.small(1, 4);
  return channels % groups == 0 ? groups : 1;
}

Result conv2d_qs8(Maker& m) {
  const Result x = m.pick(DType::kS8, 4);
  if (!x) return {};
  const uint32_t channels = m.builder.desc(*x).shape[3], groups = groups_of(m, channels);
  const uint32_t kh = m.small(1, 3), kw = m.small(1, 3), o = groups * m.small(1, 12);
  const uint32_t c = channels / groups;
  const Quantization w{0, m.random.chance(2) ? 0 : m.codes(DType::kS8).zero_point};
  return m.add("conv2d_qs8",
               {*x, m.constant_codes({o, kh, kw, c}, w), m.constant_words({o}, -20000, 20000),
                m.constant_floats({o}, 1e-4f, 1e-2f)},
               DType::kS8, m.quantized_range(m.window(kh, kw)), m.codes(DType::kS8));
}

Result dwconv2d_qs8(Maker& m) {
  const Result x = m.pick(DType::kS8, 4);
  if (!x) return {};
  const uint32_t kh = m.small(1, 3), kw = m.small(1, 3), c = m.builder.desc(*x).shape[3];
  const Quantization w{0, m.random.chance(2) ? 0 : m.codes(DType::kS8).zero_point};
  return m.add("dwconv2d_qs8",
               {*x, m.constant_codes({kh, kw, c}, w), m.constant_words({c}, -20000, 20000),
                m.constant_floats({c}, 1e-4f, 1e-2f)},
               DType::kS8, m.quantized_range(m.window(kh, kw)), m.codes(DType::kS8));
}

Result conv2d_qs16(Maker& m) {
  const Result x = m.pick(DType::kS16, 4);
  if (!x) return {};
  const uint32_t channels = m.builder.desc(*x).shape[3], groups = groups_of(m, channels);
  const uint32_t kh = m.small(1, 3), kw = m.small(1, 3), o = groups * m.small(1, 12);
  const DType y = m.random.chance(2) ? DType::kS8 : DType::kS16;
  return m.add("conv2d_qs16",
               {*x, m.constant_codes({o, kh, kw, channels / groups}),
                m.constant_words({o}, -(1 << 30), 1 << 30), m.constant_floats({o}, 1e-6f, 1e-4f)},
               y, m.quantized_range(m.window(kh, kw), y), m.codes(y));
}

Result dwconv2d_qs16(Maker& m) {
  const Result x = m.pick(DType::kS16, 4);
  if (!x) return {};
  const uint32_t kh = m.small(1, 3), kw = m.small(1, 3), c = m.builder.desc(*x).shape[3];
  const DType y = m.random.chance(2) ? DType::kS8 : DType::kS16;
  return m.add("dwconv2d_qs16",
               {*x, m.constant_codes({kh, kw, c}), m.constant_words({c}, -20000, 20000),
                m.constant_floats({c}, 1e-6f, 1e-4f)},
               y, m.quantized_range(m.window(kh, kw), y), m.codes(y));
}

Attributes float_range(Maker& m, Attributes attributes) {
  const bool relu = m.random.chance(2);
  attributes.emplace_back("fmin", relu ? 0.0 : -kUnbounded);
  attributes.emplace_back("fmax", relu && m.random.chance(2) ? 6.0 : kUnbounded);
  return attributes;
}

Result conv2d_f32(Maker& m) {
  const Result x = m.pick(DType::kF32, 4);
  if (!x) return {};
  const uint32_t channels = m.builder.desc(*x).shape[3], groups = groups_of(m, channels);
  const uint32_t kh = m.small(1, 3), kw = m.small(1, 3), o = groups * m.small(1, 12);
  const uint32_t c = channels / groups;
  return m.add("conv2d_f32", {*x, m.weights({o, kh, kw, c}), m.constant_floats({o}, -1, 1)},
               DType::kF32, float_range(m, m.window(kh, kw)));
}

Result dwconv2d_f32(Maker& m) {
  const Result x = m.pick(DType::kF32, 4);
  if (!x) return {};
  const uint32_t kh = m.small(1, 3), kw = m.small(1, 3), c = m.builder.desc(*x).shape[3];
  return m.add("dwconv2d_f32", {*x, m.weights({kh, kw, c}), m.constant_floats({c}, -1, 1)},
               DType::kF32, float_range(m, m.window(kh, kw)));
}

Attributes deconv_window(Maker& m, uint32_t kernel_h, uint32_t kernel_w) {
  Attributes attributes = m.window(kernel_h, kernel_w);
  attributes.emplace_back("output_padding_h", m.small(0, 1));
  attributes.emplace_back("output_padding_w", m.small(0, 1));
  return attributes;
}

Result deconv2d_qs8(Maker& m) {
  const Result x = m.pick(DType::kS8, 4);
  if (!x) return {};
  const uint32_t channels = m.builder.desc(*x).shape[3], groups = groups_of(m, channels);
  const uint32_t kh = m.small(1, 4), kw = m.small(1, 4), o = groups * m.small(1, 12);
  const Quantization w{0, m.random.chance(2) ? 0 : m.codes(DType::kS8).zero_point};
  return m.add("deconv2d_qs8",
               {*x, m.constant_codes({o, kh, kw, channels / groups}, w),
                m.constant_words({o}, -20000, 20000), m.constant_floats({o}, 1e-4f, 1e-2f)},
               DType::kS8, m.quantized_range(deconv_window(m, kh, kw)), m.codes(DType::kS8));
}

Result deconv2d_f32(Maker& m) {
  const Result x = m.pick(DType::kF32, 4);
  if (!x) return {};
  const uint32_t channels = m.builder.desc(*x).shape[3], groups = groups_of(m, channels);
  const uint32_t kh = m.small(1, 4), kw = m.small(1, 4), o = groups * m.small(1, 12);
  return m.add("deconv2d_f32",
               {*x, m.weights({o, kh, kw, channels / groups}), m.constant_floats({o}, -1, 1)},
               DType::kF32, float_range(m, deconv_window(m, kh, kw)));
}

Result dwdeconv2d_qs8(Maker& m) {
  const Result x = m.pick(DType::kS8, 4);
  if (!x) return {};
  const uint32_t kh = m.small(1, 4), kw = m.small(1, 4), c = m.builder.desc(*x).shape[3];
  const Quantization w{0, m.random.chance(2) ? 0 : m.codes(DType::kS8).zero_point};
  return m.add("dwdeconv2d_qs8",
               {*x, m.constant_codes({kh, kw, c}, w), m.constant_words({c}, -20000, 20000),
                m.constant_floats({c}, 1e-4f, 1e-2f)},
               DType::kS8, m.quantized_range(deconv_window(m, kh, kw)), m.codes(DType::kS8));
}

Result dwdeconv2d_f32(Maker& m) {
  const Result x = m.pick(DType::kF32, 4);
  if (!x) return {};
  const uint32_t kh = m.small(1, 4), kw = m.small(1, 4), c = m.builder.desc(*x).shape[3];
  return m.add("dwdeconv2d_f32", {*x, m.weights({kh, kw, c}), m.constant_floats({c}, -1, 1)},
               DType::kF32, float_range(m, deconv_window(m, kh, kw)));
}

Result conv2d_s32(Maker& m) {
  const Result words = m.pick(DType::kS32);
  if (!words) return {};
  const auto elements = static_cast<uint32_t>(m.builder.desc(*words).shape.elements());
  const Result x = m.add("reshape", {*words}, DType::kS32, {}, {}, {1, 1, elements, 1});
  if (!x) return {};
  const uint32_t kw = m.small(1, 3), o = m.small(1, 4);
  return m.add("conv2d_s32", {*x, m.constant_words({o, 1, kw, 1}, -99, 99)}, DType::kS32,
               m.window(1, kw));
}

// Products with a constant, a matrix of the same dtype or the operand itself.
Result matmul(Maker& m, const char* type, DType dtype, Attributes attributes,
              Quantization quantization) {
  const Result a = m.pick(dtype);
  if (!a || m.builder.desc(*a).shape.rank < 2) return {};
  const Shape shape = m.builder.desc(*a).shape;
  const uint32_t k = shape[shape.rank - 1];
  uint32_t b = *a;
  const bool transpose_b = m.random.chance(2);
  if (!transpose_b) {
    const Shape constant = {k, m.small(1, 9)};
    if (dtype == DType::kF32) b = m.constant_floats(constant, -1, 1);
    if (dtype == DType::kS8) b = m.constant_codes(constant, {0.1f, 3});
    if (dtype == DType::kS32) b = m.constant_words(constant, -99, 99);
  }
  attributes.emplace_back("transpose_b", transpose_b ? 1 : 0);
  return m.add(type, {*a, b}, dtype, attributes, quantization);
}

Result matmul_f32(Maker& m) { return matmul(m, "matmul_f32", DType::kF32, {}, {}); }
Result matmul_s32(Maker& m) { return matmul(m, "matmul_s32", DType::kS32, {}, {}); }
Result matmul_qs8(Maker& m) {
  const Attributes attributes = m.quantized_range({{"multiplier", m.random.real(1e-4f, 1e-1f)}});
  return matmul(m, "matmul_qs8", DType::kS8, attributes, m.codes(DType::kS8));
}

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

Result pool(Maker& m, const char* type, DType dtype, bool average) {
  const Result x = m.pick(dtype, 4);
  if (!x) return {};
  const uint32_t kh = m.small(1, 4), kw = m.small(1, 4);
  Attributes attributes = m.window(kh, kw);
  attributes.emplace_back("kernel_h", kh);
  attributes.emplace_back("kernel_w", kw);
  if (average) attributes.emplace_back("count_include_pad", m.small(0, 1));
  const TensorDesc& desc = m.builder.desc(*x);
  Quantization quantization{desc.scale, desc.zero_point};
  if (average && dtype == DType::kS8) {
    attributes.emplace_back("multiplier", m.random.real(0.1f, 3.0f));
    attributes = m.quantized_range(attributes);
    quantization = m.codes(dtype);
  }
  return m.add(type, {*x}, dtype, attributes, quantization);
}

Result maxpool2d_s8(Maker& m) { return pool(m, "maxpool2d_s8", DType::kS8, false); }
Result maxpool2d_f32(Maker& m) { return pool(m, "maxpool2d_f32", DType::kF32, false); }
Result avgpool2d_qs8(Maker& m) { return pool(m, "avgpool2d_qs8", DType::kS8, true); }
Result avgpool2d_f32(Maker& m) { return pool(m, "avgpool2d_f32", DType::kF32, true); }

Result maxpool2d_indices(Maker& m) {
  const Result x = m.pick(m.random.chance(2) ? DType::kS8 : DType::kF32, 4);
  if (!x) return {};
  const uint32_t kh = m.small(1, 4), kw = m.small(1, 4);
  Attributes attributes = m.window(kh, kw);
  attributes.emplace_back("kernel_h", kh);
  attributes.emplace_back("kernel_w", kw);
  attributes.emplace_back("column_major", m.small(0, 1));
  return m.add("maxpool2d_indices", {*x}, DType::kS64, attributes);
}

Result resize(Maker& m, const char* type, DType dtype) {
  const Result x = m.pick(dtype, 4);
  if (!x) return {};
  const uint32_t h = m.small(1, 16), w = m.small(1, 16);
  const Shape shape = m.builder.desc(*x).shape;
  Attributes attributes = {
      {"output_h", h},
      {"output_w", w},
      {"scale_h", static_cast<float>(h) / static_cast<float>(shape[1])},
      {"scale_w", static_cast<float>(w) / static_cast<float>(shape[2])},
      {"coordinate_mode", m.small(0, 2)},
  };
  if (dtype == DType::kF32) return m.add(type, {*x}, dtype, attributes);
  return m.add(type, {*x}, dtype, m.quantized_range(attributes), m.codes(dtype));
}

Result resize2d_qs8(Maker& m) { return resize(m, "resize2d_qs8", DType::kS8); }
Result resize2d_f32(Maker& m) { return resize(m, "resize2d_f32", DType::kF32); }

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

Quantization quantization_of(Maker& m, uint32_t tensor) {
  return {m.builder.desc(tensor).scale, m.builder.desc(tensor).zero_point};
}

Result concat(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  if (desc.shape.rank == 0) return {};
  std::vector<uint32_t> inputs = {*x};
  while (m.random.chance(2)) inputs.push_back(*m.pick(desc.dtype, desc.shape.rank));
  return m.add("concat", inputs, desc.dtype, {{"axis", m.small(0, desc.shape.rank - 1)}},
               quantization_of(m, *x));
}

Result slice(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  if (desc.shape.rank == 0) return {};
  const uint32_t axis = m.small(0, desc.shape.rank - 1);
  const uint32_t start = m.small(0, desc.shape[axis] - 1);
  const uint32_t last = m.small(0, desc.shape[axis] - 1);
  const double step = last < start ? -1.0 : m.small(1, 3);
  const auto length = static_cast<uint32_t>((int64_t{last} - start) / step) + 1;
  return m.add("slice", {*x}, desc.dtype,
               {{"axis", axis}, {"start", start}, {"length", length}, {"step", step}},
               quantization_of(m, *x));
}

// Indices into a tensor: one that the network computes, or constants.
Result indices(Maker& m, const Shape& shape) {
  const Result computed = m.pick(m.random.chance(4) ? DType::kS64 : DType::kS32, shape.rank);
  if (computed && m.random.chance(2)) return computed;
  return m.constant_words(shape, -9, 9);
}

// A tensor that has an axis, and one of its axes.
struct WithAxis {
  uint32_t x, axis;
  TensorDesc desc;
};

std::optional<WithAxis> pick_with_axis(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  if (desc.shape.rank == 0) return {};
  return WithAxis{*x, m.small(0, desc.shape.rank - 1), desc};
}

Result gather(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  return m.add("gather", {picked->x, *indices(m, {m.small(1, 9)})}, picked->desc.dtype,
               {{"axis", picked->axis}}, quantization_of(m, picked->x));
}

Shape selection(Maker& m, const WithAxis& picked) {
  Shape shape = picked.desc.shape;
  shape.dims[picked.axis] = m.small(1, 5);
  return shape;
}

Result gather_elements(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  return m.add("gather_elements", {picked->x, *indices(m, selection(m, *picked))},
               picked->desc.dtype, {{"axis", picked->axis}}, quantization_of(m, picked->x));
}

Result gather_nd(Maker& m) {
  const Result x = m.pick_any();
  const Result chosen = m.pick(m.random.chance(4) ? DType::kS64 : DType::kS32);
  if (!chosen) return {};
  return m.add("gather_nd", {*x, *chosen}, m.builder.desc(*x).dtype,
               {{"batch_dims", m.random.chance(4) ? 1 : 0}}, quantization_of(m, *x));
}

// The updates of a scatter come from the tensor itself, by a gather with the same indices.
Result scatter_elements(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  const Result chosen = indices(m, selection(m, *picked));
  const DType dtype = picked->desc.dtype;
  const Result updates = m.add("gather_elements", {picked->x, *chosen}, dtype,
                               {{"axis", picked->axis}}, quantization_of(m, picked->x));
  if (!updates) return {};
  return m.add("scatter_elements", {picked->x, *chosen, *updates}, dtype,
               {{"axis", picked->axis}, {"reduction", m.small(0, 4)}},
               quantization_of(m, picked->x));
}

Result scatter_nd(Maker& m) {
  const Result x = m.pick_any();
  const Result chosen = indices(m, {m.small(1, 4), 1});
  const DType dtype = m.builder.desc(*x).dtype;
  const Result updates = m.add("gather_nd", {*x, *chosen}, dtype, {{"batch_dims", 0}});
  if (!updates) return {};
  return m.add("scatter_nd", {*x, *chosen, *updates}, dtype, {{"reduction", m.small(0, 4)}},
               quantization_of(m, *x));
}

Result expand(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  Shape shape = desc.shape;
  for (uint32_t i = 0; i < shape.rank; ++i) {
    if (shape[i] == 1) shape.dims[i] = m.small(1, 4);
  }
  return m.add("expand", {*x}, desc.dtype, {}, quantization_of(m, *x), shape);
}

Result pad(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  static constexpr const char* kNames[][2] = {{"before0", "after0"}, {"before1", "after1"},
                                              {"before2", "after2"}, {"before3", "after3"},
                                              {"before4", "after4"}, {"before5", "after5"}};
  Attributes attributes;
  for (uint32_t i = 0; i < kMaxRank; ++i) {
    for (const char* name : kNames[i]) {
      attributes.emplace_back(name, i < desc.shape.rank && m.random.chance(4) ? m.small(1, 3) : 0);
    }
  }
  const std::vector<uint8_t> value(dtype_bytes(desc.dtype), 1);
  const uint32_t constant = m.builder.constant(m.name(), desc.dtype, {}, value);
  return m.add("pad", {*x, constant}, desc.dtype, attributes, quantization_of(m, *x));
}

Result cumulative_sum(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  return m.add("cumulative_sum", {picked->x}, picked->desc.dtype,
               {{"axis", picked->axis}, {"exclusive", m.small(0, 1)}, {"reverse", m.small(0, 1)}});
}

Result reduce(Maker& m, const char* type, uint32_t x) {
  const TensorDesc desc = m.builder.desc(x);
  const uint32_t every = (1U << desc.shape.rank) - 1;
  return m.add(type, {x}, desc.dtype, {{"function", m.small(0, 7)}, {"axes", m.small(1, every)}});
}

Result reduce_f32(Maker& m) {
  const Result x = m.pick(DType::kF32);
  if (!x || m.builder.desc(*x).shape.rank == 0) return {};
  return reduce(m, "reduce_f32", *x);
}

Result reduce_integer(Maker& m) {
  const Result x = m.pick_any();
  if (m.builder.desc(*x).shape.rank == 0) return {};
  return reduce(m, "reduce_integer", *x);
}

Result resample_f32(Maker& m) {
  const Result x = m.pick(DType::kF32);
  if (!x || m.builder.desc(*x).shape.rank == 0) return {};
  const Shape shape = m.builder.desc(*x).shape;
  const uint32_t axis = m.small(0, shape.rank - 1);
  const Shape table = {m.small(1, 9), m.small(1, 4)};
  return m.add("resample_f32",
               {*x, m.constant_words(table, 0, shape[axis] - 1), m.constant_floats(table, -1, 1)},
               DType::kF32, {{"axis", axis}});
}

Result argmax(Maker& m) {
  const DType dtypes[] = {DType::kS8, DType::kF32, DType::kS32};
  const Result x = m.pick(dtypes[m.small(0, 2)]);
  if (!x || m.builder.desc(*x).shape.rank == 0) return {};
  return m.add("argmax", {*x}, m.random.chance(2) ? DType::kS32 : DType::kS64,
               {{"axis", m.small(0, m.builder.desc(*x).shape.rank - 1)},
                {"keepdims", m.small(0, 1)},
                {"select_last_index", m.small(0, 1)},
                {"smallest", m.small(0, 1)}});
}

Result topk(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  return m.add("topk", {picked->x}, DType::kS64,
               {{"axis", picked->axis},
                {"k", m.small(1, picked->desc.shape[picked->axis])},
                {"largest", m.small(0, 1)}});
}

/// One int64 from 0 to somewhat above `extent`, computed from any tensor.
Result count_up_to(Maker& m, uint32_t extent) {
  Result x = m.pick_any();
  x = m.add("cast", {*x}, DType::kBool);
  if (x) x = m.add("cast", {*x}, DType::kS64);
  const uint32_t rank = m.builder.desc(*x).shape.rank;
  if (rank == 0) return {};
  x = m.add("reduce_integer", {*x}, DType::kS64, {{"function", 0}, {"axes", (1 << rank) - 1}});
  const std::vector<int64_t> limit = {int64_t{extent} + 2};
  const uint32_t most = m.builder.constant(m.name(), DType::kS64, {1}, limit);
  constexpr int kMod = 8;
  return m.add("binary_integer", {*x, most}, DType::kS64, {{"function", kMod}});
}

Result narrow(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  const Result length = count_up_to(m, picked->desc.shape[picked->axis]);
  if (!length) return {};
  return m.add("narrow", {picked->x, *length}, picked->desc.dtype, {{"axis", picked->axis}},
               quantization_of(m, picked->x));
}

Result shape(Maker& m) { return m.add("shape", {*m.pick_any()}, DType::kS64); }

Result nonzero(Maker& m) { return m.add("nonzero", {*m.pick_any()}, DType::kS64); }

Result nms(Maker& m) {
  const uint32_t batch = m.small(1, 2), n = m.small(1, 20);
  const uint32_t boxes = m.constant_floats({batch, n, 4}, 0, 4);
  const uint32_t scores = m.constant_floats({batch, m.small(1, 3), n}, -1, 1);
  // Scores that depend on the input, equal ones among them.
  const Result x = m.pick(DType::kF32);
  if (!x || m.builder.desc(*x).shape.rank == 0) return {};
  const uint32_t rank = m.builder.desc(*x).shape.rank;
  const Result sum =
      m.add("reduce_f32", {*x}, DType::kF32, {{"function", 0}, {"axes", (1 << rank) - 1}});
  const Result one = sum ? m.add("reshape", {*sum}, DType::kF32, {}, {}, {1}) : Result();
  const Result moved =
      one ? m.add("binary_f32", {scores, *one}, DType::kF32, {{"function", m.small(0, 5)}})
          : Result();
  if (!moved) return {};
  return m.add("nms", {boxes, *moved}, DType::kS64,
               {{"most", m.small(1, 8)},
                {"center_point_box", m.small(0, 1)},
                {"iou_threshold", m.random.real(0, 1)},
                {"score_threshold", m.random.real(-1, 0.5f)}});
}

Result cast(Maker& m) {
  const Result x = m.pick_any();
  const auto dtype = static_cast<DType>(m.small(1, static_cast<uint32_t>(DType::kS16)));
  return m.add("cast", {*x}, dtype);
}

Result reshape(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  const auto elements = static_cast<uint32_t>(desc.shape.elements());
  Shape shape = {elements};
  if (m.random.chance(2)) {
    shape = Shape{1, 1, 1, elements};
  } else if (desc.shape.rank > 0) {
    shape = desc.shape;
    std::swap(shape.dims[0], shape.dims[shape.rank - 1]);
  }
  return m.add("reshape", {*x}, desc.dtype, {}, quantization_of(m, *x), shape);
}

Result transpose(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  std::vector<uint32_t> order(desc.shape.rank);
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  for (uint32_t i = desc.shape.rank; i > 1; --i) std::swap(order[i - 1], order[m.small(0, i - 1)]);
  static constexpr const char* kNames[] = {"perm0", "perm1", "perm2", "perm3", "perm4", "perm5"};
  Attributes attributes;
  for (uint32_t i = 0; i < kMaxRank; ++i) {
    attributes.emplace_back(kNames[i], i < order.size() ? order[i] : i);
  }
  return m.add("transpose", {*x}, desc.dtype, attributes, quantization_of(m, *x));
}

struct Generator {
  const char* type;
  Result (*make)(Maker& maker);
};

constexpr Generator kGenerators[] = {
    {"add_qs8", add_qs8},
    {"argmax", argmax},
    {"avgpool2d_f32", avgpool2d_f32},
    {"avgpool2d_qs8", avgpool2d_qs8},
    {"binary_f32", binary_f32},
    {"binary_integer", binary_integer},
    {"cast", cast},
    {"compare", compare},
    {"concat", concat},
    {"conv2d_f32", conv2d_f32},
    {"conv2d_qs16", conv2d_qs16},
    {"conv2d_qs8", conv2d_qs8},
    {"conv2d_s32", conv2d_s32},
    {"cumulative_sum", cumulative_sum},
    {"deconv2d_f32", deconv2d_f32},
    {"deconv2d_qs8", deconv2d_qs8},
    {"dequantize_qs16_f32", dequantize_qs16_f32},
    {"dequantize_qs8_f32", dequantize_qs8_f32},
    {"dwconv2d_f32", dwconv2d_f32},
    {"dwconv2d_qs16", dwconv2d_qs16},
    {"dwconv2d_qs8", dwconv2d_qs8},
    {"dwdeconv2d_f32", dwdeconv2d_f32},
    {"dwdeconv2d_qs8", dwdeconv2d_qs8},
    {"expand", expand},
    {"gather", gather},
    {"gather_elements", gather_elements},
    {"gather_nd", gather_nd},
    {"logic", logic},
    {"lut_x8", lut_x8},
    {"matmul_f32", matmul_f32},
    {"matmul_qs8", matmul_qs8},
    {"matmul_s32", matmul_s32},
    {"maxpool2d_f32", maxpool2d_f32},
    {"maxpool2d_indices", maxpool2d_indices},
    {"maxpool2d_s8", maxpool2d_s8},
    {"mul_qs8", mul_qs8},
    {"narrow", narrow},
    {"nms", nms},
    {"nonzero", nonzero},
    {"pad", pad},
    {"quantize_f32_qs16", quantize_f32_qs16},
    {"quantize_f32_qs8", quantize_f32_qs8},
    {"reduce_f32", reduce_f32},
    {"reduce_integer", reduce_integer},
    {"resample_f32", resample_f32},
    {"requantize", requantize},
    {"reshape", reshape},
    {"resize2d_f32", resize2d_f32},
    {"resize2d_qs8", resize2d_qs8},
    {"scatter_elements", scatter_elements},
    {"scatter_nd", scatter_nd},
    {"shape", shape},
    {"slice", slice},
    {"softmax_f32", softmax_f32},
    {"topk", topk},
    {"transpose", transpose},
    {"unary_f32", unary_f32},
    {"where", where},
};

}  // namespace

ModelBuilder random_network(uint64_t seed, int operators) {
  constexpr uint64_t kMaxTensorElements = 20000;
  Maker maker(seed);
  const auto last = static_cast<int64_t>(std::size(kGenerators)) - 1;
  for (int i = 0; i < operators; ++i) {
    const Generator& generator = kGenerators[maker.random.integer(0, last)];
    if (find_operator_type(generator.type) == nullptr) continue;
    const Result made = generator.make(maker);
    if (!made) continue;
    // Larger results end here, so that networks stay small.
    if (maker.builder.desc(*made).shape.elements() <= kMaxTensorElements) {
      maker.pool.push_back(*made);
    }
  }
  const size_t outputs = std::min<size_t>(3, maker.pool.size());
  for (size_t i = 0; i < outputs; ++i) {
    maker.builder.output(maker.pool[maker.pool.size() - 1 - i]);
  }
  return std::move(maker.builder);
}

bool makes_operators_of(std::string_view type) {
  return std::any_of(std::begin(kGenerators), std::end(kGenerators),
                     [type](const Generator& generator) { return type == generator.type; });
}

}  // namespace bitpose::test
