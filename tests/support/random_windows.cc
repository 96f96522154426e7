// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_operators.h"

namespace bitpose::test {
namespace {

/// Groups of up to 4 that divide `channels`.
uint32_t groups_of(Maker& m, uint32_t channels) {
  const uint32_t groups = m.small(1, 4);
  return channels % groups == 0 ? groups : 1;
}

Attributes float_range(Maker& m, Attributes attributes) {
  const bool relu = m.random.chance(2);
  attributes.emplace_back("fmin", relu ? 0.0 : -kUnbounded);
  attributes.emplace_back("fmax", relu && m.random.chance(2) ? 6.0 : kUnbounded);
  return attributes;
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

Result conv2d_qs8_f32(Maker& m) {
  const Result x = m.pick(DType::kS8, 4);
  if (!x) return {};
  const uint32_t channels = m.builder.desc(*x).shape[3], groups = groups_of(m, channels);
  const uint32_t kh = m.small(1, 3), kw = m.small(1, 3), o = groups * m.small(1, 12);
  const Quantization w{0, m.random.chance(2) ? 0 : m.codes(DType::kS8).zero_point};
  return m.add("conv2d_qs8_f32",
               {*x, m.constant_codes({o, kh, kw, channels / groups}, w),
                m.constant_words({o}, -20000, 20000), m.constant_floats({o}, 1e-4f, 1e-2f)},
               DType::kF32, float_range(m, m.window(kh, kw)));
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

Result dwconv2d_qs8_f32(Maker& m) {
  const Result x = m.pick(DType::kS8, 4);
  if (!x) return {};
  const uint32_t kh = m.small(1, 3), kw = m.small(1, 3), c = m.builder.desc(*x).shape[3];
  const Quantization w{0, m.random.chance(2) ? 0 : m.codes(DType::kS8).zero_point};
  return m.add("dwconv2d_qs8_f32",
               {*x, m.constant_codes({kh, kw, c}, w), m.constant_words({c}, -20000, 20000),
                m.constant_floats({c}, 1e-4f, 1e-2f)},
               DType::kF32, float_range(m, m.window(kh, kw)));
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

Result deconv2d_qs8_f32(Maker& m) {
  const Result x = m.pick(DType::kS8, 4);
  if (!x) return {};
  const uint32_t channels = m.builder.desc(*x).shape[3], groups = groups_of(m, channels);
  const uint32_t kh = m.small(1, 4), kw = m.small(1, 4), o = groups * m.small(1, 12);
  const Quantization w{0, m.random.chance(2) ? 0 : m.codes(DType::kS8).zero_point};
  return m.add("deconv2d_qs8_f32",
               {*x, m.constant_codes({o, kh, kw, channels / groups}, w),
                m.constant_words({o}, -20000, 20000), m.constant_floats({o}, 1e-4f, 1e-2f)},
               DType::kF32, float_range(m, deconv_window(m, kh, kw)));
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

constexpr Generator kGenerators[] = {
    {"avgpool2d_f32", avgpool2d_f32},
    {"avgpool2d_qs8", avgpool2d_qs8},
    {"conv2d_f32", conv2d_f32},
    {"conv2d_qs16", conv2d_qs16},
    {"conv2d_qs8", conv2d_qs8},
    {"conv2d_qs8_f32", conv2d_qs8_f32},
    {"conv2d_s32", conv2d_s32},
    {"deconv2d_f32", deconv2d_f32},
    {"deconv2d_qs8", deconv2d_qs8},
    {"deconv2d_qs8_f32", deconv2d_qs8_f32},
    {"dwconv2d_f32", dwconv2d_f32},
    {"dwconv2d_qs16", dwconv2d_qs16},
    {"dwconv2d_qs8", dwconv2d_qs8},
    {"dwconv2d_qs8_f32", dwconv2d_qs8_f32},
    {"dwdeconv2d_f32", dwdeconv2d_f32},
    {"dwdeconv2d_qs8", dwdeconv2d_qs8},
    {"matmul_f32", matmul_f32},
    {"matmul_qs8", matmul_qs8},
    {"matmul_s32", matmul_s32},
    {"maxpool2d_f32", maxpool2d_f32},
    {"maxpool2d_indices", maxpool2d_indices},
    {"maxpool2d_s8", maxpool2d_s8},
    {"resize2d_f32", resize2d_f32},
    {"resize2d_qs8", resize2d_qs8},
};

}  // namespace

std::span<const Generator> window_generators() { return kGenerators; }

}  // namespace bitpose::test
