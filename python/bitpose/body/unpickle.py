# SPDX-License-Identifier: Apache-2.0
"""Reads the pickles that SMPL's files are, and runs nothing that is in them.

A pickle is a program: it names functions and calls them. Here every name it may use stands for one
of our own inert classes, which keep what they are given; no function of numpy, scipy, chumpy or
the standard library is ever reached. What they keep is checked and becomes an array afterwards.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InvalidModelError, UnsafeFileError

Array = NDArray[Any]

_MOST_OPCODES = 200_000
_MOST_ELEMENTS = 1 << 25
_MOST_AXES = 8
_DTYPES = frozenset(kind + size for kind in "fiu" for size in "1248" if kind + size != "f1") | {
    "b1"
}


def read_pickle(data: bytes, names: Collection[str], source: str) -> dict[str, Array]:
    """Those entries of a pickled dict that have one of `names` and are arrays: of numpy, scipy's
    sparse matrices (made dense), and chumpy.

    Raises UnsafeFileError for a class or function that no SMPL file uses, anywhere in the pickle,
    and InvalidModelError for a damaged pickle or an array that contradicts itself.
    """
    _scan(data, source)
    try:
        content = _Unpickler(io.BytesIO(data), encoding="latin1").load()
    except InvalidModelError as error:
        raise type(error)(f"{source}: {error}") from None
    except Exception as error:  # A damaged pickle can raise anything.
        raise InvalidModelError(f"{source}: damaged pickle: {error}") from None
    if not isinstance(content, dict):
        raise InvalidModelError(f"{source}: the pickle is no dict of arrays")
    arrays = {}
    for name in names:
        try:
            array = _as_array(content.get(name))
        except InvalidModelError as error:
            raise InvalidModelError(f"{source}: {name}: {error}") from None
        except (OverflowError, TypeError, ValueError) as error:  # A part that is something else.
            raise InvalidModelError(f"{source}: {name}: damaged array: {error}") from None
        if array is not None:
            arrays[name] = array
    return arrays


def _scan(data: bytes, source: str) -> None:
    """Refuses what would cost much memory before the pickle is run: lengths and memo slots."""
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count >= _MOST_OPCODES:
                raise InvalidModelError(f"{source}: more than {_MOST_OPCODES} pickle opcodes")
            if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > count:
                raise InvalidModelError(f"{source}: pickle memo slot {argument}")
            if opcode.name in ("EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"):
                raise UnsafeFileError(f"{source}: pickle opcode {opcode.name}")
    except InvalidModelError:
        raise
    except Exception as error:  # A damaged pickle can raise anything.
        raise InvalidModelError(f"{source}: damaged pickle: {error}") from None


class _Kept:
    """Stands for an object of another package: keeps how it was made and its state.

    All names of a pickle stand for subclasses, so that setting a state on a class or a function,
    which a pickle may ask for, fails on the method below for want of an instance.
    """

    arguments: tuple[Any, ...] = ()
    state: Any = None

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def entry(self, *names: str) -> Any:
        """A part of the state by the first of its names that is there."""
        if isinstance(self.state, dict):
            for name in names:
                if name in self.state:
                    return self.state[name]
        raise InvalidModelError(f"{type(self).__name__[1:]} without {' or '.join(names)}")


class _Dtype(_Kept):
    def dtype(self) -> np.dtype[Any]:
        name = self.arguments[0] if self.arguments else None
        order = self.state[1] if isinstance(self.state, tuple) and len(self.state) > 1 else "<"
        known = isinstance(name, str) and name in _DTYPES and order in ("<", ">", "|", "=")
        if not known:
            what = repr(name) if isinstance(name, str) else type(name).__name__
            raise InvalidModelError(f"array of dtype {what}, not of numbers")
        return np.dtype(f"{order}{name}")


class _Ndarray(_Kept):
    def array(self) -> Array:
        """The state is (version, shape, dtype, whether in Fortran's order, bytes)."""
        if not isinstance(self.state, tuple) or len(self.state) != 5:
            raise InvalidModelError("an array without content")
        _, shape, kind, fortran, content = self.state
        return _array_of(content, kind, shape, "F" if fortran else "C")


class _FromBuffer(_Kept):
    def array(self) -> Array:
        """The arguments are (bytes, dtype, shape, order): protocol 5 of numpy."""
        if len(self.arguments) != 4:
            raise InvalidModelError("an array without content")
        content, kind, shape, order = self.arguments
        return _array_of(content, kind, shape, "F" if order == "F" else "C")


def _array_of(content: Any, kind: Any, shape: Any, order: Literal["C", "F"]) -> Array:
    data = content.encode("latin1") if isinstance(content, str) else content
    if not isinstance(data, (bytes, bytearray)) or not isinstance(kind, _Dtype):
        raise InvalidModelError("an array of objects")
    dtype = kind.dtype()
    if _elements(shape) * dtype.itemsize != len(data):
        raise InvalidModelError(f"an array of shape {shape} in {len(data)} bytes")
    flat = np.frombuffer(data, dtype).astype(dtype.newbyteorder("="))
    return flat.reshape(shape, order=order)


class _Scalar(_Kept):
    """numpy.core.multiarray.scalar(dtype, bytes)."""


class _Sparse(_Kept):
    """Compressed rows or columns, made dense."""

    by_rows = False

    def array(self) -> Array:
        shape = self.entry("_shape", "shape")
        elements = _elements(shape)
        if len(shape) != 2 or elements > _MOST_ELEMENTS:
            raise InvalidModelError(f"a sparse matrix of shape {shape}")
        parts = [_as_array(self.entry(name)) for name in ("indptr", "indices", "data")]
        if any(part is None or part.ndim != 1 for part in parts):
            raise InvalidModelError("a sparse matrix without its three arrays")
        indptr, indices, values = (np.asarray(part) for part in parts)
        if indptr.dtype.kind not in "iu" or indices.dtype.kind not in "iu":
            raise InvalidModelError("a sparse matrix whose indices are no integers")
        indptr, indices = indptr.astype(np.int64), indices.astype(np.int64)
        lines, width = shape if self.by_rows else shape[::-1]
        fits = (
            len(indptr) == lines + 1
            and len(indices) == len(values) == indptr[-1]
            and indptr[0] == 0
            and bool((np.diff(indptr) >= 0).all())
            and bool(((indices >= 0) & (indices < width)).all())
        )
        if not fits:
            raise InvalidModelError(f"a sparse matrix of shape {shape} that contradicts itself")
        dense = np.zeros((lines, width), values.dtype)
        np.add.at(dense, (np.repeat(np.arange(lines), np.diff(indptr)), indices), values)
        return dense if self.by_rows else dense.T


class _Rows(_Sparse):
    by_rows = True


class _Chumpy(_Kept):
    """chumpy.Ch: its state holds the array as `x`."""

    def array(self) -> Array:
        value = _as_array(self.entry("x"))
        if value is None:
            raise InvalidModelError("a chumpy array without numbers")
        return value


class _Select(_Kept):
    """chumpy's `a[i]`, `a.reshape(...)` and the like: entries of `a` by flat index."""

    def array(self) -> Array:
        source, index = _as_array(self.entry("a")), _as_array(self.entry("idxs"))
        shape = self.entry("preferred_shape")
        if source is None or index is None or index.dtype.kind not in "iu":
            raise InvalidModelError("a selection without an array")
        if not ((index >= 0) & (index < source.size)).all() or _elements(shape) != index.size:
            raise InvalidModelError("a selection beyond its array")
        return source.ravel()[index.ravel()].reshape(shape)


class _Unread(_Kept):
    """Another class of chumpy or scipy, which entries that nobody needs may have."""

    def array(self) -> Array:
        raise InvalidModelError("an expression of chumpy or a sparse matrix that is not read")


def _elements(shape: Any) -> int:
    """The product of a shape from a file."""
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
        raise InvalidModelError("a shape that is none")
    if len(shape) > _MOST_AXES:
        raise InvalidModelError(f"an array of {len(shape)} axes")
    product = 1
    for extent in shape:
        product *= extent
    return product


def _as_array(value: Any) -> Array | None:
    """What of the pickle is an array; None for everything else."""
    if isinstance(value, (_Ndarray, _FromBuffer, _Sparse, _Chumpy, _Select, _Unread)):
        try:
            return value.array()
        except RecursionError:
            raise InvalidModelError("an array that contains itself") from None
    return None


class _Reconstruct(_Kept):
    """numpy's `_reconstruct` and copyreg's `_reconstructor`: an empty object of a class."""

    def __new__(cls, kind: Any = None, *_: Any) -> Any:
        if not (isinstance(kind, type) and issubclass(kind, _Kept)) or kind is _Reconstruct:
            raise UnsafeFileError("the pickle makes objects of a class that no SMPL file uses")
        return kind()


class _Encode(_Kept):
    """`_codecs.encode`, which is how Python 3 writes bytes in an old protocol."""

    def __new__(cls, text: Any = "", encoding: Any = "latin1") -> Any:
        if not isinstance(text, str) or encoding != "latin1":
            raise UnsafeFileError("the pickle encodes what no SMPL file encodes")
        return text.encode("latin1")


def _names() -> Mapping[tuple[str, str], type[_Kept]]:
    names: dict[tuple[str, str], type[_Kept]] = {
        ("_codecs", "encode"): _Encode,
        ("numpy", "ndarray"): _Ndarray,
        ("numpy", "dtype"): _Dtype,
        ("chumpy", "Ch"): _Chumpy,
        ("chumpy.ch", "Ch"): _Chumpy,
        ("chumpy.reordering", "Select"): _Select,
    }
    for module in ("copy_reg", "copyreg"):
        names[module, "_reconstructor"] = _Reconstruct
    for module in ("__builtin__", "builtins"):
        names[module, "object"] = names[module, "set"] = _Kept
        names[module, "bytes"] = _Encode
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        names[module, "_reconstruct"] = _Reconstruct
        names[module, "scalar"] = _Scalar
    for module in ("numpy.core.numeric", "numpy._core.numeric"):
        names[module, "_frombuffer"] = _FromBuffer
    for kind, stand_in in (("csc", _Sparse), ("csr", _Rows)):
        for module in (f"scipy.sparse.{kind}", f"scipy.sparse._{kind}"):
            names[module, f"{kind}_matrix"] = stand_in
            names[module, f"{kind}_array"] = stand_in
    return names


_NAMES = _names()


#: What an opcode hashes of the stack above the last mark.
_HASHED = {
    pickle.SETITEM: slice(-2, -1),
    pickle.SETITEMS: slice(None, None, 2),
    pickle.DICT: slice(None, None, 2),
    pickle.ADDITEMS: slice(None),
    pickle.FROZENSET: slice(None),
}


def _hashing(load: Callable[[Any], None], hashed: slice) -> Callable[[Any], None]:
    def checked(unpickler: Any) -> None:
        if any(isinstance(key, (tuple, frozenset)) for key in unpickler.stack[hashed]):
            raise InvalidModelError("a tuple or a set as a key")
        load(unpickler)

    return checked


class _Unpickler(pickle._Unpickler):
    """In Python, to see the keys: hashing n tuples, each twice in the next, takes 2^n steps."""

    dispatch = pickle._Unpickler.dispatch | {
        opcode[0]: _hashing(pickle._Unpickler.dispatch[opcode[0]], hashed)
        for opcode, hashed in _HASHED.items()
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _NAMES:
            return _NAMES[module, name]
        if module.partition(".")[0] == "chumpy" or module.startswith("scipy.sparse."):
            return _Unread
        raise UnsafeFileError(f"the pickle wants {module}.{name}, which no SMPL file uses")
