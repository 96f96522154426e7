# SPDX-License-Identifier: Apache-2.0
"""What a `.bpm` file holds: looking into one, and joining several networks in one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bitpose.compiler import Model
from bitpose.errors import InputError, InvalidModelError
from bitpose.model_file import (
    ModelRecord,
    NetworkRecord,
    OperatorRecord,
    TensorRecord,
    write_model,
)

Bytes = bytes | bytearray | memoryview

#: Between the name of a network and what came with it: "detector/licence".
_SEPARATOR = "/"


class ModelFile:
    """The networks, the metadata and the assets of a `.bpm` file.

    `model` is its path or its bytes. Files are mapped, not read: while one is open, rename a new
    one over it instead of changing it. All of it is checked when it is opened.

    Raises InvalidModelError for what is damaged or no `.bpm` file, UnsupportedModelError for what
    this version cannot run, and OSError.
    """

    def __init__(self, model: str | os.PathLike[str] | bytes) -> None:
        from bitpose import _core

        self._model = _core.Model(model if isinstance(model, bytes) else str(Path(model)))

    @property
    def networks(self) -> tuple[str, ...]:
        """Their names, in the order of the file. The first is what runs if nobody names one."""
        return tuple(self._model.networks)

    @property
    def metadata(self) -> dict[str, str]:
        """Provenance and licences, sorted by key."""
        return self._model.metadata

    @property
    def assets(self) -> dict[str, int]:
        """The size of each asset in bytes, by its name."""
        return self._model.assets

    def asset(self, name: str) -> memoryview:
        """The bytes of an asset where they lie, read-only. Raises InputError for another name."""
        return self._model.asset(name)

    def network(self, name: str | None = None) -> NetworkRecord:
        """The tensors and operators of a network, the first one by default.

        Raises InputError for a name that the file does not have.
        """
        found = self._model.network("" if name is None else name)
        return NetworkRecord(
            name=found["name"],
            tensors=tuple(TensorRecord(*row) for row in found["tensors"]),
            operators=tuple(OperatorRecord(*row) for row in found["operators"]),
            inputs=found["inputs"],
            outputs=found["outputs"],
        )


def bundle(
    networks: Mapping[str, Model],
    metadata: Mapping[str, str] | None = None,
    assets: Mapping[str, Bytes] | None = None,
) -> Model:
    """One file of several compiled networks, each under the name that it has here.

    The first network is the one that runs if nobody names one. Each model has one network; what it
    carries beside it is kept under the name of the network: "licence" of "detector" becomes
    "detector/licence". `metadata` and `assets` are of the whole file. Equal constants of different
    networks are stored once, and equal arguments give equal files.

    Raises InputError for names that are not usable or given twice, InvalidModelError for a model
    whose bytes are damaged, and UnsupportedModelError.
    """
    from bitpose import _core

    if not networks:
        raise InputError("a bundle has at least one network")
    schema = _core.schema()
    limit = schema["max_name_bytes"]
    records: list[NetworkRecord] = []
    texts: dict[str, str] = {}
    data: dict[str, bytes] = {}
    for name, model in networks.items():
        _check_name("network", name, limit)
        file = _opened(name, model)
        records.append(replace(file.network(), name=name))
        for key, value in file.metadata.items():
            _put(texts, "metadata", name + _SEPARATOR + key, value, limit)
        for key in file.assets:
            _put(data, "asset", name + _SEPARATOR + key, bytes(file.asset(key)), limit)
    for key, value in (metadata or {}).items():
        _check_text(f"the value of the metadata {key!r}", value)
        _put(texts, "metadata", key, value, limit)
    for key, content in (assets or {}).items():
        _put(data, "asset", key, _bytes_of(key, content), limit)
    # Beside one section each of strings, constants and metadata.
    room = schema["max_sections"] - 3
    if len(records) + len(data) > room:
        raise InputError(
            f"a file of {len(records)} networks and {len(data)} assets; it holds {room} together"
        )
    return Model(write_model(ModelRecord(tuple(records), texts, data), schema))


def _opened(name: str, model: Model) -> ModelFile:
    if not isinstance(model, Model):
        raise InputError(
            f"network {name!r} is of type {type(model).__name__}, not a Model of bitpose.compile "
            "or bitpose.load"
        )
    try:
        file = ModelFile(model.data)
    except InvalidModelError as error:
        raise InvalidModelError(f"network {name!r}: {error}") from error
    if len(file.networks) > 1:
        names = ", ".join(map(repr, file.networks))
        raise InputError(f"the model for network {name!r} has several itself: {names}")
    return file


def _put(target: dict[str, Any], what: str, key: str, value: object, limit: int) -> None:
    _check_name(what, key, limit)
    if key in target:
        raise InputError(f"the {what} {key!r} is given twice")
    target[key] = value


def _check_name(what: str, name: str, limit: int) -> None:
    _check_text(f"the {what} name {name!r}", name)
    size = len(name.encode())
    if not 1 <= size <= limit:
        raise InputError(f"a {what} name has 1 to {limit} bytes, {name[:32]!r} has {size}")


def _check_text(what: str, text: str) -> None:
    """Refuses what a file cannot hold as text."""
    if not isinstance(text, str):
        raise InputError(f"{what} is of type {type(text).__name__}, not str")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError(f"{what} has a NUL or half a surrogate pair")


def _bytes_of(name: str, content: Bytes) -> bytes:
    try:
        return bytes(memoryview(content))
    except TypeError:
        raise InputError(
            f"the asset {name!r} is of type {type(content).__name__}, which has no bytes"
        ) from None
