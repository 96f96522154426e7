# SPDX-License-Identifier: Apache-2.0
"""Networks and photos that are not in the repository; tests that need them skip without."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("BITPOSE_SHARED", Path(__file__).parents[3] / "shared"))


def _existing(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def model(name: str) -> Path:
    """The ONNX file of a network, for example "pem_cpm"."""
    return _existing(ROOT / "models" / f"{name}.onnx")


def image(name: str) -> Path:
    """A file of the pictures, for example "coral_squat.bmp"."""
    return _existing(ROOT / "images" / name)


def mocap() -> Path:
    """Poses of the CMU motion capture database."""
    return _existing(ROOT / "mocap" / "cmu_poses.npz")


def people() -> Path:
    """The folder of skins, garments and hair."""
    return _existing(ROOT / "people")


def scenes() -> Path:
    """The folder of panoramas, photos and textures."""
    return _existing(ROOT / "scenes")
