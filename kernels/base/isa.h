// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

/// Instruction sets as bits. A kernel names the one it needs, a selector takes the set it may use.
namespace bitpose::isa {

using Set = uint32_t;

inline constexpr Set scalar = 1u << 0;
inline constexpr Set avx2 = 1u << 1;        ///< With FMA.
inline constexpr Set avx512vnni = 1u << 3;  ///< With AVX512 F, BW, DQ and VL.
inline constexpr Set neon = 1u << 4;        ///< The ARMv8.0 baseline.
/// Portable kernels with odd tiles. Never detected: only tests ask for them.
inline constexpr Set test = 1u << 31;

/// The sets that this CPU and its operating system can run.
Set detect();

/// `detect()` limited by the environment variable BITPOSE_ISA, which names the best set to use
/// ("scalar", "avx2", ...). An unknown name limits nothing.
Set enabled();

/// The sets of `available` that are not above `best` in the order of this file.
/// Returns `available` when `best` is no known name.
Set limit(Set available, std::string_view best);

/// The token of a single set as it stands in kernel names, for example "avx512vnni".
const char* name(Set single);

/// True when every set of `needed` is in `available`.
constexpr bool runs(Set needed, Set available) { return (needed & available) == needed; }

}  // namespace bitpose::isa
