// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/operands.h"
#include "engine/ops/pooling.h"

namespace bitpose {
namespace {

struct Attributes {
  PoolAttributes pool;
  uint32_t column_major;
};

constexpr auto kFields = join_fields(kPoolFields, {BITPOSE_FIELD(Attributes, column_major, 0, 1)});

// maxpool2d_indices: where the largest element under each window stands, the first among equals and
// the one that maxpool2d takes where there are NaNs: its index among the elements of [N,C,H,W], or
// of [N,C,W,H] if column_major. 0 where a window lies in padding alone.
//   x   int8 or float32 [N,H,W,C]
//   y   int64 [N,OH,OW,C]
template <typename T>
class Maxpool2dIndicesOperator final : public PoolOperator {
 public:
  explicit Maxpool2dIndicesOperator(const Attributes& attributes)
      : PoolOperator(attributes.pool), column_major_(attributes.column_major == 1) {}

  void run(const RunArgs& args) const override {
    const Shape& x = args.inputs[0].shape();
    const auto* src = args.inputs[0].as<T>();
    auto* dst = args.outputs[0].mutable_as<int64_t>();
    for_each_run(args, int64_t{0}, [&](const PoolRun& run) {
      const size_t first = run.src_row + run.src_column;
      for (size_t i = 0; i < run.window.m * run.window.kc; ++i) {
        const size_t output = i / run.window.kc;
        const size_t start = first + output * run.window.src_step + i % run.window.kc;
        dst[run.dst + i] = index_of(x, largest(run.window, src, start));
      }
    });
  }

 private:
  /// The element of the input that wins the window which starts at element `start`.
  static size_t largest(const PoolWindow& window, const T* src, size_t start) {
    size_t best = start;
    for (size_t y = 0; y < window.kh; ++y) {
      for (size_t x = 0; x < window.kw; ++x) {
        const size_t tap = start + y * window.row_step + x * window.tap_step;
        if (src[tap] > src[best]) best = tap;
      }
    }
    return best;
  }

  int64_t index_of(const Shape& shape, size_t element) const {
    const size_t height = shape[1], width = shape[2], channels = shape[3];
    const size_t channel = element % channels, pixel = element / channels;
    const size_t column = pixel % width, row = pixel / width % height;
    const size_t plane = pixel / width / height * channels + channel;
    const size_t place = column_major_ ? column * height + row : row * width + column;
    return static_cast<int64_t>(plane * height * width + place);
  }

  bool column_major_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS8, DType::kF32}).rank(4);
  checks.of("y", args.outputs[0]).dtype({DType::kS64});
  if (!checks.ok()) return checks.status();
  if (args.inputs[0].dtype == DType::kS8) {
    *op = std::make_unique<Maxpool2dIndicesOperator<int8_t>>(attributes);
  } else {
    *op = std::make_unique<Maxpool2dIndicesOperator<float>>(attributes);
  }
  return {};
}

}  // namespace

const OperatorType maxpool2d_indices_type = {.name = "maxpool2d_indices",
                                             .fields = kFields,
                                             .attribute_bytes = sizeof(Attributes),
                                             .min_inputs = 1,
                                             .max_inputs = 1,
                                             .outputs = 1,
                                             .create = create};

}  // namespace bitpose
