# SPDX-License-Identifier: Apache-2.0
"""A quantized inference engine: the same bits on every CPU.

    session = bitpose.InferenceSession("net.onnx", threads=2)
    outputs = session.run(None, {"images": x})

    bitpose.compile("net.onnx").save("net.bpm")
    people = bitpose.estimate("photo.jpg", network="pose.onnx", detector="boxes.onnx")

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bitpose.compiler import Model, compile, load
    from bitpose.contents import ModelFile, bundle
    from bitpose.errors import (
        BitposeError,
        InputError,
        InvalidModelError,
        UnsupportedModelError,
    )
    from bitpose.pose.estimate import Estimator, estimate
    from bitpose.session import InferenceSession

__version__ = "0.1.0"
__all__ = [
    "BitposeError",
    "Estimator",
    "InferenceSession",
    "InputError",
    "InvalidModelError",
    "Model",
    "ModelFile",
    "UnsupportedModelError",
    "bundle",
    "compile",
    "estimate",
    "load",
]

_HOMES = {
    "BitposeError": "bitpose.errors",
    "Estimator": "bitpose.pose.estimate",
    "InferenceSession": "bitpose.session",
    "InputError": "bitpose.errors",
    "InvalidModelError": "bitpose.errors",
    "Model": "bitpose.compiler",
    "ModelFile": "bitpose.contents",
    "UnsupportedModelError": "bitpose.errors",
    "bundle": "bitpose.contents",
    "compile": "bitpose.compiler",
    "estimate": "bitpose.pose.estimate",
    "load": "bitpose.compiler",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
