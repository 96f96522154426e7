// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/model/fields.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

/// What the products of matrices that are computed at run time share.
///
///   y[..., m, n] = sum over k of a[..., m, k] * b[..., k, n]
///
/// The axes before the last two broadcast by numpy's rule.
namespace bitpose {

/// The first attributes of every product, in the order of the model file.
struct MatmulAttributes {
  uint32_t transpose_b;  ///< 1: b is [..., N, K].
};

inline constexpr std::array kMatmulFields = {BITPOSE_FIELD(MatmulAttributes, transpose_b, 0, 1)};

/// Extents of a product.
struct MatmulGeometry {
  size_t batch, m, n, k;
  bool transpose_b;
  Shape a, b, y;

  /// The first elements of the matrices of product `i`.
  size_t a_offset(size_t i) const { return matrix(i, a) * m * k; }
  size_t b_offset(size_t i) const { return matrix(i, b) * k * n; }

 private:
  /// The number of the matrix of an operand that product `i` takes.
  size_t matrix(size_t i, const Shape& operand) const {
    size_t index = 0, step = 1;
    for (uint32_t axis = y.rank - 2; axis-- > 0; i /= y[axis]) {
      const uint32_t missing = y.rank - operand.rank;
      if (axis < missing) break;
      const uint32_t extent = operand[axis - missing];
      if (extent != 1) index += i % y[axis] * step;
      step *= extent;
    }
    return index;
  }
};

/// Checks the shapes of a product; the error says which they are.
Status make_matmul_geometry(const Shape& a, const Shape& b, bool transpose_b,
                            MatmulGeometry* geometry);

/// Rows and columns of one product.
struct MatmulBlock {
  size_t product;
  size_t first_row, rows;
  size_t first_column, columns;
};

/// A product: everything but the arithmetic.
class MatmulOperator : public Operator {
 public:
  explicit MatmulOperator(bool transpose_b) : transpose_b_(transpose_b) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override;
  Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const override;

 protected:
  bool transpose_b() const { return transpose_b_; }
  /// The geometry for shapes that `reshape` accepted.
  MatmulGeometry geometry_of(const Shape& a, const Shape& b) const;

  /// Rows of a block: what is packed for a panel of b pays for them, and their elements of a stay
  /// in cache.
  static constexpr size_t kBlockRows = 128;

  /// Calls `function(block, thread)` for blocks of at most kBlockRows rows and `nr` columns.
  template <typename F>
  static void for_each_block(ThreadPool* pool, const MatmulGeometry& g, size_t nr,
                             const F& function) {
    const size_t panels = (g.n + nr - 1) / nr;
    const size_t blocks = (g.m + kBlockRows - 1) / kBlockRows;
    const size_t grain = items_per_task(kTaskMacs, std::min(g.m, kBlockRows) * g.k * nr);
    parallel_ranges(
        pool, g.batch * blocks * panels, grain, [&](size_t begin, size_t end, size_t thread) {
          for (size_t i = begin; i < end; ++i) {
            const size_t row = i / panels % blocks * kBlockRows;
            const size_t column = i % panels * nr;
            function(MatmulBlock{i / panels / blocks, row, std::min(kBlockRows, g.m - row), column,
                                 std::min(nr, g.n - column)},
                     thread);
          }
        });
  }

 private:
  /// Multiply-accumulates that are worth handing to another thread.
  static constexpr size_t kTaskMacs = 100'000;

  bool transpose_b_;
};

}  // namespace bitpose
