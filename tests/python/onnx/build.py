# SPDX-License-Identifier: Apache-2.0
"""Small ONNX models, compiled and compared with onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from bitpose.compiler import to_graph
from bitpose.ir.graph import Graph
from bitpose.ir.printer import print_graph
from bitpose.ir.reference import run

Array = NDArray[Any]
Typed = tuple[type[np.generic], Sequence[int | str | None]]


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> NodeProto:
    """Operands and results are separated by spaces; "-" stands for an absent operand."""
    names = ["" if x == "-" else x for x in inputs.split()]
    return helper.make_node(op, names, outputs.split(), name=f"{op} {outputs}", **attributes)


def model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Typed],
    outputs: Sequence[str],
    constants: Mapping[str, Array] | None = None,
    opset: int = 13,
) -> onnx.ModelProto:
    """A model. Shapes and dtypes of outputs are left open."""
    graph = helper.make_graph(
        nodes,
        "net",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape
            )
            for name, (dtype, shape) in inputs.items()
        ],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def random_feed(proto: onnx.ModelProto, seed: int = 0) -> dict[str, Array]:
    """Values for the inputs: floats around 0, integers over the whole range of 8 bits."""
    rng = np.random.default_rng(seed)
    feed: dict[str, Array] = {}
    for value in proto.graph.input:
        dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
        if dtype == np.float32:
            feed[value.name] = rng.normal(0, 2, shape).astype(np.float32)
        elif dtype == np.bool_:
            feed[value.name] = np.asarray(rng.random(shape) < 0.5)
        else:
            low = 0 if dtype == np.uint8 else -128
            feed[value.name] = rng.integers(low, low + 256, shape).astype(dtype)
    return feed


def onnxruntime_outputs(proto: onnx.ModelProto, feed: Mapping[str, Array]) -> list[Array]:
    """What onnxruntime computes without optimising anything."""
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    result: list[Array] = session.run(None, dict(feed))
    return result


def check(
    proto: onnx.ModelProto,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-5,
    steps: int = 0,
    feed: Mapping[str, Array] | None = None,
) -> Graph:
    """Compiles a model and compares the reference executor's outputs with onnxruntime's.

    Floats may differ by rtol and atol, integers by `steps`. Returns the final graph.
    """
    feed = random_feed(proto) if feed is None else feed
    graph = to_graph(proto.SerializeToString())
    expected = onnxruntime_outputs(proto, feed)
    values = run(graph, feed)
    for name, reference in zip(graph.outputs, expected, strict=True):
        got = values[name]
        assert got.dtype == reference.dtype, print_graph(graph)
        assert got.shape == reference.shape, print_graph(graph)
        if got.dtype == np.float32:
            np.testing.assert_allclose(got, reference, rtol, atol)
        else:
            difference = np.abs(got.astype(np.int64) - reference.astype(np.int64))
            assert difference.max(initial=0) <= steps, print_graph(graph)
    return graph


def operators(graph: Graph) -> list[str]:
    """The operators of a graph in order."""
    return [n.op for n in graph.nodes]


def quantize(x: str, y: str, prefix: str) -> NodeProto:
    """y = QuantizeLinear(x) by the constants prefix.s and prefix.z."""
    return node("QuantizeLinear", f"{x} {prefix}.s {prefix}.z", y)


def dequantize(x: str, y: str, prefix: str, **attributes: Any) -> NodeProto:
    """y = DequantizeLinear(x) by the constants prefix.s and prefix.z."""
    return node("DequantizeLinear", f"{x} {prefix}.s {prefix}.z", y, **attributes)


def parameters(prefix: str, scale: Any, zero_point: Any, dtype: Any = np.int8) -> dict[str, Array]:
    """The constants prefix.s and prefix.z."""
    return {
        f"{prefix}.s": np.array(scale, np.float32),
        f"{prefix}.z": np.array(zero_point, dtype),
    }
