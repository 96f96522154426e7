// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "engine/ops/matmul.h"
#include "engine/ops/scaled_range.h"
#include "kernels/base/overread.h"
#include "kernels/igemm_qs8/igemm_qs8.h"
#include "kernels/row_sum_s8/row_sum_s8.h"

namespace bitpose {
namespace {

struct Attributes {
  MatmulAttributes matmul;
  float multiplier;
  int32_t qmin, qmax;
};

constexpr auto kFields = join_fields(
    kMatmulFields, {BITPOSE_FACTOR_FIELD(Attributes, multiplier),
                    BITPOSE_CODE_FIELD(Attributes, qmin), BITPOSE_CODE_FIELD(Attributes, qmax)});

// matmul_qs8: products of 8-bit matrices. acc = sum of (a - za) * (b - zb) modulo 2^32, requantized
// by `multiplier`, which is scale(a) * scale(b) / scale(y).
//   a   int8 [...,M,K]
//   b   int8 [...,K,N], or [...,N,K] if transpose_b
//   y   int8 [...,M,N]
class MatmulQs8Operator final : public MatmulOperator {
 public:
  MatmulQs8Operator(const CreateArgs& args, const OutputRange& range, const IgemmQs8Kernel& kernel)
      : MatmulOperator(args.as<Attributes>().matmul.transpose_b == 1),
        kernel_(kernel),
        row_sum_(select_row_sum_s8(args.isas)),
        a_zero_point_(args.inputs[0].zero_point),
        b_zero_point_(args.inputs[1].zero_point),
        range_(range) {
    multipliers_.fill(args.as<Attributes>().multiplier);
  }

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc>) const override {
    const Shape& a = inputs[0].shape;
    const size_t k = a[a.rank - 1];
    return panel_bytes(k) + kBlockRows * sizeof(int32_t);
  }

  void run(const RunArgs& args) const override {
    const MatmulGeometry g = geometry_of(args.inputs[0].shape(), args.inputs[1].shape());
    for_each_block(args.pool, g, kernel_.layout.nr, [&](const MatmulBlock& block, size_t thread) {
      run_block(args, g, block, args.scratch_of(thread));
    });
  }

  const char* kernel_name() const override { return kernel_.name; }

 private:
  size_t panel_bytes(size_t k) const {
    return packed_panel_bytes(kernel_.layout, 1, k) + kOverread;
  }

  void run_block(const RunArgs& args, const MatmulGeometry& g, const MatmulBlock& block,
                 std::byte* scratch) const {
    auto* sums = reinterpret_cast<int32_t*>(scratch + panel_bytes(g.k));
    pack(g, args.inputs[1].as<int8_t>() + g.b_offset(block.product), block, scratch);
    IgemmQs8Args gemm;
    gemm.m = block.rows;
    gemm.n = block.columns;
    gemm.ks = 1;
    gemm.kc = g.k;
    gemm.a = args.inputs[0].as<int8_t>() + g.a_offset(block.product) + block.first_row * g.k;
    gemm.a_stride = g.k;
    if (b_zero_point_ != 0) {
      row_sum_.run({gemm.m, 1, g.k, gemm.a, g.k, nullptr, -b_zero_point_, sums});
      gemm.row_bias = sums;
    }
    gemm.panel = scratch;
    gemm.dst = args.outputs[0].mutable_as<int8_t>() +
               (block.product * g.m + block.first_row) * g.n + block.first_column;
    gemm.dst_stride = g.n;
    gemm.range = range_;
    kernel_.run(gemm);
  }

  /// Packs the columns of a block.
  void pack(const MatmulGeometry& g, const int8_t* b, const MatmulBlock& block,
            std::byte* panel) const {
    IgemmQs8Weights layer = {
        block.columns, 1, g.k, b, kNoBias.data(), multipliers_.data(), a_zero_point_,
        b_zero_point_};
    if (g.transpose_b) {
      layer.weights += block.first_column * g.k;
      pack_panel(kernel_.layout, layer, 0, panel);
    } else {
      layer.weights += block.first_column;
      pack_panel_of_rows(kernel_.layout, layer, g.n, panel);
    }
  }

  static constexpr std::array<int32_t, kMaxColumns> kNoBias{};

  const IgemmQs8Kernel& kernel_;
  const RowSumS8Kernel& row_sum_;
  int32_t a_zero_point_, b_zero_point_;
  OutputRange range_;
  std::array<float, kMaxColumns> multipliers_;
};

/// The kernel for any two matrices of these shapes.
const IgemmQs8Kernel& select_kernel(const CreateArgs& args) {
  const Shape& a = args.inputs[0].shape;
  const Shape& y = args.outputs[0].shape;
  IgemmQs8Facts facts;
  facts.n = y.rank == 0 ? 1 : std::max(1u, y[y.rank - 1]);
  const double k = a.rank == 0 ? 1 : a[a.rank - 1];
  const double largest = std::min(k * 255 * 255, 0x1p31);
  facts.bounded_products = largest * static_cast<double>(args.as<Attributes>().multiplier) < 0x1p29;
  return select_igemm_qs8(args.isas, facts);
}

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  const auto& attributes = args.as<Attributes>();
  OperandChecks checks;
  checks.of("a", args.inputs[0]).dtype({DType::kS8}).quantized();
  checks.of("b", args.inputs[1]).dtype({DType::kS8}).quantized();
  checks.of("y", args.outputs[0]).dtype({DType::kS8}).quantized();
  const OutputRange range = output_range(args.outputs[0], attributes.qmin, attributes.qmax, checks);
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<MatmulQs8Operator>(args, range, select_kernel(args));
  return {};
}

}  // namespace

const OperatorType matmul_qs8_type = {.name = "matmul_qs8",
                                      .fields = kFields,
                                      .attribute_bytes = sizeof(Attributes),
                                      .min_inputs = 2,
                                      .max_inputs = 2,
                                      .outputs = 1,
                                      .create = create};

}  // namespace bitpose
