# SPDX-License-Identifier: Apache-2.0
"""The bytes of a `.bpm` model, written by the field tables of the engine.

The layout stands in engine/model/format.h alone; `bitpose._core.schema()` tells it. Little-endian;
sections in the order strings, data, networks, metadata, assets, each at a multiple of 64. Equal
strings and equal constants are stored once. Equal records give equal bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bitpose.errors import GraphError

_Schema = Mapping[str, Any]
_Value = int | float | bytes | Sequence[int]
_FORMATS = {"u8": "B", "u32": "I", "s32": "i", "f32": "f", "u64": "Q"}


@dataclass(frozen=True)
class TensorRecord:
    """A tensor. `scale` is 0 where it is not quantized; `data` has a constant's bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    data: bytes | None


@dataclass(frozen=True)
class OperatorRecord:
    """An operator over tensors by index."""

    type: str
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: Mapping[str, int | float]


@dataclass(frozen=True)
class NetworkRecord:
    """A network: operators in execution order, graph inputs and outputs by tensor index."""

    name: str
    tensors: tuple[TensorRecord, ...]
    operators: tuple[OperatorRecord, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def constant_bytes(self) -> int:
        """Of its constants in a file, equal ones once."""
        return sum(map(len, {x.data for x in self.tensors if x.data is not None}))


@dataclass(frozen=True)
class ModelRecord:
    """All that a model file holds."""

    networks: tuple[NetworkRecord, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    assets: Mapping[str, bytes] = field(default_factory=dict)


def write_model(model: ModelRecord, schema: _Schema) -> bytes:
    """The file of a model. `schema` is what `bitpose._core.schema()` returns.

    Raises GraphError for an operator or attribute that the schema does not have, and ValueError for
    a value that a field cannot hold.
    """
    return _Writer(model, schema).file()


class _Strings:
    """The strings section: each text once."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._offsets: dict[str, tuple[int, int]] = {}

    def add(self, text: str) -> tuple[int, int]:
        """Offset and length of a text."""
        if text not in self._offsets:
            encoded = text.encode()
            self._offsets[text] = (len(self.data), len(encoded))
            self.data += encoded
        return self._offsets[text]


class _Constants:
    """The data section: each constant once, aligned, with slack behind the last."""

    def __init__(self, alignment: int, slack: int) -> None:
        self._alignment = alignment
        self._slack = slack
        self._data = bytearray()
        self._offsets: dict[bytes, int] = {}

    def add(self, data: bytes) -> int:
        """The offset of a constant."""
        if data not in self._offsets:
            self._data += bytes(-len(self._data) % self._alignment)
            self._offsets[data] = len(self._data)
            self._data += data
        return self._offsets[data]

    def section(self) -> bytes:
        """The bytes of the section."""
        return bytes(self._data) + bytes(self._slack)


class _Writer:
    def __init__(self, model: ModelRecord, schema: _Schema) -> None:
        self.model = model
        self.schema = schema
        self.strings = _Strings()

    def file(self) -> bytes:
        constants = _Constants(self.schema["alignment"], self.schema["data_slack"])
        networks = [self._network(network, constants) for network in self.model.networks]
        sections: list[tuple[str, str, bytes]] = [("data", "", constants.section())]
        sections += [
            ("network", network.name, data)
            for network, data in zip(self.model.networks, networks, strict=True)
        ]
        if self.model.metadata:
            sections.append(("metadata", "", self._metadata()))
        sections += [("asset", name, data) for name, data in sorted(self.model.assets.items())]
        for _, name, _ in sections:
            self.strings.add(name)
        return self._assemble([("strings", "", bytes(self.strings.data)), *sections])

    def _pack(self, name: str, values: Mapping[str, _Value]) -> bytes:
        return pack_struct(self.schema["structs"][name], values, name)

    def _network(self, network: NetworkRecord, constants: _Constants) -> bytes:
        tensors = b"".join(self._tensor(tensor, constants) for tensor in network.tensors)
        operands = [*network.inputs, *network.outputs]
        operators, attributes = bytearray(), bytearray()
        for operator in network.operators:
            operators += self._operator(operator, len(operands), len(attributes))
            operands += [*operator.inputs, *operator.outputs]
            attributes += self._attributes(operator)
        header = self._pack(
            "Network",
            {
                "tensors": len(network.tensors),
                "operators": len(network.operators),
                "operands": len(operands),
                "inputs": len(network.inputs),
                "outputs": len(network.outputs),
                "attribute_bytes": len(attributes),
            },
        )
        table = struct.pack(f"<{len(operands)}I", *operands)
        return header + tensors + bytes(operators) + table + bytes(attributes)

    def _tensor(self, tensor: TensorRecord, constants: _Constants) -> bytes:
        offset, length = self.strings.add(tensor.name)
        return self._pack(
            "Tensor",
            {
                "name_offset": offset,
                "name_length": length,
                "dtype": self.schema["dtypes"][tensor.dtype],
                "rank": len(tensor.shape),
                "dims": tensor.shape,
                "scale": tensor.scale,
                "zero_point": tensor.zero_point,
                "is_constant": int(tensor.data is not None),
                "data_offset": 0 if tensor.data is None else constants.add(tensor.data),
            },
        )

    def _operator(self, operator: OperatorRecord, first_operand: int, attributes: int) -> bytes:
        type_offset, type_length = self.strings.add(operator.type)
        name_offset, name_length = self.strings.add(operator.name)
        return self._pack(
            "Operator",
            {
                "type_offset": type_offset,
                "type_length": type_length,
                "name_offset": name_offset,
                "name_length": name_length,
                "first_operand": first_operand,
                "inputs": len(operator.inputs),
                "outputs": len(operator.outputs),
                "attribute_offset": attributes,
            },
        )

    def _attributes(self, operator: OperatorRecord) -> bytes:
        row = self.schema["operators"].get(operator.type)
        if row is None:
            raise GraphError(f"the engine has no operator {operator.type!r}")
        data = pack_struct(row, operator.attributes, f"{operator.type} {operator.name!r}")
        return data + bytes(-len(data) % 4)

    def _metadata(self) -> bytes:
        table = b""
        for key, value in sorted(self.model.metadata.items(), key=lambda item: item[0].encode()):
            for text in (key, value):
                offset, length = self.strings.add(text)
                table += self._pack("StringRef", {"offset": offset, "length": length})
        return table

    def _assemble(self, sections: Sequence[tuple[str, str, bytes]]) -> bytes:
        header_bytes = self.schema["structs"]["Header"]["bytes"]
        table_bytes = self.schema["structs"]["Section"]["bytes"] * len(sections)
        table, body = b"", bytearray()
        for kind, name, data in sections:
            body += bytes(-(header_bytes + table_bytes + len(body)) % self.schema["alignment"])
            name_offset, name_length = self.strings.add(name)
            table += self._pack(
                "Section",
                {
                    "kind": self.schema["section_kinds"][kind],
                    "optional": int(kind == "asset"),
                    "name_offset": name_offset,
                    "name_length": name_length,
                    "offset": header_bytes + table_bytes + len(body),
                    "bytes": len(data),
                },
            )
            body += data
        rest = table + bytes(body)
        header = self._pack(
            "Header",
            {
                "magic": self.schema["magic"],
                "version": self.schema["version"],
                "section_count": len(sections),
                "file_bytes": header_bytes + len(rest),
                "crc32": zlib.crc32(rest),
                "header_bytes": header_bytes,
            },
        )
        return header + rest


def pack_struct(row: Mapping[str, Any], values: Mapping[str, _Value], what: str) -> bytes:
    """The bytes of a struct that a schema describes.

    `row` has "bytes" and "fields": (name, type, offset, count). Arrays take a sequence that may be
    shorter than the field. Fields called `reserved` are 0. Raises GraphError where names differ and
    ValueError where a value does not fit.
    """
    data = bytearray(row["bytes"])
    names = {name for name, *_ in row["fields"] if name != "reserved"}
    if names != set(values):
        raise GraphError(f"{what} has the fields {sorted(names)}, given are {sorted(values)}")
    for name, kind, offset, count in row["fields"]:
        value = values.get(name, ())
        elements = list(value) if isinstance(value, bytes | Sequence) else [value]
        if len(elements) > count:
            raise ValueError(f"{what}: {name} has {len(elements)} elements of at most {count}")
        try:
            struct.pack_into(f"<{len(elements)}{_FORMATS[kind]}", data, offset, *elements)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"{what}: {name} cannot be {value!r}: {error}") from error
    return bytes(data)
