# SPDX-License-Identifier: Apache-2.0
"""Builds to check: BITPOSE_BUILD_DIR (this machine) and BITPOSE_AARCH64_BUILD_DIR, if they are set.

Without its variable a build is made for the test, which then is a slow one: `pytest -m slow`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .builds import Build, configure

VARIABLES = {"native": "BITPOSE_BUILD_DIR", "aarch64": "BITPOSE_AARCH64_BUILD_DIR"}


def _uses(item: pytest.Item, fixture: str) -> bool:
    callspec = getattr(item, "callspec", None)
    parameters = callspec.params.values() if callspec is not None else ()
    return fixture in getattr(item, "fixturenames", ()) or fixture in parameters


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what has to make its build as slow."""
    for item in items:
        if not item.path.is_relative_to(Path(__file__).parent):
            continue
        if any(_uses(item, name) and VARIABLES[name] not in os.environ for name in VARIABLES):
            item.add_marker(pytest.mark.slow)


def _build(variable: str, factory: pytest.TempPathFactory, preset: str, prefix: str) -> Build:
    if variable in os.environ:
        return Build(Path(os.environ[variable]).resolve(), prefix)
    missing = [name for name in ("cmake", "ninja", prefix + "g++") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    return configure(preset, factory.mktemp(preset), prefix)


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The Release build for this machine."""
    return _build(VARIABLES["native"], tmp_path_factory, "release", "")


@pytest.fixture(scope="session")
def aarch64(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The Release build for 64-bit Arm."""
    preset = "aarch64-linux-gnu"
    return _build(VARIABLES["aarch64"], tmp_path_factory, preset, preset + "-")


@pytest.fixture(scope="session", params=list(VARIABLES))
def build(request: pytest.FixtureRequest) -> Build:
    """Each build in turn."""
    value = request.getfixturevalue(request.param)
    assert isinstance(value, Build)
    return value
