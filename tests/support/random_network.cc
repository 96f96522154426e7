// SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_network.h"

#include <algorithm>
#include <vector>

#include "engine/ops/operator.h"
#include "tests/support/random_operators.h"

namespace bitpose::test {
namespace {

std::vector<Generator> generators() {
  std::vector<Generator> all;
  for (const auto part : {window_generators(), elementwise_generators(), moving_generators()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace

ModelBuilder random_network(uint64_t seed, int operators) {
  constexpr uint64_t kMaxTensorElements = 20000;
  Maker maker(seed);
  const std::vector<Generator> all = generators();
  for (int i = 0; i < operators; ++i) {
    const auto chosen = static_cast<size_t>(maker.random.integer(0, std::ssize(all) - 1));
    const Generator& generator = all[chosen];
    if (find_operator_type(generator.type) == nullptr) continue;
    const Result made = generator.make(maker);
    if (!made) continue;
    // Larger results end here, so that networks stay small.
    if (maker.builder.desc(*made).shape.elements() <= kMaxTensorElements) {
      maker.pool.push_back(*made);
    }
  }
  const size_t outputs = std::min<size_t>(3, maker.pool.size());
  for (size_t i = 0; i < outputs; ++i) {
    maker.builder.output(maker.pool[maker.pool.size() - 1 - i]);
  }
  return std::move(maker.builder);
}

bool makes_operators_of(std::string_view type) {
  const std::vector<Generator> all = generators();
  return std::any_of(all.begin(), all.end(),
                     [type](const Generator& generator) { return type == generator.type; });
}

}  // namespace bitpose::test
