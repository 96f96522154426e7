# SPDX-License-Identifier: Apache-2.0
"""The commands as a user calls them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bitpose.cli.app import app


def invoke(*arguments: str) -> str:
    """What a command prints; it must succeed."""
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_help_names_every_command() -> None:
    text = invoke("--help")
    for command in ("compile", "run", "bench", "inspect", "selftest", "demo"):
        assert command in text


def test_selftest() -> None:
    text = invoke("selftest", "--problems", "2")
    assert "igemm_qs8" in text
    assert "all bits agree" in text


def test_missing_files_are_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["inspect", str(tmp_path / "none.onnx")])
    assert result.exit_code == 2
    assert "does not exist" in result.output
