// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/base/random.h"

namespace bitpose::test {

/// Changes one thing in a model file that ModelBuilder made, or that was changed before: an
/// attribute, an extent, a type, an index, a constant, or plain bytes. Seals the file.
void mutate(Random* random, std::vector<std::byte>* file);

/// Writes the shapes that the operators derive into the file, as far as they accept their inputs,
/// so that a changed attribute or extent can reach `run`. Seals the file.
void repair_shapes(std::vector<std::byte>* file);

}  // namespace bitpose::test
