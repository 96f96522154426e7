# SPDX-License-Identifier: Apache-2.0
"""Takes the mean error of rounded weights out of the biases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.elementary import total
from bitpose.ir.graph import Graph, Node
from bitpose.ir.names import derived
from bitpose.passes.rewriter import Rewriter, integer
from bitpose.quantize.points import has_weights
from bitpose.quantize.weights import Weights


def correct_biases(
    graph: Graph,
    means: Mapping[str, NDArray[np.float64]],
    weights: Mapping[str, Weights],
    floats: frozenset[str] = frozenset(),
) -> Graph:
    """Before -> after:

        Conv(x, w, b)   ->   Conv(x, w, b - sum of (w' - w) E[x])

    where w' are the weights as their codes have them and E[x] is the mean of each input channel
    (Nagel et al., Data-free quantization through weight equalization and bias correction, 2019,
    with means that were seen). `means` has those of the tensors that convolutions read, `weights`
    the codes by the name of a convolution's result; those that give `floats` keep theirs.
    """
    r = Rewriter(graph)
    for node in graph.nodes:
        if node.op == "Conv" and has_weights(graph, node) and node.outputs[0] not in floats:
            _correct(r, node, means[node.inputs[0]], weights[node.outputs[0]])
        else:
            r.keep(node)
    return r.finish()


def _correct(r: Rewriter, conv: Node, mean: NDArray[np.float64], weights: Weights) -> None:
    exact = cast(NDArray[np.float32], r.tensor(conv.inputs[1]).data)
    outputs, width = exact.shape[:2]
    error = weights.codes * weights.scales.astype(np.float64).reshape(-1, 1, 1, 1) - exact
    group = integer(conv, "group")
    seen = np.repeat(mean.reshape(group, width), outputs // group, axis=0)
    shift = total(total(error.reshape(outputs, width, -1)) * seen)
    bias = r.tensor(conv.inputs[2]).data if len(conv.inputs) > 2 else np.zeros(outputs, np.float32)
    assert bias is not None
    name = r.constant(derived(conv.outputs[0], "bias"), (bias - shift).astype(np.float32))
    y = r.tensor(conv.outputs[0])
    r.emit(conv.op, [*conv.inputs[:2], name], y, **conv.attributes)
