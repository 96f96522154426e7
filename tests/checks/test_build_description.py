# SPDX-License-Identifier: Apache-2.0
"""Compiler flags: the baseline everywhere, special instruction sets on their kernel files alone."""

from __future__ import annotations

import re

import pytest

from .builds import ROOT, Build, tracked_files

BUILD_FILES = [
    path
    for path in tracked_files()
    if path.name in {"CMakeLists.txt", "CMakePresets.json", "pyproject.toml"}
    or path.suffix == ".cmake"
]
FORBIDDEN = re.compile(r"-m(?:arch|cpu|tune)=native|-xHost|-ffast-math|-Ofast")
TARGET_FLAG = re.compile(r"\s(-m(?:arch|cpu|avx|fma|sse|bmi|f16c|fpu)\S*)")


@pytest.mark.skipif(not BUILD_FILES, reason="needs a git checkout")
def test_build_files_name_no_native_target() -> None:
    found = {
        str(path.relative_to(ROOT)): FORBIDDEN.findall(path.read_text()) for path in BUILD_FILES
    }
    assert {name: flags for name, flags in found.items() if flags} == {}


def test_no_command_targets_this_machine(build: Build) -> None:
    objects = build.objects()
    assert objects
    found = {str(item.source): FORBIDDEN.findall(item.command) for item in objects}
    assert {name: flags for name, flags in found.items() if flags} == {}


def test_only_kernel_files_have_target_flags(build: Build) -> None:
    found = {
        str(item.source): TARGET_FLAG.findall(item.command)
        for item in build.objects()
        if item.isa is None or item.isa == "scalar"
    }
    assert {name: flags for name, flags in found.items() if flags} == {}


def test_contraction_is_off_everywhere(build: Build) -> None:
    contracted = [
        str(item.source)
        for item in build.objects()
        if item.source.suffix == ".cc" and "-ffp-contract=off" not in item.command
    ]
    assert contracted == []
