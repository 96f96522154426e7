# SPDX-License-Identifier: Apache-2.0
"""Functions that a model defines for itself, as newer exporters write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from onnx import FunctionProto, ModelProto, NodeProto, inliner

from bitpose.errors import InvalidModelError, Unsupported, UnsupportedModelError

#: How deep functions may call functions.
_MAX_DEPTH = 64

_Key = tuple[str, str, str]


def inline_functions(model: ModelProto, max_nodes: int) -> ModelProto:
    """The model with every call of one of its functions replaced by the function's nodes.

    Raises InvalidModelError for functions that call themselves, are too deep, or would expand to
    more than `max_nodes` nodes, and UnsupportedModelError for one that needs another opset than the
    model.
    """
    if not model.functions:
        return model
    functions = {(f.domain, f.name, f.overload): f for f in model.functions}
    _check_opsets(model)
    sizes = _sizes(functions)
    total = sum(sizes.get(_callee(node), 1) for node in _all_nodes(model.graph.node))
    if total > max_nodes:
        raise InvalidModelError(f"the model's functions expand to {total} nodes")
    try:
        return inliner.inline_local_functions(model)
    except Exception as error:  # The inliner's own kinds of errors differ between versions.
        raise InvalidModelError(f"the model's functions cannot be inlined: {error}") from error


def _callee(node: NodeProto) -> _Key:
    return node.domain, node.op_type, node.overload


def _all_nodes(nodes: Iterable[NodeProto]) -> Iterator[NodeProto]:
    """The nodes, and those of graphs in their attributes."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                waiting.extend(graph.node)


def _check_opsets(model: ModelProto) -> None:
    wanted = {(x.domain, x.version) for x in model.opset_import}
    domains = {domain for domain, _ in wanted}
    problems = [
        Unsupported(f.name, "functions", 0, f"it is of opset {x.version}", "that of the model")
        for f in model.functions
        for x in f.opset_import
        if x.domain in domains and (x.domain, x.version) not in wanted
    ]
    if problems:
        raise UnsupportedModelError(problems)


def _sizes(functions: dict[_Key, FunctionProto]) -> dict[_Key, int]:
    """Nodes of each function once all that it calls is inlined."""
    calls = {
        key: [_callee(node) for node in _all_nodes(function.node)]
        for key, function in functions.items()
    }
    try:
        order = list(TopologicalSorter(calls).static_order())
    except CycleError as error:
        names = " -> ".join(f"{name}" for _, name, _ in error.args[1])
        raise InvalidModelError(
            f"the model's functions call each other in a circle: {names}"
        ) from None
    sizes: dict[_Key, int] = {}
    depths: dict[_Key, int] = {}
    for key in order:
        if key in functions:
            sizes[key] = sum(sizes.get(callee, 1) for callee in calls[key])
            depths[key] = 1 + max((depths.get(callee, 0) for callee in calls[key]), default=0)
            if depths[key] > _MAX_DEPTH:
                raise InvalidModelError(
                    f"the model's functions are nested deeper than {_MAX_DEPTH}"
                )
    return sizes
