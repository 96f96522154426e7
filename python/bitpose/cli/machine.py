# SPDX-License-Identifier: Apache-2.0
"""The machine that figures are from."""

from __future__ import annotations

import os
import platform
from pathlib import Path

#: As `isa` arguments name them, each above those before it on its architecture.
INSTRUCTION_SETS = ("scalar", "avx2", "avx512vnni", "neon")


def instruction_sets() -> list[str]:
    """Those of this CPU that kernels of this build use, the portable one first, the best last."""
    from bitpose import _core

    usable = {isa for _, _, isa, runs_here in _core.kernels() if runs_here}
    return [isa for isa in INSTRUCTION_SETS if isa in usable]


def processor() -> str:
    """The CPU's name, or its architecture where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def describe(threads: int, isa: str | None) -> str:
    """One line for reports: CPU, cores, instruction set, threads."""
    best = instruction_sets()[-1]
    used = best if isa is None else f"{isa} of {best}"
    cores = os.cpu_count()
    return f"{processor()}, {cores} CPUs, {used}, {threads} thread{'s' if threads != 1 else ''}"
