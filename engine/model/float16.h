// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "engine/model/tensor.h"

namespace bitpose {

/// The numbers of a constant of float16 (IEEE 754 binary16), all of which float32 has.
std::vector<float> widened(const TensorDesc& constant);

}  // namespace bitpose
