# SPDX-License-Identifier: Apache-2.0
"""Every shared network gives the same bits on each instruction set and number of threads."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from numpy.typing import NDArray

from bitpose.cli.machine import instruction_sets
from bitpose.compiler import compile as compile_model
from bitpose.session import InferenceSession

from . import shared
from .test_more_networks import FLOAT, SHAPES, feeds
from .test_whole_networks import PHOTOS

# ruff: noqa: T201

Feed = dict[str, NDArray[Any]]
QUANTIZED = (
    *("deeplabv3_mnv2_dm05_quant", "mobilenet_v1_025_128_quant", "mobilenet_v2_quant"),
    *("movenet_lightning_ptq", "ssd_mobilenet_v1_coco_quant", "tinycnn_cifar10_int8"),
)


def digests(model: bytes, feed: Feed) -> dict[str, str]:
    """The hash of the outputs by instruction set, and with three threads."""
    sessions = {isa: InferenceSession(model, isa=isa) for isa in instruction_sets()}
    sessions["3 threads"] = InferenceSession(model, threads=3)
    found = {}
    for how, session in sessions.items():
        sha = hashlib.sha256()
        for output in session.run(None, feed):
            sha.update(repr(output.shape).encode() + output.tobytes())
        found[how] = sha.hexdigest()
    return found


def check(name: str, form: str, model: bytes, feed: Feed) -> None:
    found = digests(model, feed)
    print(f"\n{name} {form}: {next(iter(found.values()))[:16]} on {', '.join(found)}")
    assert len(set(found.values())) == 1, found


@pytest.mark.slow
@pytest.mark.parametrize("name", QUANTIZED)
def test_quantized(name: str) -> None:
    model = compile_model(shared.model(name)).to_bytes()
    (source,) = InferenceSession(model).get_inputs()
    check(name, "int8", model, next(feeds(source, 255, PHOTOS[:1])))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FLOAT, "pem_cpm"])
def test_float(name: str) -> None:
    path, shapes = shared.model(name), SHAPES.get(name)
    model = compile_model(path, shapes=shapes).to_bytes()
    (source,) = InferenceSession(model).get_inputs()
    feed, *_ = inputs = list(feeds(source, FLOAT.get(name, 255), PHOTOS[:2]))
    check(name, "float", model, feed)
    quantized = compile_model(path, shapes=shapes, precision="int8", calibration=inputs)
    check(name, "int8", quantized.to_bytes(), feed)
    again = compile_model(path, shapes=shapes, precision="int8", calibration=inputs)
    assert quantized.to_bytes() == again.to_bytes()
