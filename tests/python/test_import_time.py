# SPDX-License-Identifier: Apache-2.0
"""`import bitpose` is cheap: little beside numpy, nothing that only some of its users need."""

from __future__ import annotations

import importlib.metadata
import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

RUNS = 7
BUDGET_SECONDS = 0.060
#: The file of networks with the body is a third of it.
MAX_INSTALLED_BYTES = 18_000_000

# Modules that a first use imports, and who uses them.
LAZY = {
    "onnx": "compile",
    "google.protobuf": "compile",
    "PIL": "pictures",
    "rich": "the command line",
    "typer": "the command line",
    "trimesh": "mesh files",
    "pygltflib": "mesh files with a skeleton",
    "torch": "training",
    "onnxruntime": "tests",
    "scipy": "fits to scans",
    "multiprocessing": "nobody",
    "asyncio": "nobody",
}

PROGRAM = """
import json, sys, time
import numpy
before = time.process_time()
import bitpose
seconds = time.process_time() - before
print(json.dumps({"seconds": seconds, "modules": sorted(sys.modules)}))
"""


def _import_in_a_new_process() -> dict[str, object]:
    command = [sys.executable, "-c", PROGRAM]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, object] = json.loads(output)
    return result


@pytest.fixture(scope="module")
def imports() -> list[dict[str, object]]:
    """What new processes report: processor time of the import beside numpy's, modules loaded."""
    return [_import_in_a_new_process() for _ in range(RUNS)]


def test_costs_little_beside_numpy(imports: list[dict[str, object]]) -> None:
    seconds = statistics.median(float(str(result["seconds"])) for result in imports)
    assert seconds <= BUDGET_SECONDS


@pytest.mark.parametrize("module", LAZY)
def test_leaves_to_first_use(imports: list[dict[str, object]], module: str) -> None:
    modules = imports[0]["modules"]
    assert isinstance(modules, list)
    assert module not in modules, f"only {LAZY[module]} needs it"


def test_installs_small() -> None:
    files = importlib.metadata.files("bitpose")
    assert files
    paths = [Path(str(file.locate())) for file in files]
    assert sum(path.stat().st_size for path in paths if path.exists()) < MAX_INSTALLED_BYTES
