# SPDX-License-Identifier: Apache-2.0
"""The bytes of model files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bitpose import _core
from bitpose.errors import GraphError
from bitpose.ir.graph import Graph, Node, Quantization, Tensor
from bitpose.ir.operators import schema_differences
from bitpose.lower import lower
from bitpose.model_file import (
    ModelRecord,
    NetworkRecord,
    OperatorRecord,
    TensorRecord,
    pack_struct,
    write_model,
)
from bitpose.session import InferenceSession

SCHEMA = _core.schema()
FORMATS = {"u8": "B", "u32": "I", "s32": "i", "f32": "f", "u64": "Q"}


def unpack(name: str, data: bytes, offset: int = 0) -> dict[str, Any]:
    """A struct of the schema, read independently of the writer."""
    values = {}
    for field, kind, start, count in SCHEMA["structs"][name]["fields"]:
        found = struct.unpack_from(f"<{count}{FORMATS[kind]}", data, offset + start)
        values[field] = found[0] if count == 1 else found
    return values


def sections(data: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    header = unpack("Header", data)
    size = SCHEMA["structs"]["Section"]["bytes"]
    for i in range(header["section_count"]):
        section = unpack("Section", data, header["header_bytes"] + i * size)
        yield section, data[section["offset"] : section["offset"] + section["bytes"]]


def by_kind(data: bytes) -> dict[int, bytes]:
    return {section["kind"]: body for section, body in sections(data)}


def constant(name: str, values: Any, dtype: str = "float32") -> TensorRecord:
    data = np.array(values, dtype)
    return TensorRecord(name, dtype, data.shape, 0.0, 0, data.tobytes())


def network(name: str = "net") -> NetworkRecord:
    """y = x + a, z = y * b."""
    x = TensorRecord("x", "float32", (2, 2), 0.0, 0, None)
    tensors = (
        x,
        constant("a", [1.0, 2.0]),
        constant("b", [[1.0], [2.0]]),
        replace(x, name="y"),
        replace(x, name="z"),
    )
    operators = (
        OperatorRecord("binary_f32", "y", (0, 1), (3,), {"function": 0}),
        OperatorRecord("binary_f32", "z", (3, 2), (4,), {"function": 2}),
    )
    return NetworkRecord(name, tensors, operators, (0,), (4,))


def test_schema() -> None:
    assert schema_differences(SCHEMA) == []


def test_header_and_sections() -> None:
    record = ModelRecord((network(),), {"b": "2", "a": "ä"}, {"labels": b"cat"})
    data = write_model(record, SCHEMA)
    header = unpack("Header", data)
    assert bytes(header["magic"]) == SCHEMA["magic"]
    assert header["version"] == SCHEMA["version"]
    assert header["file_bytes"] == len(data)
    assert header["crc32"] == zlib.crc32(data[64:])
    kinds = SCHEMA["section_kinds"]
    found = [section for section, _ in sections(data)]
    order = ("strings", "data", "network", "metadata", "asset")
    assert [s["kind"] for s in found] == [kinds[kind] for kind in order]
    assert all(s["offset"] % 64 == 0 for s in found)
    text = by_kind(data)[kinds["strings"]]
    names = [text[s["name_offset"] :][: s["name_length"]] for s in found]
    assert names == [b"", b"", b"net", b"", b"labels"]
    assert [s["optional"] for s in found] == [0, 0, 0, 0, 1]
    assert by_kind(data)[kinds["asset"]] == b"cat"
    pairs = struct.unpack("<8I", by_kind(data)[kinds["metadata"]])
    words = [text[pairs[i] : pairs[i] + pairs[i + 1]].decode() for i in range(0, 8, 2)]
    assert words == ["a", "ä", "b", "2"]


def test_network() -> None:
    data = by_kind(write_model(ModelRecord((network(),)), SCHEMA))
    body = data[SCHEMA["section_kinds"]["network"]]
    head = unpack("Network", body)
    assert head == {
        "tensors": 5,
        "operators": 2,
        "operands": 8,
        "inputs": 1,
        "outputs": 1,
        "attribute_bytes": 8,
    }
    tensors = [unpack("Tensor", body, 24 + 64 * i) for i in range(5)]
    assert [t["dims"][: t["rank"]] for t in tensors] == [(2, 2), (2,), (2, 1), (2, 2), (2, 2)]
    assert [t["is_constant"] for t in tensors] == [0, 1, 1, 0, 0]
    assert tensors[1]["data_offset"] == tensors[2]["data_offset"] == 0  # Equal bytes, stored once.
    operators = [unpack("Operator", body, 24 + 5 * 64 + 32 * i) for i in range(2)]
    assert [o["first_operand"] for o in operators] == [2, 5]
    rest = struct.unpack_from("<10I", body, 24 + 5 * 64 + 2 * 32)
    assert rest == (0, 4, 0, 1, 3, 3, 2, 4, 0, 2)
    assert data[SCHEMA["section_kinds"]["data"]][:8] == np.array([1, 2], "<f4").tobytes()


def test_strings_and_constants_are_stored_once() -> None:
    data = by_kind(write_model(ModelRecord((network("one"), network("two"))), SCHEMA))
    strings = data[SCHEMA["section_kinds"]["strings"]]
    assert strings.count(b"binary_f32") == 1
    assert len(data[SCHEMA["section_kinds"]["data"]]) == 8 + SCHEMA["data_slack"]


def test_engine_reads_constants_that_share_bytes() -> None:
    values = np.arange(1000, dtype=np.float32)
    x = TensorRecord("x", "float32", (1000,), 0.0, 0, None)
    shared = [replace(constant(f"c{i}", values), scale=i + 1.0) for i in range(3)]
    results = [replace(x, name=f"y{i}") for i in range(3)]
    operators = tuple(
        OperatorRecord(
            "binary_f32", f"y{i}", (0 if i == 0 else 3 + i, 1 + i), (4 + i,), {"function": 0}
        )
        for i in range(3)
    )
    record = NetworkRecord("net", (x, *shared, *results), operators, (0,), (6,))
    data = write_model(ModelRecord((record,)), SCHEMA)
    assert len(by_kind(data)[SCHEMA["section_kinds"]["data"]]) == 4000 + SCHEMA["data_slack"]
    feed = np.ones(1000, np.float32)
    (y,) = InferenceSession(data).run(None, {"x": feed})
    np.testing.assert_array_equal(y, feed + values + values + values)


def test_engine_reads_it() -> None:
    record = ModelRecord((network(),), {"licence": "Apache-2.0"}, {"labels": b"cat"})
    session = InferenceSession(write_model(record, SCHEMA))
    (z,) = session.run(None, {"x": np.array([[1, 2], [3, 4]], np.float32)})
    assert z.tolist() == [[2, 4], [8, 12]]


def test_equal_records_give_equal_bytes() -> None:
    first, second = (write_model(ModelRecord((network(),), {"k": "v"}), SCHEMA) for _ in range(2))
    assert first == second


def test_unknown_operators_and_attributes() -> None:
    record = network()
    for operator, message in (
        (replace(record.operators[0], type="fft"), "the engine has no operator 'fft'"),
        (replace(record.operators[0], attributes={}), r"fields \['function'\], given are \[\]"),
    ):
        broken = replace(record, operators=(operator,))
        with pytest.raises(GraphError, match=message):
            write_model(ModelRecord((broken,)), SCHEMA)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": -1, "b": 0.0, "c": (1, 2)}, "a cannot be -1"),
        ({"a": 2**32, "b": 0.0, "c": (1, 2)}, "a cannot be 4294967296"),
        ({"a": 1, "b": 1e39, "c": (1, 2)}, r"b cannot be 1e\+39"),
        ({"a": 1, "b": 0.0, "c": (1, 2, 3)}, "c has 3 elements of at most 2"),
    ],
)
def test_values_that_do_not_fit(values: Mapping[str, Any], message: str) -> None:
    fields = [("a", "u32", 0, 1), ("b", "f32", 4, 1), ("c", "s32", 8, 2)]
    row = {"bytes": 16, "fields": fields}
    with pytest.raises(ValueError, match=message):
        pack_struct(row, values, "row")
    packed = pack_struct(row, {"a": 7, "b": -0.5, "c": (-1,)}, "row")
    assert struct.unpack("<If2i", packed) == (7, -0.5, -1, 0)


def graph(name: str, output: str) -> Graph:
    x = Tensor("x", np.dtype(np.int8), (2, 3), Quantization(0.5, -3))
    y = Tensor(output, np.dtype(np.float32), (2, 3))
    node = Node("dequantize_qs8_f32", output, ("x",), (output,))
    return Graph(name, (node,), {"x": x, output: y}, ("x",), (output,))


def test_lower() -> None:
    record = lower(graph("net", "y"))
    assert record.tensors[0] == TensorRecord("x", "int8", (2, 3), 0.5, -3, None)
    assert record.operators == (OperatorRecord("dequantize_qs8_f32", "y", (0,), (1,), {}),)
    assert (record.inputs, record.outputs) == ((0,), (1,))


def test_lower_makes_names_fit() -> None:
    record = lower(graph("", "long\0" * 1000))
    assert record.name == "network"
    name = record.tensors[1].name
    assert len(name.encode()) <= 1024
    assert "\0" not in name
    write_model(ModelRecord((record,)), SCHEMA)


def test_lower_refuses_what_is_not_final() -> None:
    unfinished = graph("net", "y")
    node = Node("DequantizeLinear", "y", ("x",), ("y",))
    with pytest.raises(GraphError, match="no operator of the engine"):
        lower(replace(unfinished, nodes=(node,)))
