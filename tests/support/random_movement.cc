// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_operators.h"

namespace bitpose::test {
namespace {

Quantization quantization_of(Maker& m, uint32_t tensor) {
  return {m.builder.desc(tensor).scale, m.builder.desc(tensor).zero_point};
}

Result concat(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  if (desc.shape.rank == 0) return {};
  std::vector<uint32_t> inputs = {*x};
  while (m.random.chance(2)) inputs.push_back(*m.pick(desc.dtype, desc.shape.rank));
  return m.add("concat", inputs, desc.dtype, {{"axis", m.small(0, desc.shape.rank - 1)}},
               quantization_of(m, *x));
}

Result slice(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  if (desc.shape.rank == 0) return {};
  const uint32_t axis = m.small(0, desc.shape.rank - 1);
  const uint32_t start = m.small(0, desc.shape[axis] - 1);
  const uint32_t last = m.small(0, desc.shape[axis] - 1);
  const double step = last < start ? -1.0 : m.small(1, 3);
  const auto length = static_cast<uint32_t>((int64_t{last} - start) / step) + 1;
  return m.add("slice", {*x}, desc.dtype,
               {{"axis", axis}, {"start", start}, {"length", length}, {"step", step}},
               quantization_of(m, *x));
}

// Indices into a tensor: one that the network computes, or constants.
Result indices(Maker& m, const Shape& shape) {
  const Result computed = m.pick(m.random.chance(4) ? DType::kS64 : DType::kS32, shape.rank);
  if (computed && m.random.chance(2)) return computed;
  return m.constant_words(shape, -9, 9);
}

// A tensor that has an axis, and one of its axes.
struct WithAxis {
  uint32_t x, axis;
  TensorDesc desc;
};

std::optional<WithAxis> pick_with_axis(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  if (desc.shape.rank == 0) return {};
  return WithAxis{*x, m.small(0, desc.shape.rank - 1), desc};
}

Result gather(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  return m.add("gather", {picked->x, *indices(m, {m.small(1, 9)})}, picked->desc.dtype,
               {{"axis", picked->axis}}, quantization_of(m, picked->x));
}

Shape selection(Maker& m, const WithAxis& picked) {
  Shape shape = picked.desc.shape;
  shape.dims[picked.axis] = m.small(1, 5);
  return shape;
}

Result gather_elements(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  return m.add("gather_elements", {picked->x, *indices(m, selection(m, *picked))},
               picked->desc.dtype, {{"axis", picked->axis}}, quantization_of(m, picked->x));
}

Result gather_nd(Maker& m) {
  const Result x = m.pick_any();
  const Result chosen = m.pick(m.random.chance(4) ? DType::kS64 : DType::kS32);
  if (!chosen) return {};
  return m.add("gather_nd", {*x, *chosen}, m.builder.desc(*x).dtype,
               {{"batch_dims", m.random.chance(4) ? 1 : 0}}, quantization_of(m, *x));
}

// The updates of a scatter come from the tensor itself, by a gather with the same indices.
Result scatter_elements(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  const Result chosen = indices(m, selection(m, *picked));
  const DType dtype = picked->desc.dtype;
  const Result updates = m.add("gather_elements", {picked->x, *chosen}, dtype,
                               {{"axis", picked->axis}}, quantization_of(m, picked->x));
  if (!updates) return {};
  return m.add("scatter_elements", {picked->x, *chosen, *updates}, dtype,
               {{"axis", picked->axis}, {"reduction", m.small(0, 4)}},
               quantization_of(m, picked->x));
}

Result scatter_nd(Maker& m) {
  const Result x = m.pick_any();
  const Result chosen = indices(m, {m.small(1, 4), 1});
  const DType dtype = m.builder.desc(*x).dtype;
  const Result updates = m.add("gather_nd", {*x, *chosen}, dtype, {{"batch_dims", 0}});
  if (!updates) return {};
  return m.add("scatter_nd", {*x, *chosen, *updates}, dtype, {{"reduction", m.small(0, 4)}},
               quantization_of(m, *x));
}

Result expand(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  Shape shape = desc.shape;
  for (uint32_t i = 0; i < shape.rank; ++i) {
    if (shape[i] == 1) shape.dims[i] = m.small(1, 4);
  }
  return m.add("expand", {*x}, desc.dtype, {}, quantization_of(m, *x), shape);
}

Result pad(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  static constexpr const char* kNames[][2] = {{"before0", "after0"}, {"before1", "after1"},
                                              {"before2", "after2"}, {"before3", "after3"},
                                              {"before4", "after4"}, {"before5", "after5"}};
  Attributes attributes;
  for (uint32_t i = 0; i < kMaxRank; ++i) {
    for (const char* name : kNames[i]) {
      attributes.emplace_back(name, i < desc.shape.rank && m.random.chance(4) ? m.small(1, 3) : 0);
    }
  }
  const std::vector<uint8_t> value(dtype_bytes(desc.dtype), 1);
  const uint32_t constant = m.builder.constant(m.name(), desc.dtype, {}, value);
  return m.add("pad", {*x, constant}, desc.dtype, attributes, quantization_of(m, *x));
}

Result cumulative_sum(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  return m.add("cumulative_sum", {picked->x}, picked->desc.dtype,
               {{"axis", picked->axis}, {"exclusive", m.small(0, 1)}, {"reverse", m.small(0, 1)}});
}

Result reduce(Maker& m, const char* type, uint32_t x) {
  const TensorDesc desc = m.builder.desc(x);
  const uint32_t every = (1U << desc.shape.rank) - 1;
  return m.add(type, {x}, desc.dtype, {{"function", m.small(0, 7)}, {"axes", m.small(1, every)}});
}

Result reduce_f32(Maker& m) {
  const Result x = m.pick(DType::kF32);
  if (!x || m.builder.desc(*x).shape.rank == 0) return {};
  return reduce(m, "reduce_f32", *x);
}

Result reduce_integer(Maker& m) {
  const Result x = m.pick_any();
  if (m.builder.desc(*x).shape.rank == 0) return {};
  return reduce(m, "reduce_integer", *x);
}

Result resample_f32(Maker& m) {
  const Result x = m.pick(DType::kF32);
  if (!x || m.builder.desc(*x).shape.rank == 0) return {};
  const Shape shape = m.builder.desc(*x).shape;
  const uint32_t axis = m.small(0, shape.rank - 1);
  const Shape table = {m.small(1, 9), m.small(1, 4)};
  return m.add("resample_f32",
               {*x, m.constant_words(table, 0, shape[axis] - 1), m.constant_floats(table, -1, 1)},
               DType::kF32, {{"axis", axis}});
}

Result argmax(Maker& m) {
  const DType dtypes[] = {DType::kS8, DType::kF32, DType::kS32};
  const Result x = m.pick(dtypes[m.small(0, 2)]);
  if (!x || m.builder.desc(*x).shape.rank == 0) return {};
  return m.add("argmax", {*x}, m.random.chance(2) ? DType::kS32 : DType::kS64,
               {{"axis", m.small(0, m.builder.desc(*x).shape.rank - 1)},
                {"keepdims", m.small(0, 1)},
                {"select_last_index", m.small(0, 1)},
                {"smallest", m.small(0, 1)}});
}

Result topk(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  return m.add("topk", {picked->x}, DType::kS64,
               {{"axis", picked->axis},
                {"k", m.small(1, picked->desc.shape[picked->axis])},
                {"largest", m.small(0, 1)}});
}

/// One int64 from 0 to somewhat above `extent`, computed from any tensor.
Result count_up_to(Maker& m, uint32_t extent) {
  Result x = m.pick_any();
  x = m.add("cast", {*x}, DType::kBool);
  if (x) x = m.add("cast", {*x}, DType::kS64);
  const uint32_t rank = m.builder.desc(*x).shape.rank;
  if (rank == 0) return {};
  x = m.add("reduce_integer", {*x}, DType::kS64, {{"function", 0}, {"axes", (1 << rank) - 1}});
  const std::vector<int64_t> limit = {int64_t{extent} + 2};
  const uint32_t most = m.builder.constant(m.name(), DType::kS64, {1}, limit);
  constexpr int kMod = 8;
  return m.add("binary_integer", {*x, most}, DType::kS64, {{"function", kMod}});
}

Result narrow(Maker& m) {
  const auto picked = pick_with_axis(m);
  if (!picked) return {};
  const Result length = count_up_to(m, picked->desc.shape[picked->axis]);
  if (!length) return {};
  return m.add("narrow", {picked->x, *length}, picked->desc.dtype, {{"axis", picked->axis}},
               quantization_of(m, picked->x));
}

Result shape(Maker& m) { return m.add("shape", {*m.pick_any()}, DType::kS64); }

Result nonzero(Maker& m) { return m.add("nonzero", {*m.pick_any()}, DType::kS64); }

Result nms(Maker& m) {
  const uint32_t batch = m.small(1, 2), n = m.small(1, 20);
  const uint32_t boxes = m.constant_floats({batch, n, 4}, 0, 4);
  const uint32_t scores = m.constant_floats({batch, m.small(1, 3), n}, -1, 1);
  // Scores that depend on the input, equal ones among them.
  const Result x = m.pick(DType::kF32);
  if (!x || m.builder.desc(*x).shape.rank == 0) return {};
  const uint32_t rank = m.builder.desc(*x).shape.rank;
  const Result sum =
      m.add("reduce_f32", {*x}, DType::kF32, {{"function", 0}, {"axes", (1 << rank) - 1}});
  const Result one = sum ? m.add("reshape", {*sum}, DType::kF32, {}, {}, {1}) : Result();
  const Result moved =
      one ? m.add("binary_f32", {scores, *one}, DType::kF32, {{"function", m.small(0, 5)}})
          : Result();
  if (!moved) return {};
  return m.add("nms", {boxes, *moved}, DType::kS64,
               {{"most", m.small(1, 8)},
                {"center_point_box", m.small(0, 1)},
                {"iou_threshold", m.random.real(0, 1)},
                {"score_threshold", m.random.real(-1, 0.5f)}});
}

Result cast(Maker& m) {
  const Result x = m.pick_any();
  const auto dtype = static_cast<DType>(m.small(1, static_cast<uint32_t>(DType::kS16)));
  return m.add("cast", {*x}, dtype);
}

Result reshape(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  const auto elements = static_cast<uint32_t>(desc.shape.elements());
  Shape shape = {elements};
  if (m.random.chance(2)) {
    shape = Shape{1, 1, 1, elements};
  } else if (desc.shape.rank > 0) {
    shape = desc.shape;
    std::swap(shape.dims[0], shape.dims[shape.rank - 1]);
  }
  return m.add("reshape", {*x}, desc.dtype, {}, quantization_of(m, *x), shape);
}

Result transpose(Maker& m) {
  const Result x = m.pick_any();
  const TensorDesc desc = m.builder.desc(*x);
  std::vector<uint32_t> order(desc.shape.rank);
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  for (uint32_t i = desc.shape.rank; i > 1; --i) std::swap(order[i - 1], order[m.small(0, i - 1)]);
  static constexpr const char* kNames[] = {"perm0", "perm1", "perm2", "perm3", "perm4", "perm5"};
  Attributes attributes;
  for (uint32_t i = 0; i < kMaxRank; ++i) {
    attributes.emplace_back(kNames[i], i < order.size() ? order[i] : i);
  }
  return m.add("transpose", {*x}, desc.dtype, attributes, quantization_of(m, *x));
}

constexpr Generator kGenerators[] = {
    {"argmax", argmax},
    {"cast", cast},
    {"concat", concat},
    {"cumulative_sum", cumulative_sum},
    {"expand", expand},
    {"gather", gather},
    {"gather_elements", gather_elements},
    {"gather_nd", gather_nd},
    {"narrow", narrow},
    {"nms", nms},
    {"nonzero", nonzero},
    {"pad", pad},
    {"reduce_f32", reduce_f32},
    {"reduce_integer", reduce_integer},
    {"resample_f32", resample_f32},
    {"reshape", reshape},
    {"scatter_elements", scatter_elements},
    {"scatter_nd", scatter_nd},
    {"shape", shape},
    {"slice", slice},
    {"topk", topk},
    {"transpose", transpose},
};

}  // namespace

std::span<const Generator> moving_generators() { return kGenerators; }

}  // namespace bitpose::test
