#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compiles ONNX networks here and in an emulated aarch64 Python and compares the bytes of the models.
# usage: [PYTHON=python3] [CPU=cortex-a53] same-bytes.sh NET.onnx...   PYTHON has bitpose installed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

platforms=()
for tag in manylinux2014 manylinux_2_{17,24,26,27,28,34}; do
  platforms+=(--platform "${tag}_aarch64")
done
# What compiling imports, in the versions that this machine's Python has.
"$python" -m pip freeze | grep -iE '^(numpy|onnx|protobuf|ml[-_]dtypes|typing[-_]extensions)==' \
  >"$work/requirements.txt"
"$python" -m pip install -q --no-deps --only-binary=:all: --python-version 3.11 \
  --implementation cp "${platforms[@]}" --target "$work/site" -r "$work/requirements.txt"
"$here/wheel.sh" "$work"
"$python" -m zipfile -e "$work"/bitpose-*.whl "$work/site"

program='import sys, bitpose; bitpose.compile(sys.argv[1]).save(sys.argv[2])'
for net in "$@"; do
  name=$(basename "$net" .onnx)
  (cd "$work" && "$python" -c "$program" "$net" "$work/$name-here.bpm")
  (cd "$work" && PYTHONPATH=$work/site "$here/python.sh" -c "$program" "$net" "$work/$name-arm.bpm")
  cmp "$work/$name-here.bpm" "$work/$name-arm.bpm"
  echo "$name: the same $(stat -c %s "$work/$name-here.bpm") bytes from x86-64 and aarch64"
done
