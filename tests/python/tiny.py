# SPDX-License-Identifier: Apache-2.0
"""A network that is small enough to check by hand."""

from __future__ import annotations

import numpy as np
import onnx
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
