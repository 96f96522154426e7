// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "tests/support/model_builder.h"

namespace bitpose::test {

/// A valid network of up to `operators` random operators on small tensors: the same for the same
/// seed.
ModelBuilder random_network(uint64_t seed, int operators);

/// Whether `random_network` can make operators of this kind.
bool makes_operators_of(std::string_view type);

}  // namespace bitpose::test
