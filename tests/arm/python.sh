#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs Python 3.11 for aarch64 under emulation, as a Cortex-A53 unless CPU names another core.
# usage: [CPU=cortex-a76] [PYTHONPATH=dir] python.sh [python arguments]
set -euo pipefail
root=$("$(dirname "$0")/root.sh")
export PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
unset OPENBLAS_CORETYPE # It may name a core of the host.
exec qemu-aarch64 -L "$root" -cpu "${CPU:-cortex-a53}" "$root/usr/bin/python3.11" "$@"
