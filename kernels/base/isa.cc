// SPDX-License-Identifier: Apache-2.0
#include "kernels/base/isa.h"

#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace bitpose::isa {
namespace {

struct Token {
  Set set;
  const char* name;
};

constexpr Token kTokens[] = {
    {scalar, "scalar"}, {avx2, "avx2"}, {avx512vnni, "avx512vnni"}, {neon, "neon"}, {test, "test"},
};

#if defined(__x86_64__)

struct Registers {
  uint32_t eax, ebx, ecx, edx;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r{};
  if (__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
  return r;
}

/// The register states that the operating system saves (XCR0).
uint64_t saved_states() {
  uint32_t low = 0;
  uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

Set detect_x86() {
  Set found = scalar;
  const auto bit = [](uint32_t word, int index) { return ((word >> index) & 1) != 0; };
  const Registers basic = cpuid(1, 0);
  const bool os_saves = bit(basic.ecx, 27);
  if (!os_saves) return found;
  const uint64_t states = saved_states();
  const bool ymm = (states & 0x6) == 0x6;
  const bool zmm = (states & 0xe6) == 0xe6;
  const Registers extended = cpuid(7, 0);
  const bool has_avx2 = ymm && bit(basic.ecx, 28) && bit(basic.ecx, 12) && bit(extended.ebx, 5);
  if (!has_avx2) return found;
  found |= avx2;
  const bool f_dq_bw_vl = bit(extended.ebx, 16) && bit(extended.ebx, 17) && bit(extended.ebx, 30) &&
                          bit(extended.ebx, 31);
  if (zmm && f_dq_bw_vl && bit(extended.ecx, 11)) found |= avx512vnni;
  return found;
}

#endif

}  // namespace

Set detect() {
#if defined(__x86_64__)
  return detect_x86();
#elif defined(__aarch64__)
  return scalar | neon;
#else
  return scalar;
#endif
}

Set limit(Set available, std::string_view best) {
  for (const Token& token : kTokens) {
    if (best == token.name) return available & ((token.set << 1) - 1);
  }
  return available;
}

Set enabled() {
  const char* best = std::getenv("BITPOSE_ISA");
  return best == nullptr ? detect() : limit(detect(), best);
}

const char* name(Set single) {
  for (const Token& token : kTokens) {
    if (token.set == single) return token.name;
  }
  return "unknown";
}

}  // namespace bitpose::isa
