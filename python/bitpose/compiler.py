# SPDX-License-Identifier: Apache-2.0
"""ONNX models to `.bpm` models."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitpose.errors import InputError, InvalidModelError

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

    from bitpose.ir.graph import Graph
    from bitpose.quantize import Options

_MAGIC = b"bitpose\0"
#: Protobuf's own limit.
_MAX_ONNX_BYTES = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Model:
    """A compiled network.

    `graph` has the engine's operators in execution order; it is None for a model that was loaded
    from a file.
    """

    data: bytes
    graph: Graph | None = None

    def to_bytes(self) -> bytes:
        """The bytes of the `.bpm` file."""
        return self.data

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the `.bpm` file. A file of that name is replaced in one step."""
        target = Path(path)
        draft = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        try:
            draft.write_bytes(self.data)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    @cached_property
    def sha256(self) -> str:
        """The digest of the file."""
        return hashlib.sha256(self.data).hexdigest()


def compile(
    model: str | os.PathLike[str] | bytes | onnx.ModelProto,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    constants: Mapping[str, NDArray[Any]] | None = None,
    precision: str | None = None,
    weights: str | None = None,
    calibration: Sequence[Mapping[str, NDArray[Any]]] | None = None,
    options: Options | None = None,
    progress: Callable[[float], None] = lambda share: None,
    licence: str | None = None,
) -> Model:
    """Compiles an ONNX model, in float or quantized (QDQ), opset 7 or newer.

    `model` is a path, the bytes of a file, or a parsed model. `shapes` gives shapes for inputs
    whose extents the model leaves free; `constants` gives inputs a value that becomes part of the
    result. `licence` is stored in the file. Equal bytes and options give equal files on every
    machine.

    `precision="int8"` quantizes a float model: `calibration` has inputs of the kind that it will
    see, a dict of arrays each, and `options` says how (`bitpose.quantize.Options`); `progress` is
    told the share of the calibration that is done. `precision="int16"` does the same with 16 bits
    for what runs through the network and 8 bits for its weights: nearer to the float network, and
    slower than int8.

    `weights="float16"` stores the weights of floats in half the bytes, rounded once; the engine
    computes with float32. By default only those are stored so that lose nothing, as those of a
    float16 model do.

    Raises UnsupportedModelError, which lists all that stands in the way, InvalidModelError, and
    OSError.
    """
    from bitpose.passes import run_passes
    from bitpose.passes.store_float16 import store_float16

    if weights not in (None, "float16"):
        raise InputError(
            f"weights {weights!r}; there are 'float16' and None, as the model has them"
        )
    source, folder = _read(model)
    graph = _imported(source, shapes, constants, folder)
    if precision in ("int8", "int16"):
        graph = _quantized(graph, precision == "int16", calibration, options, progress)
    elif precision is not None:
        raise InputError(
            f"precision {precision!r}; there are 'int8', 'int16' and None, as the model is"
        )
    elif calibration is not None or options is not None:
        raise InputError("calibration and options are for precision='int8' and 'int16'")
    final = store_float16(run_passes(graph), lossy=weights is not None)
    return Model(assemble(final, _metadata(source, licence)), final)


def assemble(graph: Graph, metadata: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a `.bpm` file with one network, of a graph of the engine's operators."""
    from bitpose import _core
    from bitpose.lower import lower
    from bitpose.model_file import ModelRecord, write_model

    return write_model(ModelRecord((lower(graph),), dict(metadata or {})), _core.schema())


def to_graph(
    source: bytes,
    *,
    shapes: Mapping[str, Sequence[int]] | None = None,
    constants: Mapping[str, NDArray[Any]] | None = None,
    folder: Path | None = None,
) -> Graph:
    """The final graph of an ONNX file: the engine's operators, before they become bytes.

    `folder` is where external data may lie. Raises as `compile` does.
    """
    from bitpose.passes import run_passes

    return run_passes(_imported(source, shapes, constants, folder))


def _imported(
    source: bytes,
    shapes: Mapping[str, Sequence[int]] | None,
    constants: Mapping[str, NDArray[Any]] | None,
    folder: Path | None,
) -> Graph:
    from bitpose.onnx.importer import import_model

    return import_model(_parse(source), shapes=shapes, constants=constants, folder=folder)


def _quantized(
    graph: Graph,
    wide: bool,
    calibration: Sequence[Mapping[str, NDArray[Any]]] | None,
    options: Options | None,
    progress: Callable[[float], None],
) -> Graph:
    from bitpose.passes import FLOAT_PIPELINE, run_passes
    from bitpose.quantize import Options, quantize, widen

    if calibration is None:
        raise InputError("a quantized precision needs calibration: some inputs of the network")
    graph = run_passes(graph, FLOAT_PIPELINE)
    options = options or Options()
    if not wide:
        return quantize(graph, calibration, options, progress)
    # With 16 bits nothing has to be clipped, evened out or left in float.
    options = replace(options, observer="minmax", equalization=False, float_share=0.0)
    codes = quantize(graph, calibration, options, progress)
    return widen(codes, [node.outputs[0] for node in codes.nodes])


def load(model: str | os.PathLike[str] | bytes) -> Model:
    """A compiled model from a path or from the bytes of its file.

    Its contents are checked when a session is made of it. Raises InvalidModelError for what is no
    `.bpm` file, and OSError.
    """
    data = model if isinstance(model, bytes) else Path(model).read_bytes()
    if not data.startswith(_MAGIC):
        raise InvalidModelError("not a bitpose model: the first bytes are not 'bitpose'")
    return Model(data)


def _read(
    model: str | os.PathLike[str] | bytes | onnx.ModelProto,
) -> tuple[bytes, Path | None]:
    """The bytes of an ONNX file and the folder it lies in."""
    if isinstance(model, bytes):
        return model, None
    if isinstance(model, str | os.PathLike):
        path = Path(model)
        if path.stat().st_size > _MAX_ONNX_BYTES:
            raise InvalidModelError(f"{path} has more than 2 GiB")
        return path.read_bytes(), path.parent
    return model.SerializeToString(deterministic=True), None


def _parse(source: bytes) -> onnx.ModelProto:
    import onnx

    model = onnx.ModelProto()
    try:
        model.ParseFromString(source)
    except Exception as error:  # Protobuf's DecodeError, whose module differs between versions.
        raise InvalidModelError(f"not an ONNX model: {error}") from error
    return model


def _metadata(source: bytes, licence: str | None) -> dict[str, str]:
    from bitpose import __version__

    metadata = {
        "producer": f"bitpose {__version__}",
        "source_sha256": hashlib.sha256(source).hexdigest(),
    }
    if licence is not None:
        metadata["licence"] = licence
    return metadata
