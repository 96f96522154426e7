# SPDX-License-Identifier: Apache-2.0
"""Running models, by onnxruntime's calling convention."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError, UnsupportedModelError

if TYPE_CHECKING:
    from bitpose._core import OperatorProfile, PlannedTensor, Session, TensorInfo
    from bitpose.specialization import Specializations

Array = NDArray[Any]
Extents = Sequence[int | str | None]

_MAGIC = b"bitpose\0"
_ONNX_TYPES = {
    "float32": "tensor(float)",
    "float16": "tensor(float16)",
    "int8": "tensor(int8)",
    "uint8": "tensor(uint8)",
    "int32": "tensor(int32)",
    "int64": "tensor(int64)",
    "bool": "tensor(bool)",
    "int16": "tensor(int16)",
    "uint16": "tensor(uint16)",
}


@dataclass(frozen=True)
class NodeArg:
    """An input or output of a network, as onnxruntime describes it.

    `type` is for example "tensor(uint8)". An extent that the model leaves free has its name there,
    or None. `scale` is 0 for a tensor that is not quantized; otherwise real = scale * (q -
    zero_point).
    """

    name: str
    shape: list[int | str | None]
    type: str
    dtype: np.dtype[Any]
    scale: float = 0.0
    zero_point: int = 0

    def __str__(self) -> str:
        return f"{self.dtype}{self.shape}"

    @property
    def extents(self) -> list[int]:
        """The shape where none of it is free; raises InputError elsewhere."""
        known = [extent for extent in self.shape if isinstance(extent, int)]
        if len(known) != len(self.shape):
            raise InputError(
                f"{self.name!r} has the free extents {self.shape}; give shapes={{{self.name!r}: "
                "[...]}"
            )
        return known


@dataclass(frozen=True)
class _Network:
    """A compiled network, ready to run."""

    session: Session
    inputs: list[NodeArg]
    outputs: list[NodeArg]


class InferenceSession:
    """A network that is loaded and packed for this CPU.

    `model` is the path or the bytes of a `.bpm` or `.onnx` file; ONNX is compiled first. `network`
    names one of a `.bpm` file that has several (`bitpose.ModelFile` lists them); the default is the
    first. Any number of threads may call `run` at once; `threads` is how many one run uses itself.

    Where an ONNX model leaves extents of inputs free, or an input decides about shapes, the network
    is compiled at the first run, and again for other shapes; the last 4 are kept.

    Raises InvalidModelError for damaged models, UnsupportedModelError for ONNX that cannot be
    compiled, and InputError for a `network` that the model does not have.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        *,
        network: str | None = None,
        threads: int = 1,
        isa: str | None = None,
        keep_intermediates: bool = False,
        shapes: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        """`isa` limits the kernels ("scalar", "avx2", "neon", ...; default: the best of this CPU).

        With `keep_intermediates`, every tensor has its own memory and `tensors()` returns them.
        `shapes` gives shapes for inputs whose extents an ONNX model leaves free.
        """

        def load(compiled: bytes | str) -> _Network:
            from bitpose._core import Session

            session = Session(
                compiled,
                threads=threads,
                isa=isa,
                keep_intermediates=keep_intermediates,
                network="" if network is None else network,
            )
            return _Network(
                session, [*map(_node_arg, session.inputs)], [*map(_node_arg, session.outputs)]
            )

        self._last: _Network | None = None
        self._specializations: Specializations[_Network] | None = None
        source = model if isinstance(model, bytes) else Path(model)
        if is_compiled(source):
            self._last = load(source if isinstance(source, bytes) else str(source))
        elif network is not None:
            raise InputError(
                f"network {network!r} is for .bpm files: an ONNX model has one, without a name"
            )
        else:
            self._open_onnx(source, shapes or {}, load)

    def _open_onnx(
        self,
        source: bytes | Path,
        shapes: Mapping[str, Sequence[int]],
        load: Callable[[bytes], _Network],
    ) -> None:
        from bitpose.compiler import compile
        from bitpose.onnx.signature import read_signature
        from bitpose.specialization import Specializations, is_bindable

        try:
            self._last = load(compile(source, shapes=shapes).to_bytes())
        except UnsupportedModelError as error:
            if not is_bindable(error):
                raise
            inputs, outputs = read_signature(source)
            self._inputs = [_claimed(x.name, x.dtype, shapes.get(x.name, x.shape)) for x in inputs]
            self._outputs = [_claimed(y.name, y.dtype, y.shape) for y in outputs]
            self._specializations = Specializations(source, [x.name for x in inputs], load)

    def get_inputs(self) -> list[NodeArg]:
        return list(self._inputs if self._specializations else self._network.inputs)

    def get_outputs(self) -> list[NodeArg]:
        return list(self._outputs if self._specializations else self._network.outputs)

    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, ArrayLike]
    ) -> list[Array]:
        """Runs the network once.

        `output_names` selects the outputs and their order, None means all. `input_feed` has one
        array per input, of exactly its dtype and shape. Returns new arrays. Raises InputError.
        """
        picked = select_outputs(self.get_outputs(), output_names)
        network, arrays = self._bind(input_feed)
        outputs = network.session.run(arrays)
        return [outputs[i] for i in picked]

    def _bind(self, feed: Mapping[str, ArrayLike]) -> tuple[_Network, list[Array]]:
        """The network for a feed, and the arrays that it reads."""
        inputs = self.get_inputs()
        arrays = check_feed(inputs, feed)
        if self._specializations is None:
            return self._network, arrays
        named = {x.name: array for x, array in zip(inputs, arrays, strict=True)}
        self._last = network = self._specializations.find(named)
        return network, [named[x.name] for x in network.inputs]

    @property
    def _network(self) -> _Network:
        if self._last is None:
            raise InputError("the network's shapes are known from its first run on")
        return self._last

    def tensors(self) -> dict[str, Array]:
        """Every tensor of the last run by name; needs `keep_intermediates`."""
        return self._network.session.tensors()

    def get_tensors(self) -> list[NodeArg]:
        """What is known of every tensor of the network, constants included."""
        return [*map(_node_arg, self._network.session.tensor_infos)]

    def memory_plan(self) -> list[PlannedTensor]:
        """Where every tensor that is computed lies during a run, and when."""
        return self._network.session.memory_plan

    def profile(self, input_feed: Mapping[str, ArrayLike]) -> list[OperatorProfile]:
        """Runs the network once and says what each operator took, in execution order."""
        network, arrays = self._bind(input_feed)
        return network.session.profile(arrays)

    def chrome_trace(self) -> str:
        """The last profile as JSON for chrome://tracing or Perfetto."""
        return self._network.session.chrome_trace()

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run."""
        return self._network.session.macs

    @property
    def arena_bytes(self) -> int:
        """Memory of all activations of one run, as planned."""
        return self._network.session.arena_bytes

    @property
    def arena_lower_bound(self) -> int:
        """The largest sum of tensors that are alive at once: no plan can need less."""
        return self._network.session.arena_lower_bound

    @property
    def scratch_bytes(self) -> int:
        """Working memory of one run besides the arena."""
        return self._network.session.scratch_bytes

    @property
    def packed_bytes(self) -> int:
        """Weights, packed for this CPU."""
        return self._network.session.packed_bytes


def check_feed(inputs: Sequence[NodeArg], feed: Mapping[str, ArrayLike]) -> list[Array]:
    """The arrays of `feed` in the order of `inputs`, contiguous. Raises InputError."""
    known = [x.name for x in inputs]
    unknown = [name for name in feed if name not in known]
    missing = [name for name in known if name not in feed]
    if unknown or missing:
        parts = [f"there is no input {_quoted(unknown)}"] if unknown else []
        parts += [f"missing: {_quoted(missing)}"] if missing else []
        raise InputError(f"{'; '.join(parts)}; the network has {_quoted(known)}")
    return [_check_array(x, np.asarray(feed[x.name])) for x in inputs]


def select_outputs(outputs: Sequence[NodeArg], names: Sequence[str] | None) -> list[int]:
    """Indices of the outputs with these names, all for None. Raises InputError."""
    known = [y.name for y in outputs]
    if names is None:
        return list(range(len(known)))
    if isinstance(names, str):
        raise InputError(f"output names must be a list: [{names!r}]")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(f"there is no output {_quoted(unknown)}; the network has {_quoted(known)}")
    return [known.index(name) for name in names]


def _check_array(expected: NodeArg, array: Array) -> Array:
    problem = f"input {expected.name!r} must be {expected}, got {array.dtype}{list(array.shape)}"
    if not _fits(expected.shape, array.shape):
        raise InputError(f"{problem}{_shape_hint(expected.shape, array)}")
    if array.dtype != expected.dtype:
        raise InputError(f"{problem}; convert it with .astype({str(expected.dtype)!r})")
    return np.asarray(array, order="C")  # Unlike ascontiguousarray, keeps rank 0.


def _fits(expected: Extents, shape: Sequence[int]) -> bool:
    """Whether all extents that are not free are as expected."""
    return len(shape) == len(expected) and all(
        not isinstance(wanted, int) or wanted == extent
        for wanted, extent in zip(expected, shape, strict=True)
    )


def _shape_hint(expected: Extents, array: Array) -> str:
    """What to call on an array of a shape that is wrong in a common way."""
    shape = array.shape
    if expected[:1] == [1] and _fits(expected[1:], shape):
        return "; add the batch axis: x[None]"
    for name, axes in {"NCHW": (0, 2, 3, 1), "NHWC": (0, 3, 1, 2)}.items():
        if len(shape) == len(expected) == 4 and _fits(expected, [shape[a] for a in axes]):
            return f"; the array looks like {name}: use .transpose{axes}"
    return ""


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _node_arg(info: TensorInfo) -> NodeArg:
    claimed = _claimed(info.name, info.dtype, info.shape)
    return replace(claimed, scale=info.scale, zero_point=info.zero_point)


def _claimed(name: str, dtype: str, shape: Extents) -> NodeArg:
    return NodeArg(name, list(shape), _ONNX_TYPES[dtype], np.dtype(dtype))


def is_compiled(model: bytes | Path) -> bool:
    """Whether a model is a `.bpm` file, by its first bytes. Raises OSError."""
    if isinstance(model, bytes):
        return model.startswith(_MAGIC)
    with model.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC
