// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/ops/matmul.h"

namespace bitpose {
namespace {

/// Columns that are summed at once.
constexpr size_t kColumns = 256;

// matmul_s32: products of matrices of integers modulo 2^32.
//   a   int32 [...,M,K]
//   b   int32 [...,K,N], or [...,N,K] if transpose_b
//   y   int32 [...,M,N]
class MatmulS32Operator final : public MatmulOperator {
 public:
  explicit MatmulS32Operator(bool transpose_b) : MatmulOperator(transpose_b) {}

  void run(const RunArgs& args) const override {
    const MatmulGeometry g = geometry_of(args.inputs[0].shape(), args.inputs[1].shape());
    const auto* a = args.inputs[0].as<uint32_t>();
    const auto* b = args.inputs[1].as<uint32_t>();
    auto* y = args.outputs[0].mutable_as<uint32_t>();
    for_each_block(args.pool, g, kColumns, [&](const MatmulBlock& block, size_t) {
      const uint32_t* left = a + g.a_offset(block.product) + block.first_row * g.k;
      const uint32_t* right = b + g.b_offset(block.product);
      uint32_t* row = y + (block.product * g.m + block.first_row) * g.n + block.first_column;
      for (size_t i = 0; i < block.rows; ++i, left += g.k, row += g.n) {
        std::fill_n(row, block.columns, 0u);
        if (g.transpose_b) {
          add_products(left, right + block.first_column * g.k, g.k, block.columns, row);
        } else {
          add_rows(left, right + block.first_column, g.k, g.n, block.columns, row);
        }
      }
    });
  }

 private:
  static void add_rows(const uint32_t* a, const uint32_t* b, size_t k, size_t n, size_t columns,
                       uint32_t* row) {
    for (size_t i = 0; i < k; ++i, b += n) {
      for (size_t j = 0; j < columns; ++j) row[j] += a[i] * b[j];
    }
  }

  static void add_products(const uint32_t* a, const uint32_t* b, size_t k, size_t columns,
                           uint32_t* row) {
    for (size_t j = 0; j < columns; ++j, b += k) {
      uint32_t acc = 0;
      for (size_t i = 0; i < k; ++i) acc += a[i] * b[i];
      row[j] = acc;
    }
  }
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("a", args.inputs[0]).dtype({DType::kS32});
  checks.of("b", args.inputs[1]).dtype({DType::kS32});
  checks.of("y", args.outputs[0]).dtype({DType::kS32});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<MatmulS32Operator>(args.as<MatmulAttributes>().transpose_b == 1);
  return {};
}

}  // namespace

const OperatorType matmul_s32_type = {.name = "matmul_s32",
                                      .fields = kMatmulFields,
                                      .attribute_bytes = sizeof(MatmulAttributes),
                                      .min_inputs = 2,
                                      .max_inputs = 2,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
