# SPDX-License-Identifier: Apache-2.0
"""Rounds the weights of a convolution together, so that their errors cancel in its result.

The mean of the squared error of a result is e' H e, with e the errors of a filter's weights and H
the covariance of the inputs that they meet; the error of the mean is the bias's matter. Coordinate
descent moves one weight after the other to the code that is best beside the others (Behdin et al.,
QuantEase: Optimization-based quantization for language models, 2023).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bitpose.ir.elementary import total
from bitpose.ir.graph import Graph, Node
from bitpose.passes.rewriter import integer, ints
from bitpose.quantize.calibration import Feed, Runner
from bitpose.quantize.points import has_weights
from bitpose.quantize.weights import Weights

Array = NDArray[Any]
Float = NDArray[np.float64]

#: Positions of a result whose inputs are looked at, of each feed.
_POSITIONS = 256
#: Inputs become integers of so many bits: sums of their products are exact, whatever their order.
_BITS = 11
#: Filters of more weights are left as they are, for time.
_MOST_WEIGHTS = 1200
_SWEEPS = 3
#: Of the mean variance, what is added to each: inputs are not all that was seen.
_RIDGE = 0.01


def rounded_together(
    graph: Graph, weights: Mapping[str, Weights], feeds: Sequence[Feed]
) -> dict[str, Weights]:
    """`weights` by the name of the result, with codes that suit the inputs of some feeds.

    Scales stay as they are, and so do the weights of transposed convolutions.
    """
    convs = [
        node
        for node in graph.nodes
        if node.op == "Conv"
        and has_weights(graph, node)
        and graph.tensor(node.inputs[1]).elements <= _MOST_WEIGHTS * _outputs(graph, node)
    ]
    inputs = _inputs(graph, convs, feeds)
    result = dict(weights)
    for node in convs:
        exact = cast(Array, graph.tensor(node.inputs[1]).data).astype(np.float64)
        given, groups = weights[node.outputs[0]], integer(node, "group")
        per_group = (groups, len(exact) // groups, -1)
        steps = exact.reshape(per_group) / given.scales.astype(np.float64).reshape(groups, -1, 1)
        codes = given.codes.reshape(per_group).astype(np.float64)
        descended = _descend(steps, codes, _covariance(inputs[node.outputs[0]]))
        result[node.outputs[0]] = Weights(descended.reshape(exact.shape), given.scales)
    return result


def _outputs(graph: Graph, node: Node) -> int:
    return graph.tensor(node.inputs[1]).shape[0]


def _descend(steps: Float, codes: Float, covariance: Float) -> NDArray[np.int8]:
    """The codes [G, O, K] of weights in steps, from nearest ones, for covariances [G, K, K]."""
    errors = codes - steps
    pull = np.zeros_like(errors)
    for k in range(errors.shape[2]):
        pull += errors[:, :, k : k + 1] * covariance[:, k : k + 1]
    for _ in range(_SWEEPS):
        moved = False
        for k in range(errors.shape[2]):
            best = np.rint(codes[:, :, k] - pull[:, :, k] / covariance[:, k, k, None])
            change = np.clip(best, -127, 127) - codes[:, :, k]
            if np.any(change):
                codes[:, :, k] += change
                pull += change[:, :, None] * covariance[:, k : k + 1]
                moved = True
        if not moved:
            break
    return codes.astype(np.int8)


def _covariance(inputs: Float) -> Float:
    """[G, K, K] of the inputs [G, positions, K], which are integers; a number of it is 1."""
    count = inputs.shape[1]
    sums = inputs.sum(axis=1)
    # Below 2^53 all of this is exact.
    moments = count * (inputs.swapaxes(1, 2) @ inputs) - sums[:, :, None] * sums[:, None, :]
    mean = total(np.diagonal(moments, axis1=1, axis2=2)) / moments.shape[1]
    mean = np.where(mean > 0, mean, 1.0)[:, None, None]
    return np.asarray(moments / mean + (_RIDGE + 1e-9) * np.eye(moments.shape[1]))


def _inputs(graph: Graph, convs: Sequence[Node], feeds: Sequence[Feed]) -> dict[str, Float]:
    """What the filters of each convolution meet, [G, positions, K], by the name of its result."""
    runner = Runner(graph, dict.fromkeys(node.inputs[0] for node in convs))
    found: dict[str, list[Array]] = {node.outputs[0]: [] for node in convs}
    for feed in feeds:
        values = runner.run(feed)
        for node in convs:
            shape = graph.tensor(node.inputs[1]).shape
            found[node.outputs[0]].append(_patches(values[node.inputs[0]], node, shape[2:]))
    return {name: _whole(np.concatenate(parts, axis=1)) for name, parts in found.items()}


def _whole(inputs: Array) -> Float:
    """Reals as integers of a common unit, the largest with `_BITS` bits."""
    most = max(float(inputs.max(initial=0.0)), -float(inputs.min(initial=0.0))) or 1.0
    per_unit = np.float32(np.ldexp(1.0, _BITS - int(np.frexp(most)[1])))
    return np.ascontiguousarray(np.rint(inputs * per_unit), np.float64)


def _patches(x: Array, node: Node, kernel: tuple[int, ...]) -> Array:
    """Of a tensor [N, C, H, W], the windows below some positions of the result, [G, n, K]."""
    groups = integer(node, "group")
    strides, dilations, pads = (ints(node, name) for name in ("strides", "dilations", "pads"))
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    rows, columns = (
        range(0, x.shape[axis + 2] - (kernel[axis] - 1) * dilations[axis], strides[axis])
        for axis in (0, 1)
    )
    positions = len(x) * len(rows) * len(columns)
    # An odd step meets every column of pictures whose width is a power of two.
    chosen = np.arange(0, positions, (positions // _POSITIONS) | 1)
    picture, row, column = np.unravel_index(chosen, (len(x), len(rows), len(columns)))
    taps = [
        x[picture, :, row * strides[0] + i * dilations[0], column * strides[1] + j * dilations[1]]
        for i in range(kernel[0])
        for j in range(kernel[1])
    ]
    windows = np.stack(taps, axis=-1)
    return np.ascontiguousarray(np.moveaxis(windows.reshape(len(chosen), groups, -1), 1, 0))
