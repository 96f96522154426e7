# SPDX-License-Identifier: Apache-2.0
# bitpose_options carries what every translation unit is compiled with. -ffp-contract=off keeps a
# product and a sum two roundings wherever the source says so: the same bits on every CPU.
add_library(bitpose_options INTERFACE)
target_compile_features(bitpose_options INTERFACE cxx_std_20)
target_compile_options(bitpose_options INTERFACE
  -ffp-contract=off -fno-math-errno -fno-rtti
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  -Wno-restrict)  # gcc 12 misreads std::string's operator+ (its bug 105651).
if(BITPOSE_SANITIZE)
  target_compile_options(bitpose_options INTERFACE
    -fsanitize=${BITPOSE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(bitpose_options INTERFACE -fsanitize=${BITPOSE_SANITIZE})
endif()
