# SPDX-License-Identifier: Apache-2.0
"""Reads body models from the files that their makers publish."""

from __future__ import annotations

import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bitpose.body.layout import NAMES, BodyArrays, checked
from bitpose.errors import InvalidModelError

Array = NDArray[Any]

_MOST_BYTES = 1 << 30
_SMPLX_JOINTS = 55
#: SMPL-X keeps expressions behind its shape directions: 300 + 100, or 10 + 10 in its short files.
_SMPLX_EXPRESSIONS = {400: 100, 20: 10}


def read(path: str | PathLike[str]) -> BodyArrays:
    """Reads a `.pkl` of SMPL (any gender, with chumpy and scipy arrays) or an `.npz` of SMPL,
    SMPL-H or SMPL-X. Nothing in the file is run.

    Raises InvalidModelError for a file that is damaged, incomplete or contradictory,
    UnsafeFileError for one that asks for code to be run, and OSError where it cannot be read.
    """
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] == b"PK":
        arrays = _read_npz(path)
    elif path.suffix.lower() == ".pkl" or start[:1] in (b"\x80", b"("):
        from bitpose.body.unpickle import read_pickle

        arrays = read_pickle(path.read_bytes(), NAMES, path.name)
    else:
        raise InvalidModelError(f"{path.name}: neither a pickle nor an .npz")
    return checked(arrays, _expressions(arrays), path.name)


def _expressions(arrays: dict[str, Array]) -> int:
    weights, directions = arrays.get("weights"), arrays.get("shapedirs")
    if weights is None or directions is None or weights.shape[1:] != (_SMPLX_JOINTS,):
        return 0
    return _SMPLX_EXPRESSIONS.get(directions.shape[-1], 0) if directions.ndim else 0


def _read_npz(path: Path) -> dict[str, Array]:
    """The arrays that a body needs; others, some of which are pickled objects, stay unread."""
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
            for name in NAMES:
                if f"{name}.npy" in members:
                    arrays[name] = _read_member(archive, f"{name}.npy")
    except InvalidModelError as error:
        raise InvalidModelError(f"{path.name}: {error}") from None
    except Exception as error:  # A damaged archive can raise anything.
        raise InvalidModelError(f"{path.name}: damaged: {error}") from None
    return arrays


def _read_member(archive: zipfile.ZipFile, member: str) -> Array:
    """One array, if its header agrees with the size of the member."""
    size = archive.getinfo(member).file_size
    if size > _MOST_BYTES:
        raise InvalidModelError(f"{member} of {size} bytes")
    with archive.open(member) as file:
        version = npy.read_magic(file)
        reader = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        if version not in reader:
            raise InvalidModelError(f"{member} in version {version} of the format")
        shape, _, dtype = reader[version](file)
        expected = dtype.itemsize
        for extent in shape:
            expected *= extent
        if dtype.hasobject or file.tell() + expected != size:
            raise InvalidModelError(f"{member}: {dtype} of shape {shape} in {size} bytes")
    with archive.open(member) as file:
        return np.asarray(npy.read_array(file, allow_pickle=False))
