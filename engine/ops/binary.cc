// SPDX-License-Identifier: Apache-2.0
#include "engine/ops/binary.h"

#include <algorithm>
#include <cstring>

#include "engine/runtime/parallel.h"

namespace bitpose {
namespace {

void fill_repeatedly(std::byte* dst, size_t bytes, const std::byte* src, size_t src_bytes) {
  std::memcpy(dst, src, src_bytes);
  for (size_t done = src_bytes; done < bytes; done *= 2) {
    std::memcpy(dst + done, dst, std::min(done, bytes - done));
  }
}

}  // namespace

void BinaryOperator::run(const RunArgs& args) const {
  const Broadcast elements(args.inputs[0].shape(), args.inputs[1].shape());
  const Repetition repetition = elements.repetition();
  const size_t row_bytes = repetition.period * dtype_bytes(args.inputs[0].desc->dtype);
  if (row_bytes > 0 && row_bytes * kLeastCopies <= kRepeatedBytes) {
    const size_t rows = elements.elements() / repetition.period;
    const size_t grain = std::max<size_t>(1, kElementwiseGrain / repetition.period);
    return parallel_ranges(args.pool, rows, grain, [&](size_t begin, size_t end, size_t thread) {
      run_repeated(args, elements, repetition, begin, end, args.scratch_of(thread));
    });
  }
  parallel_ranges(args.pool, elements.elements(), kElementwiseGrain,
                  [&](size_t begin, size_t end, size_t) {
                    BroadcastWalk walk(elements, begin, end);
                    run_rows(args, walk);
                  });
}

void BinaryOperator::run_repeated(const RunArgs& args, const Broadcast& elements,
                                  const Repetition& repetition, size_t begin, size_t end,
                                  std::byte* scratch) const {
  const auto& [period, count, of_b] = repetition;
  const auto at = [](const TensorRef& tensor, size_t element) {
    return tensor.mutable_as<std::byte>() + element * dtype_bytes(tensor.desc->dtype);
  };
  const size_t row_bytes = period * dtype_bytes(args.inputs[0].desc->dtype);
  const size_t copies = kRepeatedBytes / row_bytes;
  const std::byte* repeated = nullptr;
  for (size_t first = begin; first < end;) {
    const size_t rows = std::min({copies, count - first % count, end - first});
    const size_t n = rows * period;
    BroadcastRow row;
    BroadcastWalk(elements, first * period, first * period + 1).next(&row);
    TensorRef inputs[] = {args.inputs[0], args.inputs[1]};
    inputs[0].data = at(args.inputs[0], row.a);
    inputs[1].data = at(args.inputs[1], row.b);
    TensorRef output = args.outputs[0];
    output.data = at(args.outputs[0], row.dst);
    TensorRef& repeating = inputs[of_b ? 1 : 0];
    if (repeating.data != repeated) {
      repeated = repeating.as<std::byte>();
      fill_repeatedly(scratch, std::min(copies, count) * row_bytes, repeated, row_bytes);
    }
    repeating.data = scratch;
    RunArgs part = args;
    part.inputs = inputs;
    part.outputs = {&output, 1};
    const Shape flat{static_cast<uint32_t>(n)};
    const Broadcast together(flat, flat);
    BroadcastWalk walk(together, 0, n);
    run_rows(part, walk);
    first += rows;
  }
}

}  // namespace bitpose
