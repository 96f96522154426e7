#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cross-builds the package's wheel for aarch64 and Python 3.11 into a folder.
# usage: [PYTHON=python3] wheel.sh OUT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
out=$1
triple=aarch64-linux-gnu
root=$("$here/root.sh")

# Debian's pyconfig.h includes <TRIPLE/python3.11/pyconfig.h>. The two folders stand alone in an include
# directory: the rest of the root's /usr/include belongs to another libc than the cross compiler's.
include=$root/python-include
mkdir -p "$include/$triple"
ln -sfn "$root/usr/include/python3.11" "$include/python3.11"
ln -sfn "$root/usr/include/$triple/python3.11" "$include/$triple/python3.11"

# No build isolation: with _PYTHON_HOST_PLATFORM set, pip would fill it with programs for Arm.
export CMAKE_TOOLCHAIN_FILE=$project/cmake/toolchains/$triple.cmake
export _PYTHON_HOST_PLATFORM=linux-aarch64
export SETUPTOOLS_EXT_SUFFIX=.cpython-311-$triple.so
export CFLAGS="-isystem $include" CXXFLAGS="-isystem $include"
mkdir -p "$out"
exec "${PYTHON:-python3}" -m pip wheel -q --no-deps --no-build-isolation -w "$out" \
  --config-settings cmake.define.Python_INCLUDE_DIR="$include/python3.11" \
  --config-settings cmake.define.PYBIND11_USE_CROSSCOMPILING=ON \
  "$project"
