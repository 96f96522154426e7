# SPDX-License-Identifier: Apache-2.0
"""Which multiplications of a compiled network count as float."""

from __future__ import annotations

import numpy as np
import pytest

from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.quantize import share_in_float


@pytest.mark.parametrize(
    ("op", "expected"),
    [("conv2d_f32", 0.75), ("conv2d_qs8_f32", 0.0), ("deconv2d_qs8_f32", 0.0), ("conv2d_qs8", 0.0)],
)
def test_share_in_float(op: str, expected: float) -> None:
    """A layer of 12 weights beside a conv2d_qs8 of 4, both over 2 x 2 pixels."""
    tensors = [
        Tensor("x", np.dtype(np.int8), (1, 2, 2, 4)),
        Tensor.constant("w", np.ones((3, 1, 1, 4), np.int8)),
        Tensor.constant("v", np.ones((1, 1, 1, 4), np.int8)),
        Tensor("y", np.dtype(np.float32), (1, 2, 2, 3)),
        Tensor("z", np.dtype(np.int8), (1, 2, 2, 1)),
    ]
    nodes = (Node(op, "y", ("x", "w"), ("y",)), Node("conv2d_qs8", "z", ("x", "v"), ("z",)))
    graph = Graph("g", nodes, {t.name: t for t in tensors}, ("x",), ("y", "z"))
    assert share_in_float(graph) == expected
