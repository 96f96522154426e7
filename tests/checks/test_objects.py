# SPDX-License-Identifier: Apache-2.0
"""Object files: nothing weak leaves a kernel file, no instruction outside its own file."""

from __future__ import annotations

import re

import pytest

from .builds import Build, Object

WEAK = re.compile(r"^[0-9a-f]* +([VWu]) (.+)$", re.MULTILINE)

# What an instruction set brings, as it stands in a disassembly: registers or mnemonics.
INSTRUCTIONS = {
    # Every VEX or EVEX instruction starts with v; verr, verw and the vm... group are older.
    "vex": re.compile(r"\tv(?!err|erw|m)[a-z0-9]+ .*"),
    "ymm": re.compile(r".*%ymm\d+.*"),
    "evex": re.compile(r".*(?:%zmm\d+|%k[0-7]\b|%[xy]mm(?:1[6-9]|2\d|3[01])).*"),
    "dot": re.compile(r"\t[su]dot\t.*"),
    "i8mm": re.compile(r"\t(?:usdot|sudot|[su]mmla|usmmla)\t.*"),
    "half": re.compile(r"\tf(?:add|mul|mla|mls)\tv\d+\.[48]h.*"),
}

# By file stem of cmake/isa.cmake; other objects may hold none.
ALLOWED: dict[str, set[str]] = {
    "x86_avx2": {"vex", "ymm"},
    "x86_avx512vnni": {"vex", "ymm", "evex"},
}


def _forbidden(build: Build, item: Object) -> dict[str, str]:
    text = build.tool("objdump", "-d", "--no-show-raw-insn", item.path)
    allowed = ALLOWED.get(item.isa or "", set())
    hits = {
        name: pattern.search(text) for name, pattern in INSTRUCTIONS.items() if name not in allowed
    }
    return {name: hit[0].strip() for name, hit in hits.items() if hit}


def test_kernel_files_define_nothing_weak(build: Build) -> None:
    kernels = [item for item in build.objects() if item.isa is not None]
    assert kernels
    weak = {
        f"{item.source.parent.name}/{item.source.name}": WEAK.findall(
            build.tool("nm", "-C", "--defined-only", item.path)
        )
        for item in kernels
    }
    assert {name: symbols for name, symbols in weak.items() if symbols} == {}


def test_instructions_stay_in_their_files(build: Build) -> None:
    found = {str(item.source): _forbidden(build, item) for item in build.objects()}
    assert found
    assert {name: hits for name, hits in found.items() if hits} == {}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("   0:\tvaddps %xmm0,%xmm1,%xmm2", {"vex"}),
        ("   0:\tvpaddd %ymm0,%ymm1,%ymm2", {"vex", "ymm"}),
        ("   0:\tvpdpbusd %zmm0,%zmm1,%zmm2", {"vex", "evex"}),
        ("   0:\tvpaddd %ymm16,%ymm1,%ymm2", {"vex", "ymm", "evex"}),
        ("   0:\tkmovw  %k1,%eax", {"evex"}),
        ("   0:\taddps  %xmm0,%xmm1", set()),
        ("   0:\tverr   %ax", set()),
        ("   0:\tsdot\tv0.4s, v1.16b, v2.4b[0]", {"dot"}),
        ("   0:\tsmmla\tv0.4s, v1.16b, v2.16b", {"i8mm"}),
        ("   0:\tsmlal2\tv0.8h, v1.16b, v2.16b", set()),
    ],
)
def test_patterns_know_their_instructions(line: str, names: set[str]) -> None:
    assert {name for name, pattern in INSTRUCTIONS.items() if pattern.search(line)} == names
