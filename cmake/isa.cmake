# SPDX-License-Identifier: Apache-2.0
# THE table of instruction sets: file stem, processor, flags. A kernel family's <stem>.cc is compiled
# where the processor matches, with these flags and no others, and BITPOSE_HAVE_<STEM> then guards its
# lines in kernels.inc.
set(BITPOSE_ISA_scalar_PROCESSOR ".*")
set(BITPOSE_ISA_scalar_FLAGS "")

# gcc 12 takes the undefined operands inside its own intrinsics for uninitialized variables.
set(BITPOSE_ISA_x86_avx2_PROCESSOR "^(x86_64|AMD64)$")
set(BITPOSE_ISA_x86_avx2_FLAGS -mavx2 -mfma -Wno-maybe-uninitialized -Wno-uninitialized)

set(BITPOSE_ISA_x86_avx512vnni_PROCESSOR "^(x86_64|AMD64)$")
set(BITPOSE_ISA_x86_avx512vnni_FLAGS -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx2 -mfma
    -Wno-maybe-uninitialized -Wno-uninitialized)

set(BITPOSE_ISA_arm64_neon_PROCESSOR "^(aarch64|arm64)$")
set(BITPOSE_ISA_arm64_neon_FLAGS "")

set(BITPOSE_ISA_STEMS scalar x86_avx2 x86_avx512vnni arm64_neon)
