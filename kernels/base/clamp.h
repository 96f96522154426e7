// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace bitpose {
namespace {

/// The clamp behind every float operator: below fmin becomes fmin, above fmax becomes fmax, NaN
/// stays NaN, and a zero keeps its sign where the bound is a zero of the other sign.
///
/// In an unnamed namespace, so that no file compiled for a special instruction set can lend its
/// copy to the others.
inline float clamp(float x, float fmin, float fmax) {
  x = x < fmin ? fmin : x;
  return x > fmax ? fmax : x;
}

}  // namespace
}  // namespace bitpose
