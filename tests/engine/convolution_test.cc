// SPDX-License-Identifier: Apache-2.0
// The convolutions against their definition, over random windows, shapes and thread counts.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/aligned_buffer.h"
#include "engine/ops/conv_geometry.h"
#include "engine/ops/deconvolution.h"
#include "engine/ops/operator.h"
#include "engine/runtime/thread_pool.h"
#include "kernels/base/reals.h"
#include "kernels/base/requantize.h"
#include "tests/support/check.h"

namespace bitpose::test {
namespace {

/// The bounds of the results: floats or codes.
union Range {
  float real[2];
  int32_t code[2];
};

/// The attributes of the convolutions as they stand in a model.
struct ConvAttributes {
  ConvWindow window;
  Range range;
};

struct DeconvAttributes {
  DeconvWindow window;
  Range range;
};

enum class Kind { kDense, kDepthwise, kTransposed, kDepthwiseTransposed };

struct Layer {
  DeconvAttributes attributes;
  Kind kind;
  uint32_t kernel_h, kernel_w, channels, columns;
  uint32_t groups;  ///< Of a layer that is not depthwise.
  Shape input;

  const ConvWindow& window() const { return attributes.window.window; }
  bool is_depthwise() const {
    return kind == Kind::kDepthwise || kind == Kind::kDepthwiseTransposed;
  }
  bool is_transposed() const {
    return kind == Kind::kTransposed || kind == Kind::kDepthwiseTransposed;
  }

  std::string operator_name(const char* suffix) const {
    const char* names[] = {"conv2d", "dwconv2d", "deconv2d", "dwdeconv2d"};
    return std::string(names[static_cast<size_t>(kind)]) + suffix;
  }

  std::string text() const {
    const ConvWindow& w = window();
    std::string text = input.text() + " kernel " + std::to_string(kernel_h) + "x" +
                       std::to_string(kernel_w) + " to " + std::to_string(columns) + " in " +
                       std::to_string(groups) + " groups, window";
    for (const uint32_t value :
         {w.stride_h, w.stride_w, w.dilation_h, w.dilation_w, w.pad_top, w.pad_left, w.pad_bottom,
          w.pad_right, attributes.window.output_padding_h, attributes.window.output_padding_w}) {
      text += ' ';
      text += std::to_string(value);
    }
    return text;
  }

  Shape weights_shape() const {
    if (is_depthwise()) return {kernel_h, kernel_w, columns};
    return {columns, kernel_h, kernel_w, channels / groups};
  }
};

Layer random_layer(Random& random, Kind kind) {
  const auto pick = [&](int64_t low, int64_t high) {
    return static_cast<uint32_t>(random.integer(low, high));
  };
  Layer layer;
  layer.kind = kind;
  const bool depthwise = layer.is_depthwise();
  const uint32_t usual[] = {1, 3, 3, 3, 5, 7};
  layer.kernel_h = random.chance(4) ? pick(1, 4) : usual[pick(0, 5)];
  layer.kernel_w = random.chance(4) ? pick(1, 4) : layer.kernel_h;
  ConvWindow& w = layer.attributes.window.window;
  w.stride_h = pick(1, 2);
  w.stride_w = random.chance(4) ? pick(1, 3) : w.stride_h;
  w.dilation_h = random.chance(4) ? pick(1, 3) : 1;
  w.dilation_w = random.chance(4) ? pick(1, 3) : w.dilation_h;
  const uint32_t extent_h = (layer.kernel_h - 1) * w.dilation_h + 1;
  const uint32_t extent_w = (layer.kernel_w - 1) * w.dilation_w + 1;
  w.pad_top = pick(0, extent_h - 1);
  w.pad_left = pick(0, extent_w - 1);
  w.pad_bottom = pick(0, extent_h - 1);
  w.pad_right = pick(0, extent_w - 1);
  layer.groups = depthwise || random.chance(2) ? 1 : pick(1, 5);
  layer.channels = layer.groups * pick(1, depthwise ? 150 : 20);
  layer.columns = depthwise ? layer.channels : layer.groups * pick(1, 40);
  layer.attributes.window.output_padding_h = random.chance(2) ? 0 : pick(0, 3);
  layer.attributes.window.output_padding_w = random.chance(2) ? 0 : pick(0, 3);
  const auto side = [&](uint32_t extent, uint32_t padding) {
    uint32_t least = extent > padding ? extent - padding : 1;
    // Padding crops the result of a transposed convolution.
    if (layer.is_transposed()) least = padding < extent ? 1 : padding - extent + 2;
    return pick(least, least + (random.chance(2) ? 4 : 17));
  };
  layer.input = {pick(1, 2), side(extent_h, w.pad_top + w.pad_bottom),
                 side(extent_w, w.pad_left + w.pad_right), layer.channels};
  return layer;
}

/// The tap falls between two inputs.
constexpr int64_t kNoTap = -2;

/// The input row or column under a tap, or -1 outside the picture.
int64_t input_of(bool transposed, uint32_t output, uint32_t tap, uint32_t stride, uint32_t dilation,
                 uint32_t padding, uint32_t extent) {
  int64_t input = int64_t{output} * stride + int64_t{tap} * dilation - padding;
  if (transposed) {
    const int64_t distance = int64_t{output} + padding - int64_t{tap} * dilation;
    if (distance % stride != 0) return kNoTap;
    input = distance / stride;
  }
  return input >= 0 && input < extent ? input : -1;
}

/// Calls `tap(weight index, input index or -1 for padding)` for every tap and channel of output
/// element (n, y, x, column), in the order of the definition.
template <typename F>
void for_each_tap(const Layer& layer, uint32_t n, uint32_t y, uint32_t x, uint32_t column,
                  const F& tap) {
  const ConvWindow& w = layer.window();
  const uint32_t channels = layer.is_depthwise() ? 1 : layer.channels / layer.groups;
  const uint32_t group = column / (layer.columns / layer.groups);
  const uint32_t taps = layer.kernel_h * layer.kernel_w;
  for (uint32_t i = 0; i < taps; ++i) {
    // A transposed convolution starts with the last tap.
    const uint32_t t = layer.is_transposed() ? taps - 1 - i : i;
    const int64_t iy = input_of(layer.is_transposed(), y, t / layer.kernel_w, w.stride_h,
                                w.dilation_h, w.pad_top, layer.input[1]);
    const int64_t ix = input_of(layer.is_transposed(), x, t % layer.kernel_w, w.stride_w,
                                w.dilation_w, w.pad_left, layer.input[2]);
    if (iy == kNoTap || ix == kNoTap) continue;
    const bool inside = iy >= 0 && ix >= 0;
    for (uint32_t c = 0; c < channels; ++c) {
      const uint32_t channel = layer.is_depthwise() ? column : group * channels + c;
      const int64_t pixel = (int64_t{n} * layer.input[1] + iy) * layer.input[2] + ix;
      const size_t weight = layer.is_depthwise() ? size_t{t} * layer.columns + column
                                                 : (size_t{column} * taps + t) * channels + c;
      tap(weight, inside ? pixel * layer.channels + channel : -1);
    }
  }
}

template <typename T, typename F>
std::vector<T> reference(const Layer& layer, const Shape& output, const F& element) {
  std::vector<T> y;
  for (uint32_t n = 0; n < output[0]; ++n) {
    for (uint32_t row = 0; row < output[1]; ++row) {
      for (uint32_t x = 0; x < output[2]; ++x) {
        for (uint32_t column = 0; column < layer.columns; ++column) {
          y.push_back(element(n, row, x, column));
        }
      }
    }
  }
  return y;
}

/// Creates the operator, reshapes and runs it. Inputs are given with their data; activations are
/// followed by the bytes that a kernel may read.
template <typename T, typename X>
std::vector<T> run(const std::string& type_name, const Layer& layer, std::vector<TensorDesc> inputs,
                   TensorDesc output, const std::vector<X>& x, isa::Set isas, size_t threads) {
  const ConvAttributes attributes{layer.window(), layer.attributes.range};
  CreateArgs create;
  create.attributes = &attributes;
  if (layer.is_transposed()) create.attributes = &layer.attributes;
  create.inputs = inputs;
  create.outputs = {&output, 1};
  create.isas = isas;
  std::unique_ptr<Operator> op;
  const Status created = find_operator_type(type_name)->create(create, &op);
  CHECK(created.ok(), created.message());
  const Status reshaped = op->reshape(inputs, {&output, 1});
  CHECK(reshaped.ok(), layer.text() + ": " + reshaped.message());

  ThreadPool pool(threads);
  const size_t scratch_bytes = op->scratch_per_thread(inputs, {&output, 1});
  const size_t stride = (scratch_bytes + kAlignment - 1) / kAlignment * kAlignment;
  const AlignedBuffer scratch(stride * threads + 1);
  std::vector<X> source = x;
  source.resize(x.size() + kOverread / sizeof(X), X{77});
  std::vector<T> y(output.shape.elements());
  std::vector<TensorRef> refs;
  refs.reserve(inputs.size());
  for (const TensorDesc& desc : inputs) refs.push_back({const_cast<void*>(desc.constant), &desc});
  refs[0].data = source.data();
  TensorRef result{y.data(), &output};
  RunArgs args;
  args.inputs = refs;
  args.outputs = {&result, 1};
  args.scratch = scratch.data();
  args.scratch_stride = stride;
  args.pool = &pool;
  op->run(args);
  return y;
}

template <typename T>
void check_equal(const std::vector<T>& got, const std::vector<T>& expected,
                 const std::string& text) {
  CHECK(got.size() == expected.size(), text);
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::memcmp(&got[i], &expected[i], sizeof(T)) == 0) continue;
    CHECK(false, text + ": element " + std::to_string(i) + " is " + std::to_string(got[i]) +
                     ", expected " + std::to_string(expected[i]));
  }
}

TensorDesc describe(DType dtype, const Shape& shape, const void* constant = nullptr) {
  TensorDesc desc;
  desc.dtype = dtype;
  desc.shape = shape;
  desc.constant = constant;
  return desc;
}

Shape output_shape(const Layer& layer) {
  const ConvWindow& w = layer.window();
  if (layer.is_transposed()) {
    const DeconvWindow& deconv = layer.attributes.window;
    return {layer.input[0],
            (layer.input[1] - 1) * w.stride_h + (layer.kernel_h - 1) * w.dilation_h + 1 +
                deconv.output_padding_h - w.pad_top - w.pad_bottom,
            (layer.input[2] - 1) * w.stride_w + (layer.kernel_w - 1) * w.dilation_w + 1 +
                deconv.output_padding_w - w.pad_left - w.pad_right,
            layer.columns};
  }
  ConvGeometry g;
  CHECK_OK(make_conv_geometry(w, layer.kernel_h, layer.kernel_w, layer.input, layer.columns, &g));
  return {layer.input[0], static_cast<uint32_t>(g.output_h), static_cast<uint32_t>(g.output_w),
          layer.columns};
}

template <typename F>
void for_each_isa_and_thread_count(const F& function) {
  for (const isa::Set isas :
       {isa::Set{isa::scalar}, isa::limit(isa::detect(), "avx2"), isa::detect()}) {
    for (const size_t threads : {1, 3}) function(isas, threads);
  }
}

void check_f32(uint64_t seed, Kind kind) {
  Random random(seed);
  Layer layer = random_layer(random, kind);
  const float infinity = std::numeric_limits<float>::infinity();
  layer.attributes.range.real[0] = random.chance(2) ? 0.0f : -infinity;
  layer.attributes.range.real[1] = random.chance(2) ? 6.0f : infinity;
  const auto magnitudes = static_cast<Reals>(random.integer(0, 2));
  const auto x = reals(random, layer.input.elements(), magnitudes);
  const auto weights = reals(random, layer.weights_shape().elements(), magnitudes);
  const auto bias = reals(random, layer.columns, magnitudes);
  const std::vector<TensorDesc> inputs = {
      describe(DType::kF32, layer.input),
      describe(DType::kF32, layer.weights_shape(), weights.data()),
      describe(DType::kF32, {layer.columns}, bias.data())};
  const Shape output = output_shape(layer);
  const auto expected = reference<float>(layer, output, [&](auto n, auto y, auto px, auto column) {
    float acc = bias[column];
    for_each_tap(layer, n, y, px, column, [&](size_t w, int64_t i) {
      acc = fmaf(i < 0 ? 0.0f : x[static_cast<size_t>(i)], weights[w], acc);
    });
    const float* range = layer.attributes.range.real;
    acc = acc < range[0] ? range[0] : acc;
    return acc > range[1] ? range[1] : acc;
  });
  for_each_isa_and_thread_count([&](isa::Set isas, size_t threads) {
    const auto got = run<float>(layer.operator_name("_f32"), layer, inputs,
                                describe(DType::kF32, output), x, isas, threads);
    check_equal(canonical_nans(got), canonical_nans(expected), layer.text());
  });
}

TensorDesc quantized(const Shape& shape, int32_t zero_point, const void* constant = nullptr) {
  TensorDesc desc = describe(DType::kS8, shape, constant);
  desc.scale = 0.5f;
  desc.zero_point = zero_point;
  return desc;
}

void check_qs8(uint64_t seed, Kind kind) {
  Random random(seed);
  Layer layer = random_layer(random, kind);
  const auto code = [&] { return static_cast<int32_t>(random.integer(-128, 127)); };
  OutputRange range{code()};
  if (random.chance(2)) {
    range.qmin = code();
    range.qmax = static_cast<int32_t>(random.integer(range.qmin, 127));
  }
  layer.attributes.range.code[0] = range.qmin;
  layer.attributes.range.code[1] = range.qmax;
  const int32_t input_zero = code();
  const int32_t weight_zero = random.chance(2) ? 0 : code();
  const auto x = random.codes(layer.input.elements());
  const auto weights = random.codes(layer.weights_shape().elements());
  std::vector<int32_t> bias;
  std::vector<float> multiplier;
  const float scale = random.chance(8) ? 1e5f : 1.0f / 2048.0f;
  for (uint32_t c = 0; c < layer.columns; ++c) {
    bias.push_back(static_cast<int32_t>(random.integer(-40000, 40000)));
    multiplier.push_back(random.real(0.1f, 1.0f) * scale);
  }
  const std::vector<TensorDesc> inputs = {
      quantized(layer.input, input_zero),
      quantized(layer.weights_shape(), weight_zero, weights.data()),
      describe(DType::kS32, {layer.columns}, bias.data()),
      describe(DType::kF32, {layer.columns}, multiplier.data())};
  const Shape output = output_shape(layer);
  const auto sum = [&](auto n, auto y, auto px, auto column) {
    int32_t acc = bias[column];
    for_each_tap(layer, n, y, px, column, [&](size_t w, int64_t i) {
      const int32_t a = i < 0 ? input_zero : x[static_cast<size_t>(i)];
      acc += (a - input_zero) * (weights[w] - weight_zero);
    });
    return acc;
  };
  const auto expected = reference<int8_t>(layer, output, [&](auto n, auto y, auto px, auto column) {
    return requantize(sum(n, y, px, column), multiplier[column], range);
  });
  for_each_isa_and_thread_count([&](isa::Set isas, size_t threads) {
    const auto got = run<int8_t>(layer.operator_name("_qs8"), layer, inputs,
                                 quantized(output, range.zero_point), x, isas, threads);
    check_equal(got, expected, layer.text());
  });
  if (layer.is_depthwise()) return;
  layer.attributes.range.real[0] = random.chance(2) ? 0.0f : -50.0f;
  layer.attributes.range.real[1] = random.chance(2) ? 6.0f : 5000.0f;
  const auto real = reference<float>(layer, output, [&](auto n, auto y, auto px, auto column) {
    const float exact = static_cast<float>(sum(n, y, px, column)) * multiplier[column];
    return std::clamp(exact, layer.attributes.range.real[0], layer.attributes.range.real[1]);
  });
  for_each_isa_and_thread_count([&](isa::Set isas, size_t threads) {
    const auto got = run<float>(layer.operator_name("_qs8_f32"), layer, inputs,
                                describe(DType::kF32, output), x, isas, threads);
    check_equal(got, real, layer.text());
  });
}

}  // namespace
}  // namespace bitpose::test

int main() {
  using namespace bitpose::test;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    for (const Kind kind :
         {Kind::kDense, Kind::kDepthwise, Kind::kTransposed, Kind::kDepthwiseTransposed}) {
      check_f32(seed, kind);
      check_qs8(seed, kind);
    }
  }
  return 0;
}
