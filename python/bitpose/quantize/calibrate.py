# SPDX-License-Identifier: Apache-2.0
"""The ranges of a float network's activations, from runs in the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import helper

from bitpose.quantize.qdq import Range, activations


def calibrate(
    model: onnx.ModelProto, feeds: Iterable[Mapping[str, NDArray[Any]]]
) -> dict[str, Range]:
    """Least and greatest value of each of `activations(model)` over all feeds.

    The engine runs the network with these tensors as outputs, so the ranges are the same on every
    machine. Each feed has one array per input.
    """
    from bitpose.session import InferenceSession

    names = activations(model)
    inputs = {x.name for x in model.graph.input}
    computed = [name for name in names if name not in inputs]
    session = InferenceSession(_with_outputs(model, computed).SerializeToString())
    ranges: dict[str, Range] = {}
    for feed in feeds:
        values = dict(zip(computed, session.run(computed, feed), strict=True))
        values.update({name: feed[name] for name in names if name in inputs})
        for name, value in values.items():
            seen = Range(float(value.min()), float(value.max()))
            ranges[name] = _union(ranges.get(name, seen), seen)
    if not ranges:
        raise ValueError("calibration needs at least one feed")
    return ranges


def _union(a: Range, b: Range) -> Range:
    return Range(min(a.low, b.low), max(a.high, b.high))


def _with_outputs(model: onnx.ModelProto, names: list[str]) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    known = {y.name for y in copy.graph.output}
    copy.graph.output.extend(
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for name in names
        if name not in known
    )
    return copy
