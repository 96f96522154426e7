# SPDX-License-Identifier: Apache-2.0
"""The classification networks of the onnx package, with constants in the place of their weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test
import pytest
from onnx import TensorProto, numpy_helper

from bitpose import backend

DATA = Path(onnx.backend.test.__file__).parent / "data" / "light"
NETWORKS = (
    *("bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet"),
    "squeezenet",
    # 10^8 weights, half a gigabyte each.
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("vgg19", "zfnet512")),
)


def run(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    model = onnx.load(DATA / f"light_{name}.onnx")
    (source,) = (x for x in model.graph.input if x.name not in initializers(model))
    shape = [d.dim_value for d in source.type.tensor_type.shape.dim]
    x = np.arange(np.prod(shape)).reshape(shape) / np.prod(shape)
    return np.asarray(backend.prepare(model).run([x.astype(np.float32)])[0])


def initializers(model: onnx.ModelProto) -> set[str]:
    return {x.name for x in model.graph.initializer}


@pytest.mark.parametrize("name", NETWORKS)
def test_network(name: str) -> None:
    stored = (DATA / f"light_{name}_output_0.pb").read_bytes()
    expected = numpy_helper.to_array(TensorProto.FromString(stored))
    np.testing.assert_allclose(run(name), expected, rtol=1e-3)
