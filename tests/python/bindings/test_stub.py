# SPDX-License-Identifier: Apache-2.0
"""The committed stubs say what the compiled modules are: names, parameters, defaults and types."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "python" / "bitpose"
CYTHON = sorted(PACKAGE.rglob("*.pyx"))

# How pybind11 words what the stub says shorter.
WORDING = [
    (r"\b(numpy\.typing|typing|collections\.abc)\.", ""),
    (r"\bnumpy\.ndarray\b", "NDArray[Any]"),
    (r"\bnumpy\.", "np."),
    (r"SupportsInt \| SupportsIndex", "int"),
    (r"SupportsFloat \| SupportsIndex", "float"),
]
DICTIONARY = r"\bdict\[(?:[^\[\]]|\[[^\[\]]*\])*\]"  # pybind11 knows no element types of a dict.


def signatures(stub: Path) -> dict[str, str]:
    """The signature of each function, method and property of a stub, by qualified name."""
    found: dict[str, str] = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                found[prefix + node.name] = "class"
                visit(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef) and node.name != "__repr__":
                decorators = [ast.unparse(d) for d in node.decorator_list]
                returns = ast.unparse(node.returns) if node.returns else "nothing"
                text = f"{decorators} ({ast.unparse(node.args)}) -> {returns}"
                found[prefix + node.name] = re.sub(DICTIONARY, "dict", text)

    visit(ast.parse(stub.read_text()).body, "")
    return found


def test_core_stub_is_what_pybind11_reports(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pybind11_stubgen", "--exit-code", "-o", str(tmp_path)]
    subprocess.run([*command, "bitpose._core"], check=True, capture_output=True)
    generated = signatures(tmp_path / "bitpose" / "_core.pyi")
    for pattern, replacement in WORDING:
        generated = {k: re.sub(pattern, replacement, v) for k, v in generated.items()}
    assert signatures(PACKAGE / "_core.pyi") == generated


@pytest.mark.parametrize("source", CYTHON, ids=lambda path: path.stem)
def test_cython_stub_is_what_the_module_says(source: Path) -> None:
    module = ".".join(source.relative_to(PACKAGE.parent).with_suffix("").parts)
    command = [sys.executable, "-m", "mypy.stubtest", "--concise", module]
    result = subprocess.run(command, check=False, cwd="/", capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
