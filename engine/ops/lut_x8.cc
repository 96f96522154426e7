// SPDX-License-Identifier: Apache-2.0
#include "kernels/lut_x8/lut_x8.h"

#include <algorithm>
#include <array>

#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

// lut_x8: y(i) = table(x(i)), byte by byte.
//   x      int8 or uint8, any shape
//   table  uint8 [256], constant; a signed code q stands at q & 255
//   y      int8 or uint8, the shape of x
class LutX8Operator final : public Operator {
 public:
  LutX8Operator(const uint8_t* table, isa::Set isas)
      : kernel_(select_lut_x8(isas, prove_lut_x8(table))) {
    std::copy_n(table, table_.size(), table_.begin());
  }

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    outputs[0].shape = inputs[0].shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const auto* src = args.inputs[0].as<uint8_t>();
    auto* dst = args.outputs[0].mutable_as<uint8_t>();
    parallel_ranges(args.pool, args.outputs[0].shape().elements(), kElementwiseGrain,
                    [&](size_t begin, size_t end, size_t) {
                      kernel_.run(end - begin, src + begin, table_.data(), dst + begin);
                    });
  }

  int in_place_input() const override { return 0; }
  size_t packed_bytes() const override { return table_.size(); }
  const char* kernel_name() const override { return kernel_.name; }

 private:
  const LutX8Kernel& kernel_;
  std::array<uint8_t, 256> table_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const TensorDesc& table = args.inputs[1];
  OperandChecks checks;
  checks.of("x", args.inputs[0]).dtype({DType::kS8, DType::kU8});
  checks.of("table", table).dtype({DType::kU8}).shape({256}).constant();
  checks.of("y", args.outputs[0]).dtype({DType::kS8, DType::kU8});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<LutX8Operator>(static_cast<const uint8_t*>(table.constant), args.isas);
  return {};
}

}  // namespace

const OperatorType lut_x8_type = {.name = "lut_x8",
                                  .fields = {},
                                  .attribute_bytes = 0,
                                  .min_inputs = 2,
                                  .max_inputs = 2,
                                  .outputs = 1,
                                  .create = create};

}  // namespace bitpose
