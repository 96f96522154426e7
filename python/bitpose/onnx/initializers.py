# SPDX-License-Identifier: Apache-2.0
"""Constants of ONNX models, checked before they are believed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from bitpose.errors import InvalidModelError
from bitpose.onnx.builder import RefusalError

#: What tensors of ONNX become, by the number of their dtype there. float16 is computed in float32.
DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float32",
}
_STORED = DTYPES | {10: "float16"}
#: The same in words, for messages.
SUPPORTED = ", ".join(_STORED.values())


def constant_array(proto: TensorProto, folder: Path | None, max_elements: int) -> NDArray[Any]:
    """The elements of a constant.

    External data is read only from a file inside `folder`. Raises RefusalError for what is not
    supported and InvalidModelError where the bytes do not fit the shape.
    """
    if proto.data_type not in DTYPES:
        raise RefusalError(f"has ONNX data type {proto.data_type}", SUPPORTED)
    result = np.dtype(DTYPES[proto.data_type])
    dtype = np.dtype(_STORED[proto.data_type]).newbyteorder("<")
    shape = tuple(proto.dims)
    if any(extent < 0 for extent in shape) or math.prod(shape) > max_elements:
        raise InvalidModelError(f"constant {proto.name!r} has shape {list(shape)}")
    bytes_needed = math.prod(shape) * dtype.itemsize
    if proto.data_location == TensorProto.EXTERNAL:
        data = _external(proto, folder, bytes_needed)
    elif proto.HasField("raw_data"):
        data = proto.raw_data
    else:
        return _typed(proto, shape).astype(result)
    if len(data) != bytes_needed:
        raise InvalidModelError(
            f"constant {proto.name!r} has {len(data)} bytes, its shape needs {bytes_needed}"
        )
    return np.frombuffer(data, dtype).reshape(shape).astype(result)


def _typed(proto: TensorProto, shape: tuple[int, ...]) -> NDArray[Any]:
    try:
        return np.asarray(numpy_helper.to_array(proto)).reshape(shape)
    except (ValueError, TypeError) as error:
        raise InvalidModelError(f"constant {proto.name!r}: {error}") from error


def _external(proto: TensorProto, folder: Path | None, bytes_needed: int) -> bytes:
    fields: dict[str, str] = {entry.key: entry.value for entry in proto.external_data}
    location = fields.get("location", "")
    if folder is None:
        raise RefusalError(
            f"its data is in the file {location!r}", "data in the model, or a model file"
        )
    root = folder.resolve()
    path = (root / location).resolve()
    if not location or not path.is_relative_to(root) or not path.is_file():
        raise InvalidModelError(f"constant {proto.name!r}: no file {location!r} beside the model")
    try:
        offset, length = int(fields.get("offset", "0")), int(fields.get("length", bytes_needed))
    except ValueError as error:
        raise InvalidModelError(f"constant {proto.name!r}: {error}") from error
    if offset < 0 or length != bytes_needed:
        raise InvalidModelError(f"constant {proto.name!r}: {length} bytes at {offset}")
    with path.open("rb") as file:
        file.seek(offset)
        return bytes(file.read(length))
