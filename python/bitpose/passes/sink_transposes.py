# SPDX-License-Identifier: Apache-2.0
"""Removes transposes, by carrying them down until they meet their inverse or the outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bitpose.ir.graph import Attribute, Graph, Node, Tensor
from bitpose.ir.names import derived
from bitpose.ir.operators import ENGINE, EVERY
from bitpose.passes import permutations
from bitpose.passes.permutations import Permutation
from bitpose.passes.rewriter import Rewriter, integer

Attributes = dict[str, Attribute]


def _along_axis(node: Node, p: Permutation) -> Attributes:
    return {"axis": p[integer(node, "axis")]}


def _reduced(node: Node, p: Permutation) -> Attributes:
    axes = integer(node, "axes")
    return {"axes": sum(1 << axis for i, axis in enumerate(p) if axes >> i & 1)}


def _padded(node: Node, p: Permutation) -> Attributes:
    return {
        f"{side}{axis}": integer(node, f"{side}{i}")
        for side in ("before", "after")
        for i, axis in enumerate(p)
    }


#: Operators whose attributes name axes: how many leading operands have these axes, and the
#: attributes that differ on x where the operator works on transpose(x, p).
_NAMING_AXES: Mapping[str, tuple[int, Callable[[Node, Permutation], Attributes]]] = {
    "argmax": (1, _along_axis),
    "concat": (EVERY, _along_axis),
    "cumulative_sum": (1, _along_axis),
    "gather": (1, _along_axis),
    "gather_elements": (2, _along_axis),
    "pad": (1, _padded),
    "reduce_f32": (1, _reduced),
    "reduce_integer": (1, _reduced),
    "resample_f32": (1, _along_axis),
    "scatter_elements": (3, _along_axis),
    "slice": (1, _along_axis),
    "topk": (1, _along_axis),
}


def sink_transposes(graph: Graph) -> Graph:
    """Before -> after (T: transpose by p, T' by its inverse; u: any elementwise operator):

        1. T2(T1(x))                          ->   T12(x), or x if that moves nothing
        2. u(T(x))                            ->   T(u(x))
        3. u(T(x), T(y)), u(T(x), constant)   ->   T(u(x, y)), T(u(x, T'(constant)))
        4. concat, slice, reduce_f32, ... of
           T(x), see _NAMING_AXES             ->   T(op(x)) along the axes that T moves there
        5. softmax_f32(T(x)), last axis kept  ->   T(softmax_f32(x))
        6. T(x) that moves axes of extent 1   ->   reshape(x)
        7. reshape(T(x)), T of the kind of 6  ->   reshape(x)
        8. reshape(T(x)), an axis split or
           neighbours merged                  ->   T2(reshape(T1(x))), T1 within what is merged
        9. anything else that reads T(x)      ->   unchanged, T(x) is computed once

    Transposes are not moved one by one. While nodes are visited in order, each tensor is kept as a
    view: another tensor and the permutation that leads from it. An elementwise operator works on
    the other tensors when their permutations agree and hands the permutation on; operators that
    care for the order of axes get the transposed tensor written out.
    """
    return _Sinking(graph).run()


class _View:
    """A tensor that is transpose(source, p)."""

    def __init__(self, source: Tensor, p: Permutation) -> None:
        self.source = source
        self.p = p

    @property
    def is_plain(self) -> bool:
        return permutations.is_identity(self.p)


def _foremost(view: _View, axes: Sequence[int]) -> int:
    """Where the first of some axes of a view stands in its source; axes of extent 1 may move."""
    places = [view.p[i] for i in axes]
    return min([i for i in places if view.source.shape[i] != 1] or places)


class _Sinking:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.r = Rewriter(graph)
        self.views: dict[str, _View] = {}

    def run(self) -> Graph:
        for node in self.graph.nodes:
            self._visit(node)
        for name in self.graph.outputs:
            self._write_out(name)
        return self.r.finish()

    def _visit(self, node: Node) -> None:
        handled = False
        if node.op == "transpose":
            handled = self._transpose(node)
        elif node.op in ENGINE and ENGINE[node.op].elementwise:
            handled = self._elementwise(node)
        elif node.op in _NAMING_AXES:
            handled = self._naming_axes(node)
        elif node.op == "softmax_f32":
            handled = self._softmax(node)
        elif node.op == "reshape":
            handled = self._reshape(node)
        if not handled:
            for x in node.inputs:
                self._write_out(x)
            self.r.keep(node)

    def _view(self, name: str) -> _View:
        tensor = self.r.tensor(name)
        return self.views.get(name, _View(tensor, permutations.identity(len(tensor.shape))))

    def _transpose(self, node: Node) -> bool:
        """Case 1."""
        view = self._view(node.inputs[0])
        p = permutations.of_node(node, len(view.p))
        self._record(node.outputs[0], view.source, permutations.compose(view.p, p))
        return True

    def _record(self, name: str, source: Tensor, p: Permutation) -> None:
        """Notes that a tensor is transpose(source, p)."""
        self.views[name] = _View(source, p)
        if permutations.is_identity(p):
            self.r.substitute(name, source.name)
        self.r.changed = True

    def _write_out(self, name: str) -> None:
        """Makes a tensor exist under its own name. Cases 6 and 9."""
        view = self.views.pop(name, None)
        if view is None or view.is_plain:
            return
        output = self.graph.tensor(name)
        if permutations.moves_units_alone(view.source.shape, view.p):
            self.r.emit("reshape", [view.source.name], output)
        else:
            attributes = permutations.attributes(view.p)
            self.r.emit("transpose", [view.source.name], output, **attributes)

    def _emit_view(
        self, node: Node, inputs: Sequence[str], p: Permutation, attributes: Mapping[str, Attribute]
    ) -> None:
        """Emits the node on sources, so that its old output is transpose(result, p)."""
        y = self.graph.tensor(node.outputs[0])
        if permutations.is_identity(p):
            self.r.emit(node.op, inputs, y, **attributes)
            return
        back = permutations.inverse(p)
        name = permutations.suffix(y.name, back)
        result = replace(y, name=name, shape=permutations.apply(y.shape, back))
        self.r.emit(node.op, inputs, result, **attributes)
        self._record(y.name, self.r.tensor(name), p)

    def _elementwise(self, node: Node) -> bool:
        """Cases 2 and 3."""
        operands = node.inputs[: ENGINE[node.op].elementwise]
        rank = len(self.graph.tensor(node.outputs[0]).shape)
        for p in self._candidates(operands, rank):
            sources = self._sources(operands, p)
            if sources is not None:
                rest = node.inputs[len(operands) :]
                self._emit_view(node, [*sources, *rest], p, node.attributes)
                return True
        return False

    def _candidates(self, operands: Sequence[str], rank: int) -> list[Permutation]:
        """The permutations in front of operands, that of the largest operand first."""
        views = [self._view(x) for x in operands]
        views.sort(key=lambda view: -view.source.elements)
        return [view.p for view in views if not view.is_plain and len(view.p) == rank]

    def _sources(self, operands: Sequence[str], p: Permutation) -> list[str] | None:
        """The operands of op(x', ...) where op(x, ...) = transpose(op(x', ...), p), if free."""
        found = [self._as_source(x, p) for x in operands]
        known = [x for x in found if x is not None]
        return [self._source_name(*x) for x in known] if len(known) == len(found) else None

    def _as_source(self, name: str, p: Permutation) -> tuple[Tensor, Permutation] | None:
        """A tensor and the permutation from it to transpose(x, inverse of p), if that is free.

        It is free where the permutation moves axes of extent 1 alone or the tensor is a constant.
        An operand of lower rank gets axes of extent 1 in front.
        """
        view = self._view(name)
        source, missing = view.source, len(p) - len(view.p)
        if missing and not view.is_plain:
            return None
        if missing:
            source = replace(source, shape=(1,) * missing + source.shape)
        front = permutations.identity(len(p)) if missing else view.p
        q = permutations.compose(front, permutations.inverse(p))
        free = source.is_constant or permutations.moves_units_alone(source.shape, q)
        return (source, q) if free else None

    def _source_name(self, source: Tensor, q: Permutation) -> str:
        """The tensor transpose(source, q), where that is free."""
        original = self.r.tensors[source.name]
        shape = permutations.apply(source.shape, q)
        if original.elements == 1 or (shape == original.shape and permutations.is_identity(q)):
            return source.name
        if original.data is not None:
            data = original.data.reshape(source.shape).transpose(q)
            name = permutations.suffix(source.name, q)
            return self.r.constant(name, data, original.quantization)
        name = derived(source.name, "x".join(map(str, shape)))
        return self.r.emit("reshape", [source.name], replace(original, name=name, shape=shape))

    def _naming_axes(self, node: Node) -> bool:
        """Case 4."""
        count, attributes = _NAMING_AXES[node.op]
        operands, rest = node.inputs[:count], node.inputs[count:]
        for p in self._candidates(operands, len(self.graph.tensor(node.inputs[0]).shape)):
            sources = self._sources(operands, p)
            if sources is not None:
                changed = attributes(node, p)
                after = p
                if node.op == "argmax" and not integer(node, "keepdims"):
                    axis = changed["axis"]
                    assert isinstance(axis, int)
                    after = tuple(i - (i > axis) for i in p if i != axis)
                self._emit_view(node, [*sources, *rest], after, {**node.attributes, **changed})
                return True
        return False

    def _softmax(self, node: Node) -> bool:
        """Case 5."""
        view = self._view(node.inputs[0])
        if view.is_plain or view.p[-1] != len(view.p) - 1:
            return False
        self._emit_view(node, [view.source.name], view.p, node.attributes)
        return True

    def _reshape(self, node: Node) -> bool:
        """Cases 7 and 8."""
        view, y = self._view(node.inputs[0]), self.graph.tensor(node.outputs[0])
        if view.is_plain:
            return False
        if permutations.moves_units_alone(view.source.shape, view.p):
            self.r.emit("reshape", [view.source.name], y)
            return True
        groups = permutations.axis_groups(self.graph.tensor(node.inputs[0]).shape, y.shape)
        if not groups:
            return False
        groups.sort(key=lambda group: _foremost(view, group[0]))
        inside = tuple(view.p[i] for group in groups for i in group[0])
        outside = tuple(j for group in groups for j in group[1])
        source = self._gathered(view.source, inside)
        self._emit_view(node, [source], permutations.inverse(outside), {})
        return True

    def _gathered(self, source: Tensor, p: Permutation) -> str:
        """transpose(source, p), which brings axes together that are merged."""
        if permutations.moves_units_alone(source.shape, p):
            return source.name  # A reshape reads it, which takes any shape.
        moved = replace(
            source,
            name=permutations.suffix(source.name, p),
            shape=permutations.apply(source.shape, p),
        )
        return self.r.emit("transpose", [source.name], moved, **permutations.attributes(p))
