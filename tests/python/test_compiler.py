# SPDX-License-Identifier: Apache-2.0
"""Compiling from outside: files, options, determinism."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

import bitpose
from bitpose.errors import InvalidModelError

from . import shared
from .onnx.build import model, node

NETWORKS = ("movenet_lightning_ptq", "mobilenet_v2_quant", "pem_cpm")


def small() -> onnx.ModelProto:
    steps = [node("Add", "x c", "a"), node("Relu", "a", "y")]
    constants = {"c": np.array([1, -2, 3], np.float32)}
    return model(steps, {"x": (np.float32, (2, 3))}, ["y"], constants)


def test_every_kind_of_source_gives_the_same_file(tmp_path: Path) -> None:
    data = small().SerializeToString(deterministic=True)
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    files = {bitpose.compile(source).to_bytes() for source in (data, path, str(path), small())}
    assert len(files) == 1


def test_metadata() -> None:
    data = small().SerializeToString(deterministic=True)
    compiled = bitpose.compile(data, licence="CC0-1.0").to_bytes()
    for text in ("licence", "CC0-1.0", "producer", hashlib.sha256(data).hexdigest()):
        assert text.encode() in compiled
    assert compiled != bitpose.compile(data).to_bytes()


def test_save_and_load(tmp_path: Path) -> None:
    compiled = bitpose.compile(small())
    path = tmp_path / "net.bpm"
    path.write_bytes(b"an older file")
    compiled.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["net.bpm"]
    loaded = bitpose.load(path)
    assert loaded.to_bytes() == path.read_bytes() == compiled.to_bytes()
    assert loaded.sha256 == hashlib.sha256(compiled.to_bytes()).hexdigest()
    assert loaded.graph is None
    assert compiled.graph is not None
    with pytest.raises(InvalidModelError, match="first bytes"):
        bitpose.load(b"PK\x03\x04")


def test_external_data_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(small(), path, save_as_external_data=True, size_threshold=0, location="weights")
    assert (tmp_path / "weights").stat().st_size > 0
    session = bitpose.InferenceSession(bitpose.compile(path).to_bytes())
    (y,) = session.run(None, {"x": np.zeros((2, 3), np.float32)})
    assert y.tolist() == [[1, 0, 3]] * 2


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_compile_to_the_same_bytes_in_another_process(name: str) -> None:
    """Under another hash seed: no set or dict order may show."""
    path = shared.model(name)
    program = "import sys, bitpose; print(bitpose.compile(sys.argv[1], licence='x').sha256)"
    digests = {bitpose.compile(path, licence="x").sha256}
    for seed in ("1", "2"):
        result = subprocess.run(
            [sys.executable, "-c", program, str(path)],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        )
        digests.add(result.stdout.strip())
    assert len(digests) == 1
