# SPDX-License-Identifier: Apache-2.0
"""The shared runtime: what it needs, what it exports, how large it is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from .builds import Build

LIBM_ALLOWED = {"fmaf", "sqrtf", "rintf"}
LIBRARIES_ALLOWED = re.compile(
    r"(libc|libm|libpthread|libgcc_s|libstdc\+\+|ld-linux-[\w-]+)\.so\.\d+"
)
MAX_STRIPPED_BYTES = 1_000_000


def _undefined(build: Build, library: Path) -> set[str]:
    listing = build.tool("nm", "-D", "--undefined-only", library)
    return {line.split()[-1].split("@")[0] for line in listing.splitlines()}


def _libm(build: Build) -> set[str]:
    compiler = build.tool("g++", "-print-file-name=libm.so.6").strip()
    listing = build.tool("nm", "-D", "--defined-only", compiler)
    return {line.split()[-1].split("@")[0] for line in listing.splitlines()}


def _libc(build: Build) -> set[str]:
    compiler = build.tool("g++", "-print-file-name=libc.so.6").strip()
    listing = build.tool("nm", "-D", "--defined-only", compiler)
    return {line.split()[-1].split("@")[0] for line in listing.splitlines()}


def test_libm_gives_only_exact_functions(build: Build) -> None:
    only_in_libm = _libm(build) - _libc(build)
    assert "expf" in only_in_libm
    assert (_undefined(build, build.shared_runtime()) & only_in_libm) <= LIBM_ALLOWED


def test_needs_only_the_standard_library(build: Build) -> None:
    dynamic = build.tool("readelf", "-d", build.shared_runtime())
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)
    assert needed
    assert [name for name in needed if not LIBRARIES_ALLOWED.fullmatch(name)] == []


def test_exports_only_the_c_api(build: Build) -> None:
    listing = build.tool("nm", "-D", "--defined-only", build.shared_runtime())
    symbols = [line.split()[-1] for line in listing.splitlines() if " A " not in line]
    assert symbols
    assert [name for name in symbols if not name.startswith("bitpose_")] == []


def test_fits_a_phone(aarch64: Build, tmp_path: Path) -> None:
    stripped = Path(shutil.copy(aarch64.shared_runtime(), tmp_path / "libbitpose.so"))
    aarch64.tool("strip", "--strip-unneeded", stripped)
    assert stripped.stat().st_size < MAX_STRIPPED_BYTES
