# SPDX-License-Identifier: Apache-2.0
"""The inputs and outputs of an ONNX model, as it states them itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from onnx import ModelProto, ValueInfoProto

from bitpose.onnx.initializers import DTYPES


@dataclass(frozen=True)
class Value:
    """An input or output. A free extent is its name, or None where it has none."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]


def read_signature(model: bytes | Path) -> tuple[list[Value], list[Value]]:
    """The inputs (without initializers) and the outputs of a model that has been imported once."""
    proto = ModelProto.FromString(model if isinstance(model, bytes) else model.read_bytes())
    constants = {x.name for x in proto.graph.initializer}
    inputs = [_value(x) for x in proto.graph.input if x.name not in constants]
    return inputs, [_value(y) for y in proto.graph.output]


def _value(proto: ValueInfoProto) -> Value:
    tensor = proto.type.tensor_type
    shape = tuple(
        dim.dim_value if dim.dim_value > 0 else dim.dim_param or None for dim in tensor.shape.dim
    )
    return Value(proto.name, DTYPES.get(tensor.elem_type, "float32"), shape)
