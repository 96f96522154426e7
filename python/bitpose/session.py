# SPDX-License-Identifier: Apache-2.0
"""Running models, by onnxruntime's calling convention."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError

if TYPE_CHECKING:
    from bitpose._core import OperatorProfile, Session

Array = NDArray[Any]

_MAGIC = b"bitpose\0"
_ONNX_TYPES = {
    "float32": "tensor(float)",
    "int8": "tensor(int8)",
    "uint8": "tensor(uint8)",
    "int32": "tensor(int32)",
    "int64": "tensor(int64)",
    "bool": "tensor(bool)",
}


@dataclass(frozen=True)
class NodeArg:
    """An input or output of a network, as onnxruntime describes it.

    `type` is for example "tensor(uint8)". `scale` is 0 for a tensor that is not quantized;
    otherwise real = scale * (q - zero_point).
    """

    name: str
    shape: list[int]
    type: str
    dtype: np.dtype[Any]
    scale: float = 0.0
    zero_point: int = 0

    def __str__(self) -> str:
        return f"{self.dtype}{self.shape}"


class InferenceSession:
    """A network that is loaded and packed for this CPU.

    `model` is the path or the bytes of a `.bpm` or `.onnx` file; ONNX is compiled first. Any number
    of threads may call `run` at once; `threads` is how many one run uses itself.

    Raises InvalidModelError for damaged models and UnsupportedModelError for ONNX that cannot be
    compiled.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        *,
        threads: int = 1,
        isa: str | None = None,
        keep_intermediates: bool = False,
        shapes: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        """`isa` limits the kernels ("scalar", "avx2", "neon", ...; default: the best of this CPU).

        With `keep_intermediates`, every tensor has its own memory and `tensors()` returns them.
        `shapes` gives shapes for inputs whose extents an ONNX model leaves free.
        """
        from bitpose._core import Session

        self._session: Session = Session(
            _compiled(model, shapes),
            threads=threads,
            isa=isa,
            keep_intermediates=keep_intermediates,
        )
        self._inputs = [_node_arg(info) for info in self._session.inputs]
        self._outputs = [_node_arg(info) for info in self._session.outputs]

    def get_inputs(self) -> list[NodeArg]:
        return list(self._inputs)

    def get_outputs(self) -> list[NodeArg]:
        return list(self._outputs)

    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, ArrayLike]
    ) -> list[Array]:
        """Runs the network once.

        `output_names` selects the outputs and their order, None means all. `input_feed` has one
        array per input, of exactly its dtype and shape. Returns new arrays. Raises InputError.
        """
        picked = select_outputs(self._outputs, output_names)
        outputs = self._session.run(check_feed(self._inputs, input_feed))
        return [outputs[i] for i in picked]

    def tensors(self) -> dict[str, Array]:
        """Every tensor of the last run by name; needs `keep_intermediates`."""
        return self._session.tensors()

    def profile(self, input_feed: Mapping[str, ArrayLike]) -> list[OperatorProfile]:
        """Runs the network once and says what each operator took, in execution order."""
        return self._session.profile(check_feed(self._inputs, input_feed))

    def chrome_trace(self) -> str:
        """The last profile as JSON for chrome://tracing or Perfetto."""
        return self._session.chrome_trace()

    @property
    def arena_bytes(self) -> int:
        """Memory of all activations of one run, as planned."""
        return self._session.arena_bytes

    @property
    def arena_lower_bound(self) -> int:
        """The largest sum of tensors that are alive at once: no plan can need less."""
        return self._session.arena_lower_bound

    @property
    def scratch_bytes(self) -> int:
        """Working memory of one run besides the arena."""
        return self._session.scratch_bytes

    @property
    def packed_bytes(self) -> int:
        """Weights, packed for this CPU."""
        return self._session.packed_bytes


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
    if list(array.shape) != expected.shape:
        raise InputError(f"{problem}{_shape_hint(expected.shape, array)}")
    if array.dtype != expected.dtype:
        raise InputError(f"{problem}; convert it with .astype({str(expected.dtype)!r})")
    return np.asarray(array, order="C")  # Unlike ascontiguousarray, keeps rank 0.


def _shape_hint(expected: list[int], array: Array) -> str:
    """What to call on an array of a shape that is wrong in a common way."""
    shape = list(array.shape)
    if shape == expected[1:] and expected[:1] == [1]:
        return "; add the batch axis: x[None]"
    for name, axes in {"NCHW": (0, 2, 3, 1), "NHWC": (0, 3, 1, 2)}.items():
        if len(shape) == len(expected) == 4 and [shape[a] for a in axes] == expected:
            return f"; the array looks like {name}: use .transpose{axes}"
    return ""


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _node_arg(info: Any) -> NodeArg:
    dtype = np.dtype(info.dtype)
    return NodeArg(
        name=info.name,
        shape=list(info.shape),
        type=_ONNX_TYPES[dtype.name],
        dtype=dtype,
        scale=info.scale,
        zero_point=info.zero_point,
    )


def _compiled(
    model: str | os.PathLike[str] | bytes, shapes: Mapping[str, Sequence[int]] | None
) -> bytes | str:
    """What the engine loads: the bytes of a compiled model, or the path of one to map."""
    if isinstance(model, bytes):
        compiled = model.startswith(_MAGIC)
    else:
        model = os.fspath(model)
        with Path(model).open("rb") as file:
            compiled = file.read(len(_MAGIC)) == _MAGIC
    if compiled:
        return model
    from bitpose.compiler import compile

    return compile(model, shapes=shapes).to_bytes()
