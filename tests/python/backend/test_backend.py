# SPDX-License-Identifier: Apache-2.0
"""ONNX's backend interface, apart from the node tests."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import NodeProto, helper

from bitpose import backend
from bitpose.errors import InputError, UnsupportedModelError

from ..onnx.build import model, node

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def test_a_model_is_prepared_once_and_runs_on_lists_dicts_and_arrays() -> None:
    prepared = backend.prepare(model([node("Neg", "x", "y")], {"x": (np.float32, (2, 3))}, ["y"]))
    for inputs in ([X], {"x": X}, X):
        (y,) = prepared.run(inputs)
        np.testing.assert_array_equal(y, -X)
    with pytest.raises(InputError, match=r"the model has the inputs \['x'\], got 2 arrays"):
        prepared.run([X, X])


def test_a_node_runs_with_absent_operands_and_an_opset_of_choice() -> None:
    clip = helper.make_node("Clip", ["x", "", "high"], ["y"])
    (y,) = backend.run_node(clip, [X, np.array(3, np.float32)])
    np.testing.assert_array_equal(y, np.minimum(X, 3))
    old: NodeProto = helper.make_node("Clip", ["x"], ["y"], max=3.0)
    (y,) = backend.run_node(old, [X], opset_version=10)
    np.testing.assert_array_equal(y, np.minimum(X, 3))


def test_only_the_cpu_is_a_device() -> None:
    assert backend.supports_device("CPU")
    assert backend.supports_device("CPU:0")
    assert not backend.supports_device("CUDA")
    proto = model([node("Neg", "x", "y")], {"x": (np.float32, (2, 3))}, ["y"])
    with pytest.raises(InputError, match="device 'CUDA'; bitpose has CPU"):
        backend.prepare(proto, "CUDA")


def test_what_is_not_supported_is_refused_by_name() -> None:
    proto = model([node("DFT", "x", "y")], {"x": (np.float32, (1, 4, 1))}, ["y"], opset=17)
    with pytest.raises(UnsupportedModelError, match="DFT"):
        backend.prepare(proto)
