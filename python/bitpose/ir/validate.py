# SPDX-License-Identifier: Apache-2.0
"""The invariants of a graph. The pass runner checks them after each pass."""

from __future__ import annotations

import math

from bitpose.errors import GraphError
from bitpose.ir.graph import Graph, Node, Tensor
from bitpose.ir.operators import ANY, ENGINE, IMPORTED, MAX_RANK, OperandSpec, OperatorSpec
from bitpose.ir.shapes import output_shape


def validate(graph: Graph, *, final: bool = False) -> None:
    """Raises GraphError, naming the node, unless the graph is sound.

    Sound means: every operand is written before it is read and every tensor is written once; what
    tensors say agrees with their data; every node is a known operation with its operands and
    attributes; and the engine's operators get the dtypes, ranks, quantization and shapes that they
    need. A `final` graph has only the engine's operators.
    """
    known = _check_tensors(graph)
    for node in graph.nodes:
        try:
            _check_order(graph, node, known)
            _check_node(graph, node, final)
        except GraphError as error:
            raise GraphError(f"{node.op} {node.name!r}: {error}") from error
        known.update(node.outputs)
    for name in graph.outputs:
        if name not in known:
            raise GraphError(f"graph output {name!r} is never written")


def _check_tensors(graph: Graph) -> set[str]:
    """Checks each tensor on its own. Returns the names that hold a value before any node runs."""
    known = set(graph.inputs)
    if len(known) != len(graph.inputs) or len(set(graph.outputs)) != len(graph.outputs):
        raise GraphError("a graph input or output is listed twice")
    for name in graph.inputs:
        if graph.tensor(name).is_constant:
            raise GraphError(f"graph input {name!r} is a constant")
    for name, tensor in graph.tensors.items():
        _check_tensor(name, tensor)
        if tensor.is_constant:
            known.add(name)
    return known


def _check_tensor(name: str, tensor: Tensor) -> None:
    if not name or name != tensor.name:
        raise GraphError(f"tensor {tensor.name!r} is listed as {name!r}")
    if any(extent < 0 for extent in tensor.shape):
        raise GraphError(f"tensor {name!r} has shape {tensor.shape}")
    data = tensor.data
    if data is not None and (data.dtype != tensor.dtype or data.shape != tensor.shape):
        raise GraphError(f"constant {name!r} is {tensor.dtype}{tensor.shape}, its data differs")
    q = tensor.quantization
    if q is not None and not (math.isfinite(q.scale) and q.scale > 0):
        raise GraphError(f"tensor {name!r} has scale {q.scale}")


def _check_order(graph: Graph, node: Node, known: set[str]) -> None:
    for name in node.inputs:
        if name and name not in known:
            raise GraphError(f"reads {name!r} before it is written")
    for name in node.outputs:
        if name in known:
            raise GraphError(f"writes {name!r}, which has a value already")
        if name not in graph.tensors:
            raise GraphError(f"writes {name!r}, of which nothing is known")


def _check_node(graph: Graph, node: Node, final: bool) -> None:
    if len(node.outputs) != 1:
        raise GraphError(f"has {len(node.outputs)} outputs")
    if node.op in ENGINE:
        _check_engine_node(graph, node, ENGINE[node.op])
    elif final:
        raise GraphError("is no operator of the engine")
    else:
        _check_imported_node(node)


def _check_imported_node(node: Node) -> None:
    if node.op not in IMPORTED:
        raise GraphError("is an unknown operation")
    spec = IMPORTED[node.op]
    if not spec.min_inputs <= len(node.inputs) <= spec.max_inputs:
        raise GraphError(f"has {len(node.inputs)} operands")
    names = set(node.attributes)
    if not spec.attributes <= names <= spec.attributes | spec.optional:
        raise GraphError(f"has attributes {sorted(names)}")


def _check_engine_node(graph: Graph, node: Node, spec: OperatorSpec) -> None:
    if not len(spec.inputs) <= len(node.inputs) <= spec.max_inputs:
        raise GraphError(f"has {len(node.inputs)} operands")
    inputs = [graph.tensor(x) for x in node.inputs]
    output = graph.tensor(node.outputs[0])
    for i, tensor in enumerate(inputs):
        _check_operand(tensor, spec.inputs[min(i, len(spec.inputs) - 1)])
    _check_operand(output, spec.output)
    _check_attributes(node, spec)
    if any(x.dtype != output.dtype for x in inputs[: spec.one_dtype]):
        raise GraphError(f"mixes dtypes {[str(x.dtype) for x in [*inputs, output]]}")
    shape = output_shape(node.op, inputs, node.attributes, output)
    if shape != output.shape:
        raise GraphError(f"gives shape {shape}, but {output.name!r} has {output.shape}")


def _check_operand(tensor: Tensor, spec: OperandSpec) -> None:
    what = f"operand {spec.name} ({tensor.name!r})"
    if tensor.dtype.name not in (spec.dtypes or ANY):
        raise GraphError(f"{what} is {tensor.dtype}, expected {' or '.join(spec.dtypes)}")
    if spec.constant and not tensor.is_constant:
        raise GraphError(f"{what} is no constant")
    if len(tensor.shape) > MAX_RANK or spec.rank not in (None, len(tensor.shape)):
        raise GraphError(f"{what} has rank {len(tensor.shape)}")
    if spec.quantized and tensor.quantization is None:
        raise GraphError(f"{what} has no scale")


def _check_attributes(node: Node, spec: OperatorSpec) -> None:
    if set(node.attributes) != set(spec.attributes):
        raise GraphError(f"has attributes {sorted(node.attributes)}")
    for name, kind in spec.attributes.items():
        value = node.attributes[name]
        if kind == "f32":
            valid = isinstance(value, float) and not math.isnan(value)
        else:
            low, high = (0, 2**32) if kind == "u32" else (-(2**31), 2**31)
            valid = isinstance(value, int) and low <= value < high
        if not valid:
            raise GraphError(f"attribute {name} is {value!r}, expected {kind}")
    multiplier = node.attributes.get("multiplier", 1.0)
    if not (isinstance(multiplier, float) and 0 < multiplier < math.inf):
        raise GraphError(f"attribute multiplier is {multiplier!r}")
