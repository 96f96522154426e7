# SPDX-License-Identifier: Apache-2.0
"""Networks that are small enough to check by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


def colour_means() -> onnx.ModelProto:
    """x [1, 3, 8, 8] -> y [1, 4], float: the mean of each colour, and of all; at least 0."""
    weights = np.concatenate([np.eye(3), np.full((1, 3), 1 / 3)]).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "mix", kernel_shape=[1, 1]),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("GlobalAveragePool", ["r"], ["p"], "pool"),
        helper.make_node("Reshape", ["p", "shape"], ["y"], "flat"),
    ]
    constants = [
        numpy_helper.from_array(weights.reshape(4, 3, 1, 1), "w"),
        numpy_helper.from_array(np.array([1, 4]), "shape"),
    ]
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, 8, 8])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph(nodes, "tiny", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def constant(output: NDArray[Any], extent: int) -> onnx.ModelProto:
    """picture [1, extent, extent, 3] -> y, which is `output` whatever the picture shows."""
    return constants({"y": output}, extent)


def constants(outputs: dict[str, NDArray[Any]], extent: int) -> onnx.ModelProto:
    """picture [1, extent, extent, 3] -> `outputs` whatever the picture shows."""
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        *(helper.make_node("Add", [f"{y} itself", "nothing"], [y]) for y in outputs),
    ]
    arrays = [
        numpy_helper.from_array(np.array(0, np.float32), "zero"),
        *(numpy_helper.from_array(x.astype(np.float32), f"{y} itself") for y, x in outputs.items()),
    ]
    floats = onnx.TensorProto.FLOAT
    x = helper.make_tensor_value_info("picture", floats, [1, extent, extent, 3])
    ys = [helper.make_tensor_value_info(y, floats, a.shape) for y, a in outputs.items()]
    graph = helper.make_graph(nodes, "constant", [x], ys, arrays)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
