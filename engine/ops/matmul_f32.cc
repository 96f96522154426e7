// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/ops/matmul.h"
#include "kernels/gemm_f32/gemm_f32.h"

namespace bitpose {
namespace {

/// Packs columns of b, [K][N] or transposed, as a panel of `nr` columns without bias
/// (kernels/gemm_f32/gemm_f32.h).
void pack(const MatmulGeometry& g, const float* b, const MatmulBlock& block, size_t nr,
          float* panel) {
  std::fill_n(panel, nr, 0.0f);
  if (block.columns < nr) std::fill_n(panel, (1 + g.k) * nr, 0.0f);
  panel += nr;
  if (g.transpose_b) {
    for (size_t j = 0; j < block.columns; ++j) {
      const float* row = b + (block.first_column + j) * g.k;
      for (size_t k = 0; k < g.k; ++k) panel[k * nr + j] = row[k];
    }
  } else {
    for (size_t k = 0; k < g.k; ++k) {
      std::copy_n(b + k * g.n + block.first_column, block.columns, panel + k * nr);
    }
  }
}

// matmul_f32: products of matrices of floats, each sum from 0 in the order of k by fused
// multiply-adds.
//   a   float32 [...,M,K]
//   b   float32 [...,K,N], or [...,N,K] if transpose_b
//   y   float32 [...,M,N]
class MatmulF32Operator final : public MatmulOperator {
 public:
  MatmulF32Operator(bool transpose_b, isa::Set isas, size_t columns)
      : MatmulOperator(transpose_b), kernel_(*plan_gemm_f32(isas, columns).body) {}

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc>) const override {
    const Shape& a = inputs[0].shape;
    return packed_panel_bytes(kernel_.nr, 1, a[a.rank - 1]);
  }

  void run(const RunArgs& args) const override {
    const MatmulGeometry g = geometry_of(args.inputs[0].shape(), args.inputs[1].shape());
    const auto* a = args.inputs[0].as<float>();
    const auto* b = args.inputs[1].as<float>();
    auto* y = args.outputs[0].mutable_as<float>();
    for_each_block(args.pool, g, kernel_.nr, [&](const MatmulBlock& block, size_t thread) {
      auto* panel = reinterpret_cast<float*>(args.scratch_of(thread));
      pack(g, b + g.b_offset(block.product), block, kernel_.nr, panel);
      GemmF32Args gemm;
      gemm.m = block.rows;
      gemm.n = block.columns;
      gemm.ks = 1;
      gemm.kc = g.k;
      gemm.a = a + g.a_offset(block.product) + block.first_row * g.k;
      gemm.a_stride = g.k;
      gemm.panel = panel;
      gemm.dst = y + (block.product * g.m + block.first_row) * g.n + block.first_column;
      gemm.dst_stride = g.n;
      kernel_.run(gemm);
    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  const GemmF32Kernel& kernel_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("a", args.inputs[0]).dtype({DType::kF32});
  checks.of("b", args.inputs[1]).dtype({DType::kF32});
  checks.of("y", args.outputs[0]).dtype({DType::kF32});
  if (!checks.ok()) return checks.status();
  const Shape& y = args.outputs[0].shape;
  const size_t columns = y.rank == 0 ? 1 : std::max(1u, y[y.rank - 1]);
  const bool transpose_b = args.as<MatmulAttributes>().transpose_b == 1;
  *op = std::make_unique<MatmulF32Operator>(transpose_b, args.isas, columns);
  return {};
}

}  // namespace

const OperatorType matmul_f32_type = {.name = "matmul_f32",
                                      .fields = kMatmulFields,
                                      .attribute_bytes = sizeof(MatmulAttributes),
                                      .min_inputs = 2,
                                      .max_inputs = 2,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
