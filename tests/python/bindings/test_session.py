# SPDX-License-Identifier: Apache-2.0
"""The bound session: what it tells, what it refuses, and that Python threads may share it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose import _core
from bitpose.errors import BitposeError, InputError, InvalidModelError, UnsupportedModelError
from bitpose.ir.graph import Graph, Node, Quantization, Tensor
from bitpose.lower import lower
from bitpose.model_file import ModelRecord, write_model

F32, S8 = np.dtype(np.float32), np.dtype(np.int8)
ROWS, COLUMNS = 3, 5
OFFSET = np.arange(COLUMNS, dtype=np.float32)
X = np.linspace(-2, 2, ROWS * COLUMNS, dtype=np.float32).reshape(ROWS, COLUMNS)


def network() -> Graph:
    """sum = x + offset, y = softmax(sum), q = quantized y."""
    shape = (ROWS, COLUMNS)
    tensors = [
        Tensor("x", F32, shape),
        Tensor.constant("offset", OFFSET),
        Tensor("sum", F32, shape),
        Tensor("y", F32, shape),
        Tensor("q", S8, shape, Quantization(0.5**8, -128)),
    ]
    nodes = (
        Node("binary_f32", "add", ("x", "offset"), ("sum",), {"function": 0}),
        Node("softmax_f32", "softmax", ("sum",), ("y",)),
        Node("quantize_f32_qs8", "quantize", ("y",), ("q",), {"qmin": -128, "qmax": 127}),
    )
    return Graph("small", nodes, {t.name: t for t in tensors}, ("x",), ("y", "q"))


@pytest.fixture(scope="module")
def model() -> bytes:
    return write_model(ModelRecord((lower(network()),)), _core.schema())


@pytest.fixture(scope="module")
def session(model: bytes) -> _core.Session:
    return _core.Session(model)


def test_tells_inputs_and_outputs(session: _core.Session) -> None:
    (x,) = session.inputs
    y, q = session.outputs
    assert (x.name, x.dtype, x.shape, x.scale, x.zero_point) == ("x", "float32", [3, 5], 0, 0)
    assert (y.name, q.name, q.dtype, q.scale, q.zero_point) == ("y", "q", "int8", 0.5**8, -128)
    assert repr(q) == (
        "TensorInfo(name='q', dtype='int8', shape=[3, 5], scale=0.00390625, zero_point=-128)"
    )


def test_runs(session: _core.Session) -> None:
    y, q = session.run([X])
    exact = np.exp((X + OFFSET).astype(np.float64))
    np.testing.assert_allclose(y, exact / exact.sum(1, keepdims=True), rtol=1e-6)
    np.testing.assert_array_equal(q, np.rint(np.minimum(y * 256, 255)) - 128)


def test_loads_files(model: bytes, session: _core.Session, tmp_path: Path) -> None:
    path = tmp_path / "größe.bpm"
    path.write_bytes(model)
    np.testing.assert_array_equal(_core.Session(str(path)).run([X])[0], session.run([X])[0])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "the network has 1 inputs, got 0 arrays"),
        ([X, X], "got 2 arrays"),
        ([X[:2]], r"input 'x' must be float32\[3, 5\], got float32\[2, 5\]$"),
        ([X.astype(np.float64)], r"got float64\[3, 5\]$"),
        ([X.astype(">f4")], r"got >f4\[3, 5\]$"),
        ([np.asfortranarray(X)], r"got float32\[3, 5\] that is not contiguous"),
        ([np.array(1, np.float32)], r"got float32\[\]$"),
    ],
)
def test_refuses_inputs(session: _core.Session, inputs: list[NDArray[Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        session.run(inputs)
    with pytest.raises(InputError, match=message):
        session.profile(inputs)


def test_refuses_what_is_no_array(session: _core.Session) -> None:
    with pytest.raises(TypeError):
        session.run([[1.0]])  # type: ignore[list-item]


def test_damaged_models(model: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidModelError, match="checksum"):
        _core.Session(model[:-1] + bytes([model[-1] ^ 1]))
    with pytest.raises(InvalidModelError):
        _core.Session(b"")
    with pytest.raises(OSError, match="No such file"):
        _core.Session(str(tmp_path / "none.bpm"))


def test_unknown_operators_are_unsupported() -> None:
    network_record = lower(network())
    add, softmax, quantize = network_record.operators
    operators = (add, replace(softmax, type="new_f32"), quantize)
    schema = _core.schema()
    schema["operators"]["new_f32"] = {"bytes": 0, "fields": []}
    record = ModelRecord((replace(network_record, operators=operators),))
    with pytest.raises(UnsupportedModelError, match="new_f32") as caught:
        _core.Session(write_model(record, schema))
    assert isinstance(caught.value, BitposeError)
    assert caught.value.problems == ()


def test_instruction_sets(model: bytes, session: _core.Session) -> None:
    with pytest.raises(InputError, match="no instruction set 'mmx', only scalar, avx2"):
        _core.Session(model, isa="mmx")
    rows = _core.Session(model, isa="scalar").profile([X])
    assert rows[1].kernel == "softmax_f32_16__scalar"
    np.testing.assert_array_equal(
        _core.Session(model, isa="scalar").run([X])[0], session.run([X])[0]
    )


@pytest.mark.parametrize("threads", [1, 2, 0])
def test_threads(model: bytes, session: _core.Session, threads: int) -> None:
    np.testing.assert_array_equal(
        _core.Session(model, threads=threads).run([X])[0], session.run([X])[0]
    )


def test_keeps_intermediates(model: bytes, session: _core.Session) -> None:
    keeping = _core.Session(model, keep_intermediates=True)
    with pytest.raises(InputError, match="has not run yet"):
        keeping.tensors()
    y, q = keeping.run([X])
    tensors = keeping.tensors()
    assert list(tensors) == ["x", "sum", "y", "q"]
    np.testing.assert_array_equal(tensors["x"], X)
    np.testing.assert_array_equal(tensors["sum"], X + OFFSET)
    np.testing.assert_array_equal(tensors["y"], y)
    np.testing.assert_array_equal(tensors["q"], q)
    with pytest.raises(InputError, match="made without keep_intermediates"):
        session.tensors()


def test_profiles(model: bytes) -> None:
    session = _core.Session(model)
    with pytest.raises(InputError, match="no profile yet"):
        session.chrome_trace()
    rows = session.profile([X])
    assert [(row.name, row.type) for row in rows] == [
        ("sum", "binary_f32"),
        ("y", "softmax_f32"),
        ("q", "quantize_f32_qs8"),
    ]
    assert all(row.microseconds >= 0 for row in rows)
    assert rows[0].bytes == 4 * (2 * ROWS * COLUMNS + COLUMNS)
    assert rows[1].macs > 0
    assert "microseconds=" in repr(rows[0])
    assert json.loads(session.chrome_trace())


def test_memory(model: bytes) -> None:
    session = _core.Session(model)
    assert session.arena_bytes >= session.arena_lower_bound >= X.nbytes
    assert session.scratch_bytes >= 0
    assert session.packed_bytes >= 0


def test_python_threads_share_a_session(model: bytes) -> None:
    session = _core.Session(model, keep_intermediates=True)
    inputs = [X + np.float32(i) * OFFSET for i in range(64)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda x: session.run([x])[0], inputs))
    for x, y in zip(inputs, results, strict=True):
        np.testing.assert_array_equal(y, session.run([x])[0])


def test_schema_describes_the_file(model: bytes) -> None:
    schema = _core.schema()
    assert model.startswith(schema["magic"])
    for row in [*schema["structs"].values(), *schema["operators"].values()]:
        widths = {"u8": 1, "u32": 4, "s32": 4, "f32": 4, "u64": 8}
        end = 0
        for _, kind, offset, count in row["fields"]:
            assert offset == end
            end += widths[kind] * count
        assert end == row["bytes"]
