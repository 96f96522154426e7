# SPDX-License-Identifier: Apache-2.0
"""From a final graph to the records of a model file. Nothing else knows both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.ir.operators import ENGINE
from bitpose.ir.validate import validate
from bitpose.model_file import NetworkRecord, OperatorRecord, TensorRecord

#: Longer names are cut; the reader accepts 4096 bytes.
_MAX_NAME_BYTES = 1024


def lower(graph: Graph) -> NetworkRecord:
    """The records of a graph that has only the engine's operators.

    Tensors stand in the order inputs, constants by first use, results; operators in execution
    order. Raises GraphError for a graph that is not final.
    """
    validate(graph, final=True)
    names = _tensor_order(graph)
    index = {name: i for i, name in enumerate(names)}
    labels = _labels(names)
    return NetworkRecord(
        name=_label(graph.name) or "network",
        tensors=tuple(_tensor(graph.tensor(name), labels[name]) for name in names),
        operators=tuple(_operator(node, index, labels) for node in graph.nodes),
        inputs=tuple(index[name] for name in graph.inputs),
        outputs=tuple(index[name] for name in graph.outputs),
    )


def _tensor_order(graph: Graph) -> list[str]:
    constants = [x for node in graph.nodes for x in node.inputs if graph.tensor(x).is_constant]
    results = [y for node in graph.nodes for y in node.outputs]
    return list(dict.fromkeys([*graph.inputs, *constants, *results]))


def _label(name: str) -> str:
    """A name that a model file can hold: text without NUL, at most 1024 bytes."""
    name = name.replace("\0", "?")
    data = name.encode("utf-8", "replace")
    if len(data) <= _MAX_NAME_BYTES:
        return data.decode("utf-8")
    digest = hashlib.sha256(data).hexdigest()[:16]
    return data[: _MAX_NAME_BYTES - 20].decode("utf-8", "ignore") + "~" + digest


def _labels(names: list[str]) -> dict[str, str]:
    """A label per tensor, no two of them equal."""
    labels: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = label = _label(name)
        attempt = 1
        while label in taken:
            label, attempt = f"{stem}~{attempt}", attempt + 1
        taken.add(label)
        labels[name] = label
    return labels


def _tensor(tensor: Tensor, label: str) -> TensorRecord:
    q = tensor.quantization
    data = tensor.data
    return TensorRecord(
        name=label,
        dtype=tensor.dtype.name,
        shape=tensor.shape,
        scale=0.0 if q is None else q.scale,
        zero_point=0 if q is None else q.zero_point,
        data=None if data is None else data.astype(data.dtype.newbyteorder("<")).tobytes(),
    )


def _operator(node: Node, index: Mapping[str, int], labels: Mapping[str, str]) -> OperatorRecord:
    attributes: dict[str, int | float] = {}
    for name in ENGINE[node.op].attributes:
        value = node.attributes[name]
        assert isinstance(value, int | float)  # The validator has checked it.
        attributes[name] = value
    return OperatorRecord(
        type=node.op,
        name=labels[node.outputs[0]],
        inputs=tuple(index[x] for x in node.inputs),
        outputs=tuple(index[y] for y in node.outputs),
        attributes=attributes,
    )
