# SPDX-License-Identifier: Apache-2.0
"""What `import bitpose` offers, and sessions from end to end."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import bitpose

from .tiny import colour_means


@pytest.fixture
def model() -> bytes:
    return bitpose.compile(colour_means()).to_bytes()


def feed(seed: int = 0) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    x = np.random.default_rng(seed).uniform(-1, 1, (1, 3, 8, 8))
    return {"x": x.astype(np.float32)}


def test_every_name_is_there() -> None:
    for name in bitpose.__all__:
        assert name in dir(bitpose)
        assert getattr(bitpose, name) is not None
    assert callable(bitpose.compile)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        bitpose.nonsense  # noqa: B018


def test_sources_of_a_session(model: bytes, tmp_path: Path) -> None:
    """Bytes or a path, compiled or ONNX: all the same network."""
    onnx_path, compiled_path = tmp_path / "net.onnx", tmp_path / "net.bpm"
    onnx_path.write_bytes(colour_means().SerializeToString())
    bitpose.compile(onnx_path).save(compiled_path)
    (expected,) = bitpose.InferenceSession(model).run(None, feed())
    sources: tuple[Path | str | bytes, ...] = (
        *(onnx_path, str(compiled_path), onnx_path.read_bytes()),
        bitpose.load(compiled_path).to_bytes(),
    )
    for source in sources:
        (got,) = bitpose.InferenceSession(source).run(None, feed())
        np.testing.assert_array_equal(got, expected)


def test_describes_itself(model: bytes) -> None:
    session = bitpose.InferenceSession(model)
    (x,), (y,) = session.get_inputs(), session.get_outputs()
    assert (x.name, x.shape, x.type) == ("x", [1, 3, 8, 8], "tensor(float)")
    assert (y.name, y.shape, y.type) == ("y", [1, 4], "tensor(float)")
    assert session.arena_bytes >= session.arena_lower_bound > 0
    assert session.packed_bytes > 0
    assert session.scratch_bytes >= 0


def test_computes(model: bytes) -> None:
    session = bitpose.InferenceSession(model, threads=2)
    x = feed()["x"]
    (y,) = session.run(["y"], {"x": x})
    both = np.concatenate([x, x.mean(1, keepdims=True)], axis=1)
    np.testing.assert_allclose(y, np.maximum(both, 0).mean((2, 3)), rtol=1e-5)
    with pytest.raises(bitpose.InputError, match="missing: 'x'"):
        session.run(None, {})
    with pytest.raises(bitpose.InputError, match="no output 'z'"):
        session.run(["z"], {"x": x})


def test_runs_at_once(model: bytes) -> None:
    session = bitpose.InferenceSession(model)
    expected = [session.run(None, feed(seed))[0] for seed in range(20)]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda seed: session.run(None, feed(seed))[0], range(20)))
    np.testing.assert_array_equal(got, expected)


def test_keeps_intermediates(model: bytes) -> None:
    session = bitpose.InferenceSession(model, keep_intermediates=True)
    (y,) = session.run(None, feed())
    tensors = session.tensors()
    np.testing.assert_array_equal(tensors["y"], y)
    np.testing.assert_array_equal(tensors["x"], feed()["x"])
    with pytest.raises(bitpose.InputError):
        bitpose.InferenceSession(model).tensors()


def test_profiles(model: bytes) -> None:
    session = bitpose.InferenceSession(model)
    rows = session.profile(feed())
    assert "conv2d_f32" in [row.type for row in rows]
    assert all(row.microseconds >= 0 for row in rows)
    events = json.loads(session.chrome_trace())
    assert events


def test_errors_have_types(model: bytes) -> None:
    for error in ("InputError", "InvalidModelError", "UnsupportedModelError"):
        assert issubclass(getattr(bitpose, error), bitpose.BitposeError)
    with pytest.raises(bitpose.InvalidModelError):
        bitpose.InferenceSession(model[:-1])
    with pytest.raises(bitpose.InvalidModelError):
        bitpose.InferenceSession(b"no model at all")
    with pytest.raises(FileNotFoundError):
        bitpose.InferenceSession("no/such/file.onnx")
    with pytest.raises(bitpose.InputError, match="mmx"):
        bitpose.InferenceSession(model, isa="mmx")


def test_codes_from_calibration(model: bytes) -> None:
    feeds = [feed(seed) for seed in range(3)]
    for precision, operator, tolerance in (
        ("int8", "conv2d_qs8_f32", 0.02),
        ("int16", "quantize_f32_qs16", 0.004),
    ):
        compiled = bitpose.compile(colour_means(), precision=precision, calibration=feeds)
        assert compiled.graph is not None
        assert operator in [node.op for node in compiled.graph.nodes]
        (exact,) = bitpose.InferenceSession(model).run(None, feed())
        (got,) = bitpose.InferenceSession(compiled.to_bytes()).run(None, feed())
        np.testing.assert_allclose(got, exact, atol=tolerance)
    for arguments, message in (
        ({"precision": "int8"}, "needs calibration"),
        ({"precision": "int8", "calibration": []}, "at least one input"),
        ({"precision": "int4"}, "precision 'int4'; there are 'int8'"),
        ({"calibration": feeds}, "are for precision='int8'"),
    ):
        with pytest.raises(bitpose.InputError, match=message):
            bitpose.compile(colour_means(), **arguments)
