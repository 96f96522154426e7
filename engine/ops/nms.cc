// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "engine/model/text.h"
#include "engine/ops/operands.h"
#include "engine/ops/operator.h"
#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

struct Attributes {
  uint32_t most;  ///< Boxes of a class.
  uint32_t center_point_box;
  float iou_threshold;
  float score_threshold;
};

constexpr Field kFields[] = {
    BITPOSE_FIELD(Attributes, most, 1, kMaxElements),
    BITPOSE_FIELD(Attributes, center_point_box, 0, 1),
    BITPOSE_FIELD(Attributes, iou_threshold, -kUnbounded, kUnbounded),
    BITPOSE_FIELD(Attributes, score_threshold, -kUnbounded, kUnbounded),
};

float lower(float a, float b) { return a < b ? a : b; }
float higher(float a, float b) { return a < b ? b : a; }

struct Box {
  float x0, y0, x1, y1;

  float area() const { return (x1 - x0) * (y1 - y0); }
};

/// `box` is y, x, y, x of two opposite corners, or the x, y of the middle, width and height.
Box read_box(const float* box, bool center_point_box) {
  if (center_point_box) {
    const float w = box[2] / 2, h = box[3] / 2;
    return {box[0] - w, box[1] - h, box[0] + w, box[1] + h};
  }
  return {lower(box[1], box[3]), lower(box[0], box[2]), higher(box[1], box[3]),
          higher(box[0], box[2])};
}

/// Whether the intersection of two boxes is more than `threshold` of their union. Boxes that do not
/// meet, or have no area, never overlap.
bool overlap(const Box& a, const Box& b, float threshold) {
  const Box both = {higher(a.x0, b.x0), higher(a.y0, b.y0), lower(a.x1, b.x1), lower(a.y1, b.y1)};
  if (both.x1 <= both.x0 || both.y1 <= both.y0) return false;
  const float intersection = both.area();
  const float united = a.area() + b.area() - intersection;
  if (intersection <= 0 || a.area() <= 0 || b.area() <= 0 || united <= 0) return false;
  return intersection / united > threshold;
}

// nms: greedy non-maximum suppression, for each picture and class on its own. Boxes are visited
// from the highest score down, of equal scores the lower index first; a box is selected unless its
// score is not above score_threshold, or it overlaps a selected one by more than iou_threshold of
// their union, up to `most` boxes.
//   boxes    float32 [batch, n, 4]
//   scores   float32 [batch, classes, n]
//   y        int64 [max(2, batch * classes * min(most, n)), 3]: picture, class and index of the
//            selected boxes, in this order and then by score; -1 behind the last
class NmsOperator final : public Operator {
 public:
  explicit NmsOperator(const Attributes& attributes) : attributes_(attributes) {}

  Status reshape(std::span<const TensorDesc> inputs, std::span<TensorDesc> outputs) const override {
    const Shape& boxes = inputs[0].shape;
    const Shape& scores = inputs[1].shape;
    OperandChecks checks;
    checks.of("boxes", inputs[0]).rank(3);
    checks.of("scores", inputs[1]).rank(3);
    checks.require(boxes[2] == 4 && boxes[0] == scores[0] && boxes[1] == scores[2],
                   text("boxes ", boxes, " do not fit scores ", scores));
    if (!checks.ok()) return checks.status();
    const uint64_t rows = uint64_t{scores[0]} * scores[1] * most_of(scores[2]);
    checks.require(rows <= kMaxElements / 3, text(rows, " boxes could be selected"));
    if (!checks.ok()) return checks.status();
    outputs[0].shape = {std::max(2u, static_cast<uint32_t>(rows)), 3};
    return {};
  }

  size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                            std::span<const TensorDesc>) const override {
    return inputs[1].shape[2] * sizeof(uint32_t);
  }

  void run(const RunArgs& args) const override {
    const Shape& scores = args.inputs[1].shape();
    const size_t most = most_of(scores[2]);
    const size_t series = size_t{scores[0]} * scores[1];
    auto* rows = args.outputs[0].mutable_as<Row>();
    std::fill_n(rows, args.outputs[0].shape()[0], Row{-1, -1, -1});
    parallel_ranges(args.pool, series, 1, [&](size_t begin, size_t end, size_t thread) {
      auto* order = reinterpret_cast<uint32_t*>(args.scratch_of(thread));
      for (size_t i = begin; i < end; ++i) select(args, i, order, rows + i * most);
    });
    const auto unused = [](const Row& row) { return row.box < 0; };
    Row* end = std::remove_if(rows, rows + series * most, unused);
    std::fill(end, rows + series * most, Row{-1, -1, -1});
  }

  bool takes_empty_inputs() const override { return true; }

  // Each box is compared with those that are selected.
  Cost cost(std::span<const TensorDesc> inputs,
            std::span<const TensorDesc> outputs) const override {
    const Shape& scores = inputs[1].shape;
    const uint64_t comparisons = scores.elements() * (8 + 4 * most_of(scores[2]));
    return {comparisons, inputs[0].bytes() + inputs[1].bytes() + outputs[0].bytes()};
  }

 private:
  struct Row {
    int64_t picture, category, box;
  };

  uint64_t most_of(uint32_t boxes) const { return std::min(attributes_.most, boxes); }

  // The selected boxes of one picture and class, best first.
  void select(const RunArgs& args, size_t series, uint32_t* order, Row* rows) const {
    const Shape& shape = args.inputs[1].shape();
    const size_t classes = shape[1];
    const uint32_t n = shape[2];
    const size_t picture = series / classes;
    const auto* boxes = args.inputs[0].as<float>() + picture * n * 4;
    const auto* scores = args.inputs[1].as<float>() + series * n;
    const auto box = [&](uint64_t i) {
      return read_box(boxes + i * 4, attributes_.center_point_box == 1);
    };
    uint32_t* end = order;
    for (uint32_t i = 0; i < n; ++i) {
      if (scores[i] > attributes_.score_threshold) *end++ = i;
    }
    const auto worse = [scores](uint32_t a, uint32_t b) {
      return scores[a] != scores[b] ? scores[a] < scores[b] : a > b;
    };
    std::make_heap(order, end, worse);
    const uint64_t most = most_of(n);
    for (uint64_t selected = 0; selected < most && end != order;) {
      std::pop_heap(order, end--, worse);
      const Box candidate = box(*end);
      const bool suppressed = std::any_of(rows, rows + selected, [&](const Row& row) {
        return overlap(box(static_cast<uint64_t>(row.box)), candidate, attributes_.iou_threshold);
      });
      if (suppressed) continue;
      rows[selected++] = {static_cast<int64_t>(picture), static_cast<int64_t>(series % classes),
                          int64_t{*end}};
    }
  }

  Attributes attributes_;
};

Status create(const CreateArgs& args, std::unique_ptr<Operator>* op) {
  OperandChecks checks;
  checks.of("boxes", args.inputs[0]).dtype({DType::kF32});
  checks.of("scores", args.inputs[1]).dtype({DType::kF32});
  checks.of("y", args.outputs[0]).dtype({DType::kS64});
  if (!checks.ok()) return checks.status();
  *op = std::make_unique<NmsOperator>(args.as<Attributes>());
  return {};
}

}  // namespace

const OperatorType nms_type = {.name = "nms",
                               .fields = kFields,
                               .attribute_bytes = sizeof(Attributes),
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .outputs = 1,
                               .create = create};

}  // namespace bitpose
