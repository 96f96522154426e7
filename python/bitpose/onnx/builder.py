# SPDX-License-Identifier: Apache-2.0
"""What the functions of `bitpose.onnx.ops` use to say what one ONNX node becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bitpose.errors import GraphError, InvalidModelError
from bitpose.ir.graph import Attribute, Node, Tensor
from bitpose.ir.shapes import Shape, number, output_shape
from bitpose.onnx.limits import limits

#: Attribute values that are lists.
Ints = tuple[int, ...]
Floats = tuple[float, ...]

FLOAT32 = np.dtype(np.float32)


class RefusalError(Exception):
    """Something in a node that is not supported, and what would be.

    `unknown` is the tensor whose value would have to be known.
    """

    def __init__(self, problem: str, supported: str, unknown: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.supported = supported
        self.unknown = unknown


class Builder:
    """The nodes and constants that one ONNX node turns into.

    The tensors that an operator function returns take the names of the ONNX node's outputs
    afterwards; names given here are those of the steps in between.
    """

    def __init__(
        self,
        name: str,
        op: str,
        opset: int,
        outputs: int,
        taken: set[str],
        bounds: Builder | None = None,
    ) -> None:
        self.name = name
        self.op = op
        self.opset = opset
        self.outputs = outputs
        self.taken = taken
        """Names that no other tensor may get."""
        self.bounds = bounds
        """For a second call with smaller operands (`bitpose.onnx.open_axes`): the first."""
        self.nodes: list[Node] = []
        self.tensors: list[Tensor] = []

    def emit(
        self,
        op: str,
        inputs: Sequence[Tensor | None],
        shape: Sequence[int],
        dtype: DTypeLike = FLOAT32,
        **attributes: Attribute,
    ) -> Tensor:
        """Adds a node of `bitpose.ir.operators` of a given output shape and returns its output."""
        operands = [x for x in inputs if x is not None]
        tensor = Tensor(self._fresh(), np.dtype(dtype), tuple(shape))
        if self.bounds is not None:
            tensor = self._smaller(tensor, _varies(op, operands, attributes))
        names = tuple("" if x is None else x.name for x in inputs)
        node = Node(op, tensor.name, names, (tensor.name,), attributes)
        tensor = replace(tensor, limits=limits(node, operands, tensor))
        self.nodes.append(node)
        self.tensors.append(tensor)
        return tensor

    def _smaller(self, tensor: Tensor, varying: int | None) -> Tensor:
        """In a second call: a tensor with less than in the first along the axis `varying`, and with
        the axes along which it has less.
        """
        bound = self._first().shape
        if len(bound) != len(tensor.shape):
            raise RefusalError("its rank depends on extents", "a fixed rank")
        shape = tuple(
            min(n, most - 1) if i == varying else n
            for i, (n, most) in enumerate(zip(tensor.shape, bound, strict=True))
        )
        return replace(tensor, shape=shape, open_axes=differing_axes(shape, bound))

    def _first(self) -> Tensor:
        """In a second call: what the first has made in the place of the next tensor."""
        if self.bounds is None or len(self.tensors) >= len(self.bounds.tensors):
            raise RefusalError("its parts depend on extents", "fixed parts")
        return self.bounds.tensors[len(self.tensors)]

    def engine(
        self,
        op: str,
        inputs: Sequence[Tensor],
        dtype: DTypeLike = FLOAT32,
        shape: Sequence[int] | None = None,
        **attributes: Attribute,
    ) -> Tensor:
        """Adds a node of `bitpose.ir.operators.ENGINE` and returns its output.

        `shape` is needed where operands and attributes do not tell it.
        """
        claimed = Tensor("", np.dtype(dtype), () if shape is None else tuple(shape))
        try:
            found = output_shape(op, inputs, attributes, claimed)
        except GraphError as error:
            self.invalid(str(error))
        return self.emit(op, inputs, found, dtype, **attributes)

    def constant(self, data: NDArray[Any]) -> Tensor:
        """Adds a constant."""
        tensor = Tensor.constant(self._fresh(), data)
        self.tensors.append(tensor)
        return tensor

    def reshape(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """x under another shape of as many elements."""
        return self.emit("Reshape", [x], shape, x.dtype)

    def value(self, x: Tensor, what: str) -> NDArray[Any]:
        """The elements of a constant operand; refuses one that is computed at run time."""
        if x.data is not None:
            return x.data
        if x.limits is not None and np.array_equal(*x.limits):
            return x.limits[0]
        raise RefusalError(f"{what} is computed at run time", f"a constant {what}", x.name)

    def ints(self, x: Tensor, what: str) -> Ints:
        """The elements of a constant 1-D operand of integers."""
        data = self.value(x, what)
        if data.dtype.kind != "i" or data.ndim > 1:
            raise InvalidModelError(f"{self.op} {self.name!r}: {what} must be 1-D integers")
        return tuple(int(v) for v in np.atleast_1d(data))

    def varies(self, x: Tensor) -> bool:
        """Whether x is computed from shapes that only a run decides, and can be bounded."""
        return x.limits is not None and not np.array_equal(*x.limits)

    def bounded_ints(self, x: Tensor, what: str) -> list[tuple[int, int]]:
        """The least and the greatest value of each element of a 1-D operand of integers.

        Refuses one that is computed from more than shapes.
        """
        if x.data is not None or x.limits is None:
            return [(v, v) for v in self.ints(x, what)]
        least, greatest = (limit.reshape(-1).tolist() for limit in x.limits)
        return list(zip(least, greatest, strict=True))

    def narrow(self, x: Tensor, axis: int, length: Tensor) -> Tensor:
        """The first elements of x along an axis, as many as `length`, one int64, says in a run."""
        return self.engine("narrow", [x, length], x.dtype, axis=axis)

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the front."""
        if not -rank <= axis < rank:
            self.invalid(f"axis {axis} of a tensor of rank {rank}")
        return axis % rank

    def require_dtype(self, x: Tensor, what: str, *names: str) -> None:
        """Refuses an operand of another dtype."""
        if x.dtype.name not in names:
            self.refuse(f"{what} is {x.dtype}", " or ".join(names))

    def require_rank(self, x: Tensor, what: str, rank: int, meaning: str) -> None:
        """Refuses an operand of another rank."""
        if len(x.shape) != rank:
            self.refuse(f"{what} has shape {list(x.shape)}", f"rank {rank} {meaning}")

    def refuse(self, problem: str, supported: str) -> NoReturn:
        """Reports that the node cannot be compiled, and what could."""
        raise RefusalError(problem, supported)

    def invalid(self, problem: str) -> NoReturn:
        """Reports that the node breaks ONNX's own rules."""
        raise InvalidModelError(f"{self.op} {self.name!r}: {problem}")

    def _fresh(self) -> str:
        if self.bounds is not None:
            return self._first().name
        name = stem = f"{self.name}/{self.op}.{len(self.tensors)}"
        attempt = 1
        while name in self.taken:
            name, attempt = f"{stem}.{attempt}", attempt + 1
        self.taken.add(name)
        return name


def differing_axes(x: Shape, y: Shape) -> Ints:
    """The axes along which two shapes of one rank differ."""
    return tuple(i for i, (a, b) in enumerate(zip(x, y, strict=True)) if a != b)


def _varies(op: str, inputs: Sequence[Tensor], attributes: Mapping[str, Attribute]) -> int | None:
    """The axis along which an operator may give fewer elements in a run than it states."""
    if op not in ("narrow", "slice", "topk"):
        return None
    axis = number(attributes, "axis")
    varies = inputs[1].data is None if op == "narrow" else axis in inputs[0].open_axes
    return axis if varies else None


def resolve_shape(b: Builder, x: Shape, wanted: Sequence[int], allow_zero: bool) -> Shape:
    """The shape that ONNX's Reshape means: 0 copies an extent, -1 is what is left."""
    shape = list(wanted)
    if not allow_zero:
        for i, extent in enumerate(shape):
            if extent == 0:
                if i >= len(x):
                    b.invalid(f"shape {list(wanted)} copies axis {i} of {list(x)}")
                shape[i] = x[i]
    total = int(np.prod(x, dtype=np.int64))
    known = int(np.prod([e for e in shape if e != -1], dtype=np.int64))
    if shape.count(-1) > 1 or any(e < -1 for e in shape):
        b.invalid(f"shape {list(wanted)}")
    if -1 in shape:
        if known == 0 or total % known:
            b.invalid(f"shape {list(x)} cannot become {list(wanted)}")
        shape[shape.index(-1)] = total // known
    elif known != total:
        b.invalid(f"shape {list(x)} cannot become {list(wanted)}")
    return tuple(shape)
