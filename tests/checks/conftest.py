# SPDX-License-Identifier: Apache-2.0
"""Builds to check: BITPOSE_BUILD_DIR (this machine) and BITPOSE_AARCH64_BUILD_DIR, if they are set.

Without the variables, `pytest -m slow` makes the builds itself; elsewhere these checks are skipped.
"""

from __future__ import annotations

import shutil

import pytest

from .builds import Build, build_from_environment, configure


def _slow_build(
    request: pytest.FixtureRequest,
    factory: pytest.TempPathFactory,
    preset: str,
    programs: list[str],
) -> Build:
    if "slow" not in str(request.config.option.markexpr):
        pytest.skip("needs a build: set its variable (tests/checks/conftest.py) or run -m slow")
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    return configure(preset, factory.mktemp(preset))


@pytest.fixture(scope="session")
def native(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The Release build for this machine."""
    given = build_from_environment("BITPOSE_BUILD_DIR", "")
    return given or _slow_build(request, tmp_path_factory, "release", ["cmake", "ninja", "g++"])


@pytest.fixture(scope="session")
def aarch64(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The Release build for 64-bit Arm."""
    given = build_from_environment("BITPOSE_AARCH64_BUILD_DIR", "aarch64-linux-gnu-")
    programs = ["cmake", "ninja", "aarch64-linux-gnu-g++"]
    return given or _slow_build(request, tmp_path_factory, "aarch64-linux-gnu", programs)


@pytest.fixture(scope="session", params=["native", "aarch64"])
def build(request: pytest.FixtureRequest) -> Build:
    """Each build in turn."""
    value = request.getfixturevalue(request.param)
    assert isinstance(value, Build)
    return value
