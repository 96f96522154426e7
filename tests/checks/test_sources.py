# SPDX-License-Identifier: Apache-2.0
"""The source tree: licence lines and sizes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .builds import ROOT, tracked_files

MAX_LINES = 800
MAX_BYTES = 200_000
MAX_BYTES_OF = {
    "python/bitpose/body/default_body.npz": 3_000_000,
    "python/bitpose/body/default_surface.npz": 1_400_000,
}
SOURCE_SUFFIXES = {
    *(".c", ".cc", ".h", ".inc", ".S"),
    *(".py", ".pyi", ".pyx", ".pxd"),
    *(".cmake", ".sh"),
}
LICENCE = re.compile(r"(//|#|/\*) SPDX-License-Identifier: Apache-2\.0( \*/)?")
SOURCE_NAMES = {"CMakeLists.txt"}
TEXT_SUFFIXES = SOURCE_SUFFIXES | {".md", ".svg", ".toml", ".yaml", ".json", ".txt"}

FILES = list(tracked_files())


def _is_source(path: Path) -> bool:
    return path.suffix in SOURCE_SUFFIXES or path.name in SOURCE_NAMES


@pytest.mark.skipif(not FILES, reason="needs a git checkout")
def test_every_source_names_its_licence() -> None:
    missing = []
    for path in filter(_is_source, FILES):
        head = path.read_text(encoding="utf-8").split("\n", 2)[:2]
        first = head[-1] if head[0].startswith("#!") else head[0]
        if LICENCE.fullmatch(first) is None:
            missing.append(str(path.relative_to(ROOT)))
    assert missing == [], "first line must be `SPDX-License-Identifier: Apache-2.0` in a comment"


@pytest.mark.skipif(not FILES, reason="needs a git checkout")
def test_no_source_is_too_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): path.read_bytes().count(b"\n")
        for path in FILES
        if path.suffix in TEXT_SUFFIXES or path.name in SOURCE_NAMES
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


@pytest.mark.skipif(not FILES, reason="needs a git checkout")
def test_no_file_is_too_large() -> None:
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in FILES}
    large = {n: size for n, size in sizes.items() if size > MAX_BYTES_OF.get(n, MAX_BYTES)}
    assert large == {}
