# SPDX-License-Identifier: Apache-2.0
"""Prints the sources that clang-tidy reads for a build, one a line.

usage: compiled.py BUILD MACHINE

For the machine that the linters run on these are all sources of the build, for another one only the
kernel files that are built for no other machine.
"""

import json
import platform
import sys
from pathlib import Path


def main() -> None:
    build, machine = sys.argv[1:]
    entries = json.loads((Path(build) / "compile_commands.json").read_text())
    sources = sorted({str(Path(entry["directory"]) / entry["file"]) for entry in entries})
    for source in sources:
        if machine == platform.machine() or Path(source).name.startswith("arm64_"):
            print(source)


if __name__ == "__main__":
    main()
