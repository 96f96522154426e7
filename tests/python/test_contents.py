# SPDX-License-Identifier: Apache-2.0
"""Files of several networks: what they hold, and how they are made."""

from __future__ import annotations

import gc
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bitpose
from bitpose import _core
from bitpose.errors import InputError, InvalidModelError
from bitpose.model_file import ModelRecord, write_model
from bitpose.pose.demo_network import build_network

from . import shared
from .tiny import colour_means, constant

X = np.random.default_rng(0).random((1, 3, 8, 8), np.float32)
PICTURE = np.zeros((1, 4, 4, 3), np.float32)
NETWORKS = ("movenet_lightning_ptq", "ssd_mobilenet_v1_coco_quant", "pem_cpm")


@pytest.fixture(scope="module")
def means() -> bitpose.Model:
    return bitpose.compile(colour_means().SerializeToString(), licence="CC0-1.0")


@pytest.fixture(scope="module")
def answer() -> bitpose.Model:
    return bitpose.compile(constant(np.array([[4.0, 2.0]]), 4))


@pytest.fixture(scope="module")
def both(means: bitpose.Model, answer: bitpose.Model) -> bitpose.Model:
    assets = {"labels": b"red\ngreen\nblue\nall", "empty": b""}
    return bitpose.bundle({"means": means, "answer": answer}, {"licence": "Apache-2.0"}, assets)


def run(model: bitpose.Model | bytes, feed: dict[str, Any], network: str | None = None) -> Any:
    data = model if isinstance(model, bytes) else model.to_bytes()
    (y,) = bitpose.InferenceSession(data, network=network).run(None, feed)
    return y


def test_networks_run_by_their_names(
    means: bitpose.Model, answer: bitpose.Model, both: bitpose.Model, tmp_path: Path
) -> None:
    expected = run(means, {"x": X})
    assert expected.any()
    np.testing.assert_array_equal(run(both, {"x": X}, "means"), expected)
    np.testing.assert_array_equal(run(both, {"x": X}), expected)
    np.testing.assert_array_equal(run(both, {"picture": PICTURE}, "answer"), [[4, 2]])
    swapped = bitpose.bundle({"answer": answer, "means": means})
    np.testing.assert_array_equal(run(swapped, {"picture": PICTURE}), [[4, 2]])
    path = tmp_path / "both.bpm"
    both.save(path)
    session = bitpose.InferenceSession(path, network="answer")
    assert [x.name for x in session.get_inputs()] == ["picture"]
    assert bitpose.InferenceSession(path, network="means").macs > session.macs


def test_what_a_file_holds(means: bitpose.Model, both: bitpose.Model, tmp_path: Path) -> None:
    path = tmp_path / "both.bpm"
    both.save(path)
    for source in (path, str(path), both.data):
        file = bitpose.ModelFile(source)
        assert file.networks == ("means", "answer")
        assert file.assets == {"empty": 0, "labels": 18}
        assert bytes(file.asset("labels")) == b"red\ngreen\nblue\nall"
        assert bytes(file.asset("empty")) == b""
        own = bitpose.ModelFile(means.data).metadata
        assert own["licence"] == "CC0-1.0"
        digest = hashlib.sha256(colour_means().SerializeToString()).hexdigest()
        assert file.metadata["means/source_sha256"] == digest
        assert {key: file.metadata[f"means/{key}"] for key in own} == own
        assert file.metadata["licence"] == "Apache-2.0"
        assert "answer/licence" not in file.metadata
        assert list(file.metadata) == sorted(file.metadata)


def test_network_tells_tensors_and_operators(both: bitpose.Model) -> None:
    file = bitpose.ModelFile(both.data)
    network = file.network("answer")
    assert network == file.network("answer")
    assert file.network() == file.network("means")
    assert [network.tensors[i].name for i in network.inputs] == ["picture"]
    assert network.tensors[network.outputs[0]].shape == (1, 2)
    stored = [x for x in network.tensors if x.data is not None and x.shape == (1, 2)]
    assert [np.frombuffer(x.data or b"", np.float32).tolist() for x in stored] == [[4, 2]]
    data = {x.data for x in network.tensors if x.data is not None}
    assert network.constant_bytes == sum(map(len, data)) > 0


def test_views_of_assets_are_read_only_and_outlive_the_file(
    both: bitpose.Model, tmp_path: Path
) -> None:
    path = tmp_path / "both.bpm"
    both.save(path)
    view = bitpose.ModelFile(path).asset("labels")[4:9]
    path.unlink()
    gc.collect()
    assert view.readonly
    assert bytes(view) == b"green"
    array = np.frombuffer(view, np.uint8)
    assert not array.flags.writeable
    with pytest.raises(TypeError, match="read-only"):
        view[0] = 0


def test_names_that_a_file_does_not_have(means: bitpose.Model, both: bitpose.Model) -> None:
    file = bitpose.ModelFile(both.data)
    has = "it has 'means', 'answer'"
    with pytest.raises(InputError, match=f"no network 'pose'; {has}"):
        bitpose.InferenceSession(both.data, network="pose")
    with pytest.raises(InputError, match=f"no network 'pose'; {has}"):
        file.network("pose")
    with pytest.raises(InputError, match="no asset 'body'; it has 'empty', 'labels'"):
        file.asset("body")
    with pytest.raises(InputError, match="no asset 'body'; it has none"):
        bitpose.ModelFile(means.data).asset("body")
    onnx = colour_means().SerializeToString()
    with pytest.raises(InputError, match=r"network 'means' is for \.bpm files"):
        bitpose.InferenceSession(onnx, network="means")


def test_messages_list_few_of_many_names(means: bitpose.Model) -> None:
    many = bitpose.bundle({f"n{i}": means for i in range(20)})
    with pytest.raises(InputError, match=r"'n0', .*'n7' and 12 more$"):
        bitpose.InferenceSession(many.data, network="x")


def test_what_is_no_model_file(tmp_path: Path, both: bitpose.Model) -> None:
    with pytest.raises(InvalidModelError, match="is not a bitpose model"):
        bitpose.ModelFile(colour_means().SerializeToString() + bytes(64))
    with pytest.raises(InvalidModelError, match="checksum"):
        bitpose.ModelFile(both.data[:-1] + b"\1")
    with pytest.raises(OSError, match=r"missing\.bpm"):
        bitpose.ModelFile(tmp_path / "missing.bpm")
    with pytest.raises(OSError, match=str(tmp_path)):
        bitpose.ModelFile(tmp_path)


def test_equal_networks_share_their_constants() -> None:
    network = build_network(0).SerializeToString()
    model = bitpose.compile(network)
    twice = bitpose.bundle({"first": model, "second": model})
    weights = bitpose.ModelFile(twice.data).network().constant_bytes
    assert weights > 1_000_000
    assert len(model.data) < len(twice.data) < len(model.data) + weights // 10


def test_equal_arguments_give_equal_files(means: bitpose.Model, answer: bitpose.Model) -> None:
    loaded = {"means": bitpose.load(means.data), "answer": bitpose.load(answer.data)}
    first = bitpose.bundle(loaded, {"a": "1", "b": "2"}, {"x": b"12", "y": b""})
    compiled = {"means": means, "answer": answer}
    view = memoryview(b"12")
    second = bitpose.bundle(compiled, {"b": "2", "a": "1"}, {"y": bytearray(), "x": view})
    assert first.data == second.data
    assert first.graph is None
    assert first.data != bitpose.bundle(compiled).data


@pytest.mark.parametrize("name", NETWORKS)
def test_reading_and_writing_gives_the_same_file(name: str) -> None:
    compiled = bitpose.compile(shared.model(name), licence="x")
    file = bitpose.ModelFile(compiled.data)
    again = write_model(ModelRecord((file.network(),), file.metadata), _core.schema())
    assert again == compiled.data


def test_assets_of_models_are_kept(means: bitpose.Model) -> None:
    single = bitpose.bundle({"net": means}, {"note": "ä"}, {"labels": b"1 2"})
    outer = bitpose.bundle({"classes": single}, assets={"body": b"3"})
    file = bitpose.ModelFile(outer.data)
    assert file.assets == {"body": 1, "classes/labels": 3}
    assert file.metadata["classes/note"] == "ä"
    assert file.metadata["classes/net/licence"] == "CC0-1.0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"networks": {}}, "at least one network"),
        ({"networks": {"": "means"}}, "network name has 1 to 4096 bytes, '' has 0"),
        ({"networks": {"ä" * 2049: "means"}}, "1 to 4096 bytes, 'ä+' has 4098"),
        ({"networks": {"a\0": "means"}}, "network name 'a.x00' has a NUL"),
        ({"networks": {"a\ud800": "means"}}, "half a surrogate pair"),
        ({"networks": {1: "means"}}, "network name 1 is of type int, not str"),
        ({"networks": {"a": b"bitpose"}}, "network 'a' is of type bytes, not a Model"),
        ({"networks": {"a": "both"}}, "network 'a' has several itself: 'means', 'answer'"),
        ({"metadata": {"a/licence": "MIT"}}, "the metadata 'a/licence' is given twice"),
        ({"metadata": {"key": 1}}, "value of the metadata 'key' is of type int"),
        ({"metadata": {"key": "a\0b"}}, "value of the metadata 'key' has a NUL"),
        ({"metadata": {"": "x"}}, "metadata name has 1 to 4096"),
        ({"assets": {"body": "text"}}, "asset 'body' is of type str, which has no bytes"),
        ({"assets": {"x" * 4097: b""}}, "asset name has 1 to 4096"),
        (
            {"assets": {f"a{i}": b"" for i in range(4093)}},
            "4093 assets; it holds 4093",
        ),
    ],
)
def test_what_cannot_be_bundled(
    arguments: dict[str, Any], message: str, means: bitpose.Model, both: bitpose.Model
) -> None:
    known = {"means": means, "both": both}
    networks = {
        name: known.get(model, model) if isinstance(model, str) else model
        for name, model in arguments.get("networks", {"a": "means"}).items()
    }
    with pytest.raises(InputError, match=message):
        bitpose.bundle(**{**arguments, "networks": networks})


def test_damaged_models_are_named(means: bitpose.Model) -> None:
    damaged = bitpose.load(means.data[:-1] + b"\1")
    with pytest.raises(InvalidModelError, match=r"network 'b': .*checksum"):
        bitpose.bundle({"a": means, "b": damaged})
