# SPDX-License-Identifier: Apache-2.0
"""ONNX's own test cases: what the support table lists passes, all else is refused by name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, TensorProto, numpy_helper
from onnx.backend.test.case.test_case import TestCase
from onnx.backend.test.loader import load_model_tests

from bitpose import backend
from bitpose.errors import UnsupportedModelError
from bitpose.onnx import registry
from bitpose.onnx.initializers import DTYPES

from .exclusions import DISPUTED, EXCLUSIONS

Array = NDArray[Any]

#: The release whose cases these figures are about.
ONNX_VERSION = "1.23.2"
KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")

pytestmark = pytest.mark.skipif(
    onnx.__version__ != ONNX_VERSION, reason=f"the cases of onnx {ONNX_VERSION}"
)


@cache
def cases() -> dict[str, TestCase]:
    """Every case by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # onnx computes its expectations with overflows in them.
        found = [case for kind in KINDS for case in load_model_tests(kind=kind)]
    return {case.name: case for case in found}


def read_model(case: TestCase) -> ModelProto:
    if case.model is not None:
        return case.model
    return onnx.load(Path(str(case.model_dir)) / "model.onnx")


def data_sets(case: TestCase) -> Iterator[tuple[list[Array], list[Array]]]:
    """Inputs and expected outputs."""
    if case.data_sets is not None:
        for inputs, outputs in case.data_sets:
            yield [array(x) for x in inputs], [array(y) for y in outputs]
        return
    for folder in sorted(Path(str(case.model_dir)).glob("test_data_set_*")):
        yield stored(folder, "input"), stored(folder, "output")


def array(value: TensorProto | Array) -> Array:
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)


def stored(folder: Path, kind: str) -> list[Array]:
    paths = [folder / f"{kind}_{i}.pb" for i in range(len(list(folder.glob(f"{kind}_*.pb"))))]
    return [numpy_helper.to_array(TensorProto.FromString(path.read_bytes())) for path in paths]


def run(case: TestCase) -> Iterator[tuple[Sequence[Array], list[Array]]]:
    """What bitpose gives and what is expected, for each of the case's data sets."""
    prepared = backend.prepare(read_model(case))
    for inputs, outputs in data_sets(case):
        yield prepared.run([widened(x) for x in inputs]), outputs


def widened(x: Array) -> Array:
    """float16 networks read and give float32."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def operators(graph: GraphProto) -> Iterator[tuple[str, str]]:
    """Domain and name of every node, bodies of control flow included."""
    for node in graph.node:
        yield node.domain, node.op_type
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from operators(attribute.g)


def is_listed(model: ModelProto) -> bool:
    """Whether bitpose claims to run the model: its opset, all operators and all dtypes."""
    versions = [x.version for x in model.opset_import if x.domain == ""]
    if not versions or not registry.OLDEST_OPSET <= versions[0] <= registry.NEWEST_OPSET:
        return False
    values = [*model.graph.input, *model.graph.output]
    dtypes = DTYPES.keys() - {TensorProto.UINT16}  # That is for codes inside.
    known = all(
        value.type.HasField("tensor_type") and value.type.tensor_type.elem_type in dtypes
        for value in values
    )
    return known and all(
        domain == "" and registry.find(op, versions[0]) is not None
        for domain, op in operators(model.graph)
    )


def assert_equal(got: Sequence[Array], expected: Sequence[Array], case: TestCase) -> None:
    for y, reference in zip(got, expected, strict=True):
        assert (y.dtype, y.shape) == (widened(reference).dtype, reference.shape)
        if reference.dtype == np.float16:  # It was rounded on the way.
            np.testing.assert_allclose(y, reference, max(case.rtol, 2e-3), 1e-4)
        elif reference.dtype.kind == "f":
            np.testing.assert_allclose(y, reference, case.rtol, case.atol)
        else:
            np.testing.assert_array_equal(y, reference)


def names(listed: bool) -> list[str]:
    if onnx.__version__ != ONNX_VERSION:
        return []
    return [name for name, case in cases().items() if is_listed(read_model(case)) == listed]


@pytest.mark.parametrize(
    "name", [x for x in names(listed=True) if x not in EXCLUSIONS and x not in DISPUTED]
)
def test_listed(name: str) -> None:
    case = cases()[name]
    for got, expected in run(case):
        assert_equal(got, expected, case)


@pytest.mark.parametrize("name", DISPUTED)
def test_disputed(name: str) -> None:
    """onnxruntime is of our opinion."""
    onnxruntime = pytest.importorskip("onnxruntime")
    case = cases()[name]
    peer = onnxruntime.InferenceSession(read_model(case).SerializeToString())
    sources = [x.name for x in read_model(case).graph.input]
    for inputs, _ in data_sets(case):
        (got,) = backend.prepare(read_model(case)).run(inputs)
        (expected,) = peer.run(None, dict(zip(sources, inputs, strict=True)))
        np.testing.assert_allclose(got, expected, case.rtol, case.atol)


@pytest.mark.parametrize("name", EXCLUSIONS)
def test_excluded(name: str) -> None:
    """An exclusion is refused for the reason that is given, not wrong."""
    with pytest.raises(UnsupportedModelError, match=EXCLUSIONS[name]):
        list(run(cases()[name]))


def test_all_else_is_refused() -> None:
    """Over a thousand cases; one test, because nothing but the refusal is expected of each."""
    accepted = []
    for name in names(listed=False):
        try:
            list(run(cases()[name]))
            accepted.append(name)
        except UnsupportedModelError:
            continue
    assert not accepted
