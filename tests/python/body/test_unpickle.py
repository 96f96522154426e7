# SPDX-License-Identifier: Apache-2.0
"""Pickles in SMPL's layouts, and hostile ones, of which nothing may run."""

from __future__ import annotations

import os
import pickle
import struct
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.body import BodyModel
from bitpose.body.files import read
from bitpose.body.layout import NAMES
from bitpose.body.unpickle import read_pickle
from bitpose.errors import InvalidModelError, UnsafeFileError
from tests.python.body.bodies import as_file, random_arrays

Array = NDArray[Any]


def _class(module: str, name: str) -> Any:
    """A class that pickles by a name of a package that need not be installed."""
    return type(name, (), {"__module__": module})


@pytest.fixture
def chumpy(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """Classes that pickle as chumpy's do."""
    classes = {"Ch": _class("chumpy.ch", "Ch"), "Select": _class("chumpy.reordering", "Select")}
    for cls in classes.values():
        module = types.ModuleType(cls.__module__)
        setattr(module, cls.__name__, cls)
        monkeypatch.setitem(sys.modules, cls.__module__, module)
    monkeypatch.setitem(sys.modules, "chumpy", types.ModuleType("chumpy"))
    return types.SimpleNamespace(**classes)


def ch(chumpy: types.SimpleNamespace, array: Array) -> Any:
    value = chumpy.Ch()
    value.__dict__ = {"x": array, "_dirty_vars": set(), "_itr": None, "_status": "new"}
    return value


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_smpl_pickle(protocol: int, chumpy: types.SimpleNamespace, tmp_path: Path) -> None:
    """chumpy arrays, a sparse regressor, and entries that nobody needs."""
    sparse = pytest.importorskip("scipy.sparse")
    arrays = random_arrays(1)
    content: dict[str, Any] = as_file(arrays)
    content["J_regressor"] = sparse.csc_matrix(arrays.J_regressor)
    content["shapedirs"] = ch(chumpy, arrays.shapedirs)
    order = np.random.default_rng(2).permutation(arrays.v_template.size)
    selected = chumpy.Select()
    base = np.empty(arrays.v_template.size)
    base[order] = arrays.v_template.ravel()
    selected.__dict__ = {
        "a": ch(chumpy, base),
        "idxs": order,
        "preferred_shape": arrays.v_template.shape,
    }
    content["v_template"] = selected
    content["posedirs"] = np.asfortranarray(arrays.posedirs)
    content |= {"bs_style": "lbs", "J_regressor_prior": sparse.csr_matrix(np.eye(3))}
    content |= {"pose_training_info": {"comment": None, "list": [1.5, (2,)]}}
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps(content, protocol))
    back = read(path)
    for name in ("v_template", "shapedirs", "posedirs", "lbs_weights", "parents", "faces"):
        np.testing.assert_array_equal(getattr(back, name), getattr(arrays, name))
    np.testing.assert_array_equal(back.J_regressor, arrays.J_regressor)
    assert BodyModel.load(path).num_betas == 10


def test_pickle_of_python_2() -> None:
    """Strings of bytes, `copy_reg`, big-endian numbers: by hand, as Python 2 wrote them."""
    data = (
        b"\x80\x02}U\x01acnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01>NNNJ\xff\xff\xff\xffJ\xff"
        b"\xff\xff\xffK\x00tb\x89U\x08" + struct.pack(">ff", 1.5, -2) + b"tbs."
    )
    np.testing.assert_array_equal(
        read_pickle(data, ["a"], "old")["a"], np.array([1.5, -2], np.float32)
    )


def test_other_expressions_of_chumpy(tmp_path: Path) -> None:
    """They do no harm where nobody needs them; where somebody does, the error names the entry."""
    expression = b"cchumpy.ch_ops\nadd\n)\x81}b"
    content = pickle.dumps(as_file(random_arrays(4)), 2)
    path = tmp_path / "body.pkl"
    path.write_bytes(content[:-1] + b"U\x01J" + expression + b"s.")
    assert read(path).v_template.shape == (40, 3)
    path.write_bytes(content[:-1] + b"U\x09shapedirs" + expression + b"s.")
    with pytest.raises(InvalidModelError, match="shapedirs: an expression of chumpy"):
        read(path)


class Runs:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    "function", [os.system, eval, exec, __import__, getattr, open, np.load, np.frombuffer, type]
)
def test_nothing_runs(protocol: int, function: Any, tmp_path: Path) -> None:
    victim = tmp_path / "made"
    data = pickle.dumps({"f": Runs(function, f"touch {victim}")}, protocol)
    with pytest.raises(UnsafeFileError, match="no SMPL file uses"):
        read_pickle(data, [], "hostile")
    assert not victim.exists()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x80\x02cos\nsystem\n(S'true'\ntR.", "os.system"),
        (b"\x80\x02c__builtin__\neval\n(S'1'\ntR.", "eval"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.", "os.system"),
        (
            b"\x80\x02ccopy_reg\n_reconstructor\n(c__builtin__\ndict\nc__builtin__\nobject\nNtR.",
            "dict",
        ),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"Pabc\n.", "PERSID"),
        (b"\x80\x02c_codecs\nencode\n(U\x01aU\x03hextR.", "encodes"),
        (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(K\x05tR.", "class"),
        (b"\x80\x02cbitpose.body.unpickle\n_NAMES\n.", "_NAMES"),
        (b"\x80\x02cnumpy\nndarray.__init__.__globals__\n.", "__globals__"),
    ],
)
def test_hostile_bytes(data: bytes, what: str) -> None:
    with pytest.raises(UnsafeFileError, match=what):
        read_pickle(data, [], "hostile")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        b"garbage",
        b"\x80\x02}.",  # Without arrays: read() says what is missing.
        b"\x80\x02]r\xff\xff\xff\x7f.",  # A memo of 16 GB.
        b"\x80\x04B\xff\xff\xff\x7fabc.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x00abc.",
        b"\x80\x02T\xff\xff\xff\x7fabc.",
        b"\x80\x02cnumpy\nndarray\n}b.",  # A state for a class.
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n}U\x0b__defaults__Nsb.",
        b"\x80\x02h\x07.",
        b"(" * 1000 + b".",
    ],
)
def test_damaged_bytes(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "body.pkl"
    path.write_bytes(data)
    with pytest.raises(InvalidModelError, match=r"body\.pkl"):
        read(path)


def _array_state(shape: Any, content: Any, kind: str = "f8") -> bytes:
    """A pickled dict of an array that says it has a shape, whatever it holds."""
    inner = pickle.dumps((1, shape, Ellipsis, False, content), 2)[2:-1]
    dtype = (
        b"cnumpy\ndtype\nU\x02" + kind.encode() + b"K\x00K\x01\x87R(K\x03U\x01<NNNK\x00K\x00K\x00tb"
    )
    inner = inner.replace(b"c__builtin__\nEllipsis\n", dtype)
    return (
        b"\x80\x02}U\x05arraycnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        + inner + b"bs."
    )  # fmt: skip


def test_arrays_by_hand_are_read() -> None:
    data = _array_state((2,), "\0" * 16)
    np.testing.assert_array_equal(read_pickle(data, ["array"], "good")["array"], [0, 0])


@pytest.mark.parametrize(
    ("shape", "content", "kind"),
    [
        ((2**39, 2**39), "\0" * 16, "f8"),
        ((3,), "\0" * 16, "f8"),
        ((1,) * 70 + (2,), "\0" * 16, "f8"),
        ((-2,), "\0" * 16, "f8"),
        (("a",), "\0" * 16, "f8"),
        (None, "\0" * 16, "f8"),
        ((2,), [1, 2], "f8"),
        ((2,), "\u2190" * 16, "f8"),
        ((2,), "\0" * 16, "O8"),
        ((2,), "\0" * 16, "V8"),
    ],
)
def test_arrays_that_contradict_themselves(shape: Any, content: Any, kind: str) -> None:
    with pytest.raises(InvalidModelError, match="array: "):
        read_pickle(_array_state(shape, content, kind), ["array"], "hostile")


@pytest.mark.parametrize("end", [b"Ns", b"(2Nu", b"\x8f(2\x90", b"(2\x91"])
def test_tuples_that_take_long_to_hash(end: bytes) -> None:
    doubled = b"\x80\x04}K\x01\x85" + b"2\x86" * 60
    if end != b"Ns":  # The tuple goes behind the mark, by way of the memo.
        doubled, end = doubled + b"q\x000", end.replace(b"2", b"h\x00")
    with pytest.raises(InvalidModelError, match="a tuple or a set as a key"):
        read_pickle(doubled + end + b".", [], "hostile")


def test_parts_of_arrays_that_are_something_else() -> None:
    good = _array_state((2,), "\0" * 16)
    for kind in (b"]", b"}", b"K\x01"):
        with pytest.raises(InvalidModelError, match="array: "):
            read_pickle(good.replace(b"U\x02f8", kind), ["array"], "hostile")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_shape", (2**20, 2**20)),
        ("_shape", (2, 3)),
        ("indptr", np.array([0, 1, 2, 99])),
        ("indptr", np.array([0, 2, 1, 3])),
        ("indices", np.array([0, 1, -1])),
        ("indices", np.array([0, 1, 2**40])),
        ("indices", np.array([0.0, 1.0, 2.0])),
        ("indptr", np.array([0, 1, 2, 2**63], np.uint64)),
        ("data", np.ones((3, 1))),
        ("data", None),
    ],
)
def test_sparse_matrices_that_contradict_themselves(name: str, value: Any) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.csc_matrix(np.eye(3))
    matrix.__dict__[name] = value
    with pytest.raises(InvalidModelError, match="m: "):
        read_pickle(pickle.dumps({"m": matrix}, 2), ["m"], "hostile")


def test_chumpy_that_contains_itself(chumpy: types.SimpleNamespace) -> None:
    value = chumpy.Ch()
    value.x = value
    with pytest.raises(InvalidModelError, match="contains itself"):
        read_pickle(pickle.dumps({"m": value}, 2), ["m"], "hostile")


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_flipped_bytes_are_errors_or_arrays(data: st.DataObject) -> None:
    good = bytearray(pickle.dumps({k: v[:2] for k, v in as_file(random_arrays(3, 4)).items()}, 2))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    del good[data.draw(st.one_of(st.just(len(good)), st.integers(1, len(good)))) :]
    try:
        arrays = read_pickle(bytes(good), NAMES, "damaged")
    except InvalidModelError:
        return
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
