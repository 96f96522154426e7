// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/matmul.h"

#include "engine/model/text.h"

namespace bitpose {
namespace {

Shape without_matrix(const Shape& shape) {
  Shape batch;
  batch.rank = shape.rank - 2;
  for (uint32_t i = 0; i < batch.rank; ++i) batch.dims[i] = shape[i];
  return batch;
}

}  // namespace

Status make_matmul_geometry(const Shape& a, const Shape& b, bool transpose_b,
                            MatmulGeometry* geometry) {
  const auto refuse = [&](const char* problem) {
    return invalid_model(
        text("a ", a, " and b ", b, transpose_b ? " transposed: " : ": ", problem));
  };
  if (a.rank < 2 || b.rank < 2) return refuse("both must have rank 2 or more");
  if (a.elements() == 0 || b.elements() == 0) return refuse("neither may be empty");
  const uint32_t m = a[a.rank - 2], k = a[a.rank - 1];
  const uint32_t n = b[b.rank - (transpose_b ? 2 : 1)];
  if (b[b.rank - (transpose_b ? 1 : 2)] != k) return refuse("the inner extents must be equal");
  Shape y;
  Status status = broadcast(without_matrix(a), without_matrix(b), &y);
  if (!status.ok()) return status;
  const uint64_t batch = y.elements();
  uint64_t elements = uint64_t{m} * n;
  if (__builtin_mul_overflow(elements, batch, &elements) || elements > kMaxElements) {
    return refuse("the product has too many elements");
  }
  y.dims[y.rank] = m;
  y.dims[y.rank + 1] = n;
  y.rank += 2;
  *geometry = {batch, m, n, k, transpose_b, a, b, y};
  return {};
}

Status MatmulOperator::reshape(std::span<const TensorDesc> inputs,
                               std::span<TensorDesc> outputs) const {
  MatmulGeometry geometry;
  Status status = make_matmul_geometry(inputs[0].shape, inputs[1].shape, transpose_b_, &geometry);
  if (status.ok()) outputs[0].shape = geometry.y;
  return status;
}

Cost MatmulOperator::cost(std::span<const TensorDesc> inputs,
                          std::span<const TensorDesc> outputs) const {
  Cost cost = Operator::cost(inputs, outputs);
  const Shape& a = inputs[0].shape;
  cost.macs = outputs[0].shape.elements() * a[a.rank - 1];
  return cost;
}

MatmulGeometry MatmulOperator::geometry_of(const Shape& a, const Shape& b) const {
  MatmulGeometry geometry{};
  // Cannot fail for shapes that `reshape` accepted; a geometry of zeros has no products.
  (void)make_matmul_geometry(a, b, transpose_b_, &geometry).ok();
  return geometry;
}

}  // namespace bitpose
