// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "engine/model/text.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t perm0, perm1, perm2, perm3, perm4, perm5;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, perm0, 0, kMaxRank - 1),
    BITPOSE_FIELD(Attributes, perm1, 0, kMaxRank - 1),
    BITPOSE_FIELD(Attributes, perm2, 0, kMaxRank - 1),
    BITPOSE_FIELD(Attributes, perm3, 0, kMaxRank - 1),
    BITPOSE_FIELD(Attributes, perm4, 0, kMaxRank - 1),
    BITPOSE_FIELD(Attributes, perm5, 0, kMaxRank - 1),
};

using Permutation = std::array<uint32_t, kMaxRank>;

/// One axis of the output and its distance between elements in both tensors, in bytes.
struct Axis {
  size_t extent = 1;
  size_t src_stride = 0;
  size_t dst_stride = 0;
};

/// A transposition with as few axes as possible: extents of 1 are dropped, axes that stay
/// neighbours become one, and what stays innermost becomes part of the element. Either no axis is
/// left, or two or more.
struct Plan {
  size_t element_bytes;
  size_t rank = 0;
  std::array<Axis, kMaxRank> axes{};  // Of the output, outermost first.

  Plan(const Shape& shape, const Permutation& perm, size_t bytes) : element_bytes(bytes) {
    std::array<size_t, kMaxRank> strides{};
    size_t stride = bytes;
    for (uint32_t axis = shape.rank; axis-- > 0; stride *= shape[axis]) strides[axis] = stride;
    for (uint32_t i = 0; i < shape.rank; ++i) append(shape[perm[i]], strides[perm[i]]);
    if (rank > 0 && axes[rank - 1].src_stride == bytes) {
      element_bytes *= axes[--rank].extent;
    }
    size_t dst_stride = element_bytes;
    for (size_t i = rank; i-- > 0; dst_stride *= axes[i].extent) axes[i].dst_stride = dst_stride;
  }

 private:
  void append(size_t extent, size_t src_stride) {
    if (extent == 1) return;
    if (rank > 0 && axes[rank - 1].src_stride == extent * src_stride) {
      axes[rank - 1].extent *= extent;
      axes[rank - 1].src_stride = src_stride;
      return;
    }
    axes[rank++] = {extent, src_stride, 0};
  }
};

/// Most columns of a tile, and most bytes of one of its columns.
constexpr size_t kColumns = 128;
constexpr size_t kLine = 64;

/// Moves rows x columns elements. A row is contiguous in dst, a column mostly in src.
template <typename T>
void move_tile(const std::byte* src, std::byte* dst, const Axis& row, const Axis& column, size_t) {
  constexpr size_t kRows = kLine / sizeof(T);
  T tile[kColumns * kRows];
  size_t column_stride = column.src_stride;
  if (row.src_stride == sizeof(T) && row.extent == kRows) {
    // Reads each line of src once, even where distances of a power of two make all of them compete
    // for one set of the cache.
    for (size_t j = 0; j < column.extent; ++j) {
      std::memcpy(tile + j * kRows, src + j * column.src_stride, kLine);
    }
    src = reinterpret_cast<const std::byte*>(tile);
    column_stride = kLine;
  }
  for (size_t i = 0; i < row.extent; ++i) {
    const std::byte* from = src + i * row.src_stride;
    std::byte* to = dst + i * row.dst_stride;
    for (size_t j = 0; j < column.extent; ++j) {
      std::memcpy(to + j * sizeof(T), from + j * column_stride, sizeof(T));
    }
  }
}

void move_blocks(const std::byte* src, std::byte* dst, const Axis& row, const Axis& column,
                 size_t bytes) {
  for (size_t i = 0; i < row.extent; ++i) {
    for (size_t j = 0; j < column.extent; ++j) {
      std::memcpy(dst + i * row.dst_stride + j * bytes,
                  src + i * row.src_stride + j * column.src_stride, bytes);
    }
  }
}

using MoveTile = void(const std::byte* src, std::byte* dst, const Axis& row, const Axis& column,
                      size_t bytes);

MoveTile* tile_mover(size_t element_bytes) {
  switch (element_bytes) {
    case 1:
      return move_tile<uint8_t>;
    case 2:
      return move_tile<uint16_t>;
    case 4:
      return move_tile<uint32_t>;
    case 8:
      return move_tile<uint64_t>;
    default:
      return move_blocks;
  }
}

/// Walks a plan tile by tile, so that both the cache lines read and those written are used whole.
class Tiles {
 public:
  explicit Tiles(const Plan& plan) : plan_(plan), move_(tile_mover(plan.element_bytes)) {
    const auto begin = plan.axes.begin();
    const auto closest =
        std::min_element(begin, begin + plan.rank,
                         [](const Axis& a, const Axis& b) { return a.src_stride < b.src_stride; });
    row_ = static_cast<size_t>(closest - begin);
    column_ = plan.rank - 1;
    rows_per_tile_ = std::max<size_t>(1, kLine / plan.element_bytes);
    for (size_t i = 0; i < plan.rank; ++i) count_ *= positions(i);
  }

  size_t count() const { return count_; }

  /// Tiles that move about as many bytes together.
  size_t tiles_of(size_t bytes) const {
    const size_t rows = std::min(rows_per_tile_, plan_.axes[row_].extent);
    const size_t columns = std::min(kColumns, plan_.axes[column_].extent);
    return bytes / (rows * columns * plan_.element_bytes + 1) + 1;
  }

  void move(size_t tile, const std::byte* src, std::byte* dst) const {
    Axis row = plan_.axes[row_];
    Axis column = plan_.axes[column_];
    for (size_t i = plan_.rank; i-- > 0; tile /= positions(i)) {
      const size_t first = tile % positions(i) * step(i);
      src += first * plan_.axes[i].src_stride;
      dst += first * plan_.axes[i].dst_stride;
      if (i == row_) row.extent = std::min(rows_per_tile_, row.extent - first);
      if (i == column_) column.extent = std::min(kColumns, column.extent - first);
    }
    move_(src, dst, row, column, plan_.element_bytes);
  }

 private:
  size_t step(size_t axis) const {
    return axis == row_ ? rows_per_tile_ : axis == column_ ? kColumns : 1;
  }
  size_t positions(size_t axis) const {
    return (plan_.axes[axis].extent + step(axis) - 1) / step(axis);
  }

  const Plan& plan_;
  MoveTile* move_;
  size_t row_ = 0;     // The axis whose elements are closest together in src.
  size_t column_ = 0;  // The last axis, contiguous in dst.
  size_t rows_per_tile_ = 1;
  size_t count_ = 1;
};

// transpose: axis i of y is axis perm[i] of x.
//   x, y   any dtype, the same for both
// perm0, perm1, ... up to the rank of x name each axis once; the others are not used.
class TransposeOperator final : public Operator {
 public:
  explicit TransposeOperator(const Attributes& a)
      : perm_{a.perm0, a.perm1, a.perm2, a.perm3, a.perm4, a.perm5} {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const Shape& from = inputs[0].shape;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < from.rank; ++i) seen |= 1u << perm_[i];
    OperandChecks checks;
    checks.require(seen == (1u << from.rank) - 1,
                   text("perm does not name each axis of x, of shape ", from, ", once"));
    if (!checks.ok()) return checks.status();
    Shape shape;
    shape.rank = from.rank;
    for (uint32_t i = 0; i < from.rank; ++i) shape.dims[i] = from[perm_[i]];
    outputs[0].shape = shape;
    return {};
  }

  void run(const RunArgs& args) const override {
    const TensorRef& x = args.inputs[0];
    if (x.shape().elements() == 0) return;
    const Plan plan(x.shape(), perm_, dtype_bytes(x.desc->dtype));
    const auto* src = x.as<std::byte>();
    auto* dst = args.outputs[0].mutable_as<std::byte>();
    if (plan.rank == 0) {
      std::memcpy(dst, src, plan.element_bytes);
      return;
    }
    const Tiles tiles(plan);
    parallel_ranges(args.pool, tiles.count(), tiles.tiles_of(kCopyGrain),
                    [&](size_t begin, size_t end, size_t) {
                      for (size_t tile = begin; tile < end; ++tile) tiles.move(tile, src, dst);
                    });
  }

 private:
  Permutation perm_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("y", args.outputs[0]).dtype({args.inputs[0].dtype});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<TransposeOperator>(args.as<Attributes>());
  return {};
}

}  // namespace

const OperatorType transpose_type = {.name = "transpose",
                                     .fields = kFields,
                                     .attribute_bytes = sizeof(Attributes),
                                     .min_inputs = 1,
                                     .max_inputs = 1,
                                     .outputs = 1,
                                     .create = create};

}  // namespace bitpose
