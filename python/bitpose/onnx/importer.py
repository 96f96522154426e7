# SPDX-License-Identifier: Apache-2.0
"""ONNX protobuf to the internal graph, in NCHW and with ONNX's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TypeProto

from bitpose.errors import GraphError, InvalidModelError, Unsupported, UnsupportedModelError
from bitpose.ir.evaluate import evaluate_node
from bitpose.ir.graph import Graph, Node, Tensor, ancestors
from bitpose.ir.names import derived, escape, unescape
from bitpose.ir.operators import MAX_RANK
from bitpose.ir.validate import validate
from bitpose.onnx import registry
from bitpose.onnx.builder import Builder, RefusalError
from bitpose.onnx.functions import inline_functions
from bitpose.onnx.initializers import DTYPES, SUPPORTED, constant_array
from bitpose.onnx.open_axes import depends_on_extents, is_open, smaller, with_open_axes
from bitpose.onnx.uint16 import UINT16_SUPPORTED, signed16

#: Bounds on what is read from a file.
MAX_NODES = 100_000
MAX_ELEMENTS = 2**31
#: Shape arithmetic works on small tensors.
MAX_FOLDED = 2**16
#: Left to the passes.
_QUANTIZING = ("QuantizeLinear", "DequantizeLinear")
_OWN_DOMAINS = ("", "ai.onnx")


def import_model(
    model: ModelProto,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    constants: Mapping[str, NDArray[Any]] | None = None,
    folder: Path | None = None,
) -> Graph:
    """The graph of an ONNX model (opsets 7 .. 28).

    `shapes` gives whole shapes for inputs whose dimensions the model leaves free; `constants` gives
    values for inputs, which are then none any more. `folder` is where external data may lie; None
    refuses it.

    Raises InvalidModelError for a model that breaks ONNX's rules, and UnsupportedModelError with
    everything in it that cannot be compiled.
    """
    shapes = {escape(name): shape for name, shape in (shapes or {}).items()}
    constants = {escape(name): value for name, value in (constants or {}).items()}
    model = _escaped(inline_functions(model, MAX_NODES))
    graph = _Importer(model, shapes, constants, folder).run()
    try:
        validate(graph)
    except GraphError as error:
        raise InvalidModelError(f"the model's graph is unsound: {error}") from error
    return graph


class _Importer:
    """The state of one import."""

    def __init__(
        self,
        model: ModelProto,
        shapes: Mapping[str, Sequence[int]],
        constants: Mapping[str, NDArray[Any]],
        folder: Path | None,
    ) -> None:
        self.proto: GraphProto = model.graph
        self.shapes = shapes
        self.constants = constants
        self.folder = folder
        self.opset = _opset(model)
        self.nodes: list[Node] = []
        self.tensors: dict[str, Tensor] = {}
        self.values: dict[str, Tensor] = {}
        """ONNX name to tensor. An alias has another name than its tensor."""
        self.guessed: set[str] = set()
        """Outputs of nodes that failed; their shapes are only the model's own claim."""
        self.problems: list[Unsupported] = []
        self.claims = {v.name: v for v in [*self.proto.value_info, *self.proto.output]}
        self.taken = {name for node in self.proto.node for name in node.output}
        self.taken |= {value.name for value in [*self.proto.initializer, *self.proto.input]}
        if self.proto.sparse_initializer:
            refusal = RefusalError("sparse initializers", "dense initializers")
            self._report("model", "sparse", refusal)
        if len(self.proto.node) > MAX_NODES:
            raise InvalidModelError(f"the model has {len(self.proto.node)} nodes")

    def run(self) -> Graph:
        self._read_initializers()
        inputs = self._read_inputs()
        for proto in self.proto.node:
            self._read_node(proto)
        if self.problems:
            raise UnsupportedModelError(self.problems)
        outputs = tuple(self._read_output(v.name) for v in self.proto.output)
        name = self.proto.name or "network"
        return signed16(Graph(name, tuple(self.nodes), self.tensors, inputs, outputs))

    def _read_initializers(self) -> None:
        for proto in self.proto.initializer:
            try:
                self._define(proto.name, Tensor.constant(proto.name, self._array(proto)))
            except RefusalError as refusal:
                self._report(proto.name, "initializer", refusal)
                self.guessed.add(proto.name)

    def _array(self, proto: onnx.TensorProto) -> NDArray[Any]:
        return constant_array(proto, self.folder, MAX_ELEMENTS)

    def _read_inputs(self) -> tuple[str, ...]:
        names = []
        for value in self.proto.input:
            if value.name in self.values:
                continue  # An initializer that is listed as an input, as old models do.
            try:
                self._define(value.name, self._input(value.name, value.type))
            except RefusalError as refusal:
                self._report(value.name, "input", refusal)
                self.guessed.add(value.name)
            names.append(value.name)
        unknown = {*self.shapes, *self.constants} - set(names)
        if unknown:
            raise InvalidModelError(f"the model has no inputs {sorted(unknown)}; it has {names}")
        return tuple(name for name in names if name not in self.constants)

    def _input(self, name: str, proto: TypeProto) -> Tensor:
        dtype, extents = _claimed(proto)
        if dtype is None:
            raise RefusalError("its type is no tensor of a supported dtype", SUPPORTED)
        if dtype == np.uint16:
            raise RefusalError("it is uint16", UINT16_SUPPORTED)
        value = self.constants.get(name)
        if value is not None and value.dtype != dtype:
            raise InvalidModelError(f"input {name!r} is {dtype}, not {value.dtype}")
        bound = self.shapes.get(name) if value is None else value.shape
        if bound is not None:
            fits = len(bound) == len(extents) and all(
                e is None or e == n for e, n in zip(extents, bound, strict=True)
            )
            if not fits or min(bound, default=0) < 0:
                raise InvalidModelError(f"input {name!r} has shape {extents}, not {list(bound)}")
            extents = [int(n) for n in bound]
        shape = [e for e in extents if e is not None]
        if len(shape) != len(extents):
            hint = f"shapes={{{name!r}: [...]}}"
            raise RefusalError(f"shape {extents} has free extents", hint, name)
        return Tensor(name, dtype, tuple(shape)) if value is None else Tensor.constant(name, value)

    def _read_node(self, proto: NodeProto) -> None:
        label = proto.name or next((name for name in proto.output if name), proto.op_type)
        missing = [x for x in proto.input if x and x not in self.values and x not in self.guessed]
        if missing:
            raise InvalidModelError(f"{proto.op_type} {label!r} reads {missing[0]!r} too early")
        try:
            self._import_node(proto, label)
        except RefusalError as refusal:
            self._report(label, proto.op_type, refusal)
            self._guess_outputs(proto)
        except InvalidModelError:
            if not any(x in self.guessed for x in proto.input):
                raise
            self._guess_outputs(proto)  # The shapes that it read may be wrong.
        except GraphError as error:
            raise InvalidModelError(f"{proto.op_type} {label!r}: {error}") from error

    def _import_node(self, proto: NodeProto, label: str) -> None:
        row = self._registration(proto)
        attributes = self._attributes(proto, row, label)
        count = len(proto.input)
        if not row.min_inputs <= count <= row.max_inputs:
            raise InvalidModelError(f"{proto.op_type} {label!r} has {count} operands")
        if any(x and x not in self.values for x in proto.input):
            self._guess_outputs(proto)  # What fails here has been reported where it began.
            return
        operands = [self.values[x] if x else None for x in proto.input]
        if any(x is None for x in operands[: row.min_inputs]):
            raise InvalidModelError(f"{proto.op_type} {label!r} lacks an operand")
        outputs = [name for name in proto.output if name]

        def build(
            operands: Sequence[Tensor | None], bounds: Builder | None = None
        ) -> tuple[Builder, list[Tensor]]:
            outputs = len(proto.output)
            builder = Builder(label, proto.op_type, self.opset, outputs, self.taken, bounds)
            result = row.function(builder, *operands, **attributes)
            return builder, [result] if isinstance(result, Tensor) else list(result)

        builder, results = build(operands)
        if is_open(builder, operands):
            try:
                probe, _ = build([smaller(x) for x in operands], builder)
            except (RefusalError, InvalidModelError, GraphError) as error:
                raise depends_on_extents(operands) from error
            builder.tensors = with_open_axes(builder, probe, operands)
        if len(results) < len(outputs):
            raise InvalidModelError(f"{proto.op_type} {label!r} has {len(outputs)} outputs")
        self._adopt(builder, dict(zip(proto.output, results, strict=False)))
        if any(x in self.guessed for x in proto.input):
            self.guessed.update(outputs)

    def _registration(self, proto: NodeProto) -> registry.Registration:
        row = registry.find(proto.op_type, self.opset, proto.domain)
        if row is None:
            where = "" if proto.domain in _OWN_DOMAINS else f" in the domain {proto.domain!r}"
            near = registry.near(proto.op_type, proto.domain)
            raise RefusalError(f"has no importer{where}", near)
        return row

    def _attributes(
        self, proto: NodeProto, row: registry.Registration, label: str
    ) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for attribute in proto.attribute:
            known = row.attributes.get(attribute.name)
            if known is None:
                names = ", ".join(row.attributes) or "no attributes"
                raise RefusalError(f"attribute {attribute.name}", names)
            result[attribute.name] = self._attribute(attribute, known.kind, label)
        for known in row.attributes.values():
            if known.required and known.name not in result:
                raise InvalidModelError(f"{proto.op_type} {label!r} lacks attribute {known.name}")
        return result

    def _attribute(self, proto: AttributeProto, kind: str, label: str) -> Any:
        expected = {
            "int": AttributeProto.INT,
            "float": AttributeProto.FLOAT,
            "str": AttributeProto.STRING,
            "Ints": AttributeProto.INTS,
            "Floats": AttributeProto.FLOATS,
            "Array": AttributeProto.TENSOR,
        }[kind]
        if proto.type != expected:
            raise InvalidModelError(f"{label!r}: attribute {proto.name} is no {kind}")
        match kind:
            case "int":
                return proto.i
            case "float":
                return proto.f
            case "str":
                return proto.s.decode("utf-8", "replace")
            case "Ints":
                return tuple(proto.ints)
            case "Floats":
                return tuple(proto.floats)
            case _:
                return self._array(proto.t)

    def _adopt(self, builder: Builder, results: Mapping[str, Tensor]) -> None:
        """Takes over what a function has built, its results under the names of ONNX's outputs."""
        made = {t.name: t for t in builder.tensors}
        renamed: dict[str, str] = {}
        for name, tensor in results.items():
            if name and tensor.name in made and tensor.name not in renamed:
                renamed[tensor.name] = name
        for tensor in builder.tensors:
            name = renamed.get(tensor.name, tensor.name)
            if tensor.elements == 0 and not tensor.open_axes:
                self._define(name, Tensor.constant(name, np.zeros(tensor.shape, tensor.dtype)))
            else:
                self._define(name, replace(tensor, name=name))
        for node in builder.nodes:
            output = renamed.get(node.outputs[0], node.outputs[0])
            adopted = replace(node.with_inputs(renamed), name=output, outputs=(output,))
            if not self.tensors[output].is_constant and not self._fold_small(adopted):
                self.nodes.append(adopted)
        for name, tensor in results.items():
            if name:
                self._alias(name, self.tensors[renamed.get(tensor.name, tensor.name)])

    def _fold_small(self, node: Node) -> bool:
        """Evaluates arithmetic on shapes at once, so that later nodes find constants.

        Scales and zero points of constants are left for passes to see.
        """
        output = self.tensors[node.outputs[0]]
        inputs = [self.tensors[x] for x in node.inputs if x]
        small = output.elements <= MAX_FOLDED and node.op not in _QUANTIZING
        if not small or not all(x.is_constant for x in inputs):
            return False
        value = evaluate_node(node, inputs, output)
        if value is None:
            return False
        self.tensors[output.name] = Tensor.constant(output.name, value)
        return True

    def _define(self, name: str, tensor: Tensor) -> None:
        if not name or name in self.tensors:
            raise InvalidModelError(f"tensor {name!r} is defined twice")
        if tensor.elements > MAX_ELEMENTS:
            raise InvalidModelError(f"tensor {name!r} has shape {list(tensor.shape)}")
        if len(tensor.shape) > MAX_RANK and not tensor.is_constant:
            raise RefusalError(f"tensor {name!r} has rank {len(tensor.shape)}", f"up to {MAX_RANK}")
        self.tensors[name] = tensor
        self.values[name] = tensor

    def _alias(self, name: str, tensor: Tensor) -> None:
        if name in self.values and name != tensor.name:
            raise InvalidModelError(f"tensor {name!r} is defined twice")
        self.values[name] = tensor

    def _guess_outputs(self, proto: NodeProto) -> None:
        """Goes on behind a node that failed, with the shapes that the model claims."""
        for name in proto.output:
            if not name:
                continue
            self.guessed.add(name)
            claim = self.claims.get(name)
            if claim is None or name in self.tensors:
                continue
            dtype, extents = _claimed(claim.type)
            known = [e for e in extents if e is not None]
            usable = len(known) == len(extents) <= MAX_RANK
            if dtype is not None and usable:
                self._define(name, Tensor(name, dtype, tuple(known)))

    def _read_output(self, name: str) -> str:
        """A graph output; what only passes a value through gets a node of its own."""
        if name not in self.values:
            raise InvalidModelError(f"graph output {name!r} is never written")
        tensor = self.values[name]
        tensor = self._narrowed_to_claim(name, tensor)
        written = any(name in node.outputs for node in self.nodes)
        if not written:
            source = tensor
            if tensor.name == name:
                source = replace(tensor, name=derived(name, "value"))
                if not tensor.is_constant:
                    refusal = RefusalError("it is a graph input", "outputs of nodes")
                    self._report(name, "output", refusal)
                    raise UnsupportedModelError(self.problems)
                self.tensors[source.name] = source
                self._rename(name, source.name)
            self.tensors[name] = Tensor(name, tensor.dtype, tensor.shape)
            self.nodes.append(Node("Reshape", name, (source.name,), (name,)))
        return name

    def _narrowed_to_claim(self, name: str, tensor: Tensor) -> Tensor:
        """An output with less along open axes than was found, where the model claims less."""
        _, claimed = _claimed(self.claims[name].type)
        if len(claimed) != len(tensor.shape) or tensor.name != name:
            return tensor
        for axis in tensor.open_axes:
            extent = claimed[axis]
            if extent is None or extent >= tensor.shape[axis]:
                continue
            whole = replace(tensor, name=derived(name, f"whole{axis}"))
            length = Tensor.constant(derived(name, f"extent{axis}"), np.array([extent], np.int64))
            self._rename(name, whole.name)
            shape = (*tensor.shape[:axis], extent, *tensor.shape[axis + 1 :])
            tensor = replace(tensor, shape=shape)
            self.tensors |= {whole.name: whole, length.name: length, name: tensor}
            operands = (whole.name, length.name)
            self.nodes.append(Node("narrow", name, operands, (name,), {"axis": axis}))
        return tensor

    def _rename(self, old: str, new: str) -> None:
        renamed = {old: new}
        self.nodes = [
            replace(
                node.with_inputs(renamed),
                outputs=tuple(renamed.get(y, y) for y in node.outputs),
            )
            for node in self.nodes
        ]

    def _report(self, node: str, op: str, refusal: RefusalError) -> None:
        opset = self.opset if op[:1].isupper() else 0
        bind = () if refusal.unknown is None else self._sources(refusal.unknown)
        self.problems.append(
            Unsupported(unescape(node), op, opset, refusal.problem, refusal.supported, bind)
        )

    def _sources(self, name: str) -> tuple[str, ...]:
        """The graph inputs that a tensor is computed from."""
        inputs = [value.name for value in self.proto.input]
        return tuple(unescape(x) for x in ancestors(self.nodes, [name]) if x in inputs)


def _escaped(model: ModelProto) -> ModelProto:
    """The model without the character that passes use in names, see `bitpose.ir.names`."""
    graph = model.graph
    named = [*graph.initializer, *graph.input, *graph.output, *graph.value_info]
    names = [x.name for x in named] + [x for n in graph.node for x in (*n.input, *n.output)]
    texts = [graph.name] + [t for n in graph.node for t in (n.name, n.op_type, n.domain)]
    texts += [a.name for n in graph.node for a in n.attribute]
    if not all(isinstance(text, str) for text in [*names, *texts]):
        raise InvalidModelError("a name in the model is not UTF-8 text")  # Protobuf gives bytes.
    if all(name == escape(name) for name in names):
        return model
    copy = ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    for x in (*graph.initializer, *graph.input, *graph.output, *graph.value_info):
        x.name = escape(x.name)
    for node in graph.node:
        node.input[:] = [escape(x) for x in node.input]
        node.output[:] = [escape(y) for y in node.output]
    return copy


def _opset(model: ModelProto) -> int:
    if not model.opset_import:
        raise InvalidModelError("the model states no opset")
    versions = [o.version for o in model.opset_import if o.domain in _OWN_DOMAINS]
    if not versions:
        return registry.NEWEST_OPSET  # No node is of ONNX's own domain.
    if not registry.OLDEST_OPSET <= versions[0] <= registry.NEWEST_OPSET:
        supported = f"opsets {registry.OLDEST_OPSET} to {registry.NEWEST_OPSET}"
        problem = Unsupported("model", "opset", 0, f"it is {versions[0]}", supported)
        raise UnsupportedModelError([problem])
    return int(versions[0])


def _claimed(proto: TypeProto) -> tuple[np.dtype[Any] | None, list[int | None]]:
    """Dtype and extents of a tensor type; None for an extent that is free."""
    tensor = proto.tensor_type
    if not proto.HasField("tensor_type") or not tensor.HasField("shape"):
        return None, []
    name = DTYPES.get(tensor.elem_type)
    extents = [d.dim_value if d.dim_value > 0 else None for d in tensor.shape.dim]
    return (None if name is None else np.dtype(name)), extents
