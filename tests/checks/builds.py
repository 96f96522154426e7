# SPDX-License-Identifier: Apache-2.0
"""Finding builds and reading them with binutils."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = re.compile(r" -o (\S+)")


@dataclasses.dataclass(frozen=True)
class Object:
    """An object file and the source that it was compiled from."""

    source: Path
    path: Path
    command: str

    @property
    def isa(self) -> str | None:
        """The file stem in cmake/isa.cmake when this is a kernel file, otherwise None."""
        inside = self.source.is_relative_to(ROOT / "kernels")
        return self.source.stem if inside and self.source.stem in isa_stems() else None


@dataclasses.dataclass(frozen=True)
class Build:
    """A Release build directory and the prefix of the binutils that read it."""

    directory: Path
    tool_prefix: str = ""

    def objects(self) -> list[Object]:
        """Every object that compile_commands.json names and that has been built."""
        entries = json.loads((self.directory / "compile_commands.json").read_text())
        objects = [
            Object(
                source=(Path(entry["directory"]) / entry["file"]).resolve(),
                path=Path(entry["directory"]) / OUTPUT.findall(entry["command"])[-1],
                command=entry["command"],
            )
            for entry in entries
        ]
        return [item for item in objects if item.path.exists()]

    def tool(self, name: str, *arguments: str | Path) -> str:
        """Standard output of a program of binutils."""
        command = [self.tool_prefix + name, *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def shared_runtime(self) -> Path:
        """The shared library of the runtime."""
        found = sorted(self.directory.rglob("libbitpose.so*"))
        assert found, f"no libbitpose.so under {self.directory}"
        return found[-1].resolve()


def isa_stems() -> list[str]:
    """The file stems of cmake/isa.cmake."""
    text = (ROOT / "cmake" / "isa.cmake").read_text()
    match = re.search(r"set\(BITPOSE_ISA_STEMS ([^)]*)\)", text)
    assert match is not None
    return match[1].split()


def configure(preset: str, directory: Path, tool_prefix: str) -> Build:
    """Builds a CMake preset in `directory`."""
    subprocess.run(["cmake", "--preset", preset, "-B", directory], cwd=ROOT, check=True)
    subprocess.run(["cmake", "--build", directory, "--parallel", "2"], check=True)
    return Build(directory, tool_prefix)


def tracked_files() -> Iterator[Path]:
    """Every file of the source tree that git tracks."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).is_file():
            yield ROOT / name
