# SPDX-License-Identifier: Apache-2.0
"""Body files against the `smplx` package, and files that are wrong."""

from __future__ import annotations

import contextlib
import io
import pickle
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bitpose.body import BodyModel
from bitpose.body.files import read
from bitpose.errors import InvalidModelError
from tests.python.body.bodies import as_file, random_arrays

Array = NDArray[Any]


def _hands(first: int) -> list[int]:
    """Parents of 30 finger joints from number `first`, on wrists 20 and 21."""
    return [
        wrist if k == 0 else first + 15 * side + 3 * finger + k - 1
        for side, wrist in enumerate((20, 21))
        for finger in range(5)
        for k in range(3)
    ]


BODY = tuple(random_arrays(0, 1).parents[:22])
SMPLH_PARENTS = (*BODY, *_hands(22))
SMPLX_PARENTS = (*BODY, 15, 15, 15, *_hands(25))


def write(folder: Path, kind: str, betas: int, gender: str = "neutral") -> Path:
    """A random file of SMPL's, SMPL-H's or SMPL-X's full size."""
    parents, vertices, suffix = {
        "SMPL": (tuple(random_arrays(0, 1).parents), 6890, "pkl"),
        "SMPLH": (SMPLH_PARENTS, 6890, "npz"),
        "SMPLX": (SMPLX_PARENTS, 10475, "npz"),
    }[kind]
    content: dict[str, Any] = as_file(random_arrays(7, vertices, parents, betas))
    path = folder / f"{kind}_{gender.upper()}.{suffix}"
    if kind == "SMPL":
        path.write_bytes(pickle.dumps(content, 2))
        return path
    hands = {f"hands_{part}{side}": np.zeros((45, 45) if part == "components" else 45)
             for part in ("components", "mean") for side in "lr"}  # fmt: skip
    landmarks = {
        "lmk_faces_idx": np.zeros(51, int),
        "lmk_bary_coords": np.zeros((51, 3)),
        "dynamic_lmk_faces_idx": np.zeros((79, 17), int),
        "dynamic_lmk_bary_coords": np.zeros((79, 17, 3)),
    }
    everything: dict[str, Any] = {**content, **hands, **landmarks}
    np.savez(path, joint2num=np.array({"Pelvis": 0}, object), **everything)
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("gender", "shapes"), [("neutral", 10), ("male", 10), ("female", 300)])
def test_smpl_agrees_with_smplx(tmp_path: Path, gender: str, shapes: int) -> None:
    smplx, torch = pytest.importorskip("smplx"), pytest.importorskip("torch")
    path = write(tmp_path, "SMPL", shapes, gender)
    theirs = smplx.SMPL(str(path), gender=gender, num_betas=shapes)
    ours = BodyModel.load(path)
    rng = np.random.default_rng(8)
    betas, pose = rng.normal(size=(3, shapes)) / 9, rng.normal(0, 0.7, (3, 72))
    translation = rng.normal(size=(3, 3))
    given = (betas, pose[:, 3:], pose[:, :3], translation)
    output = theirs(*(torch.tensor(x, dtype=torch.float32) for x in given))
    posed = ours.with_shape(betas).with_axis_angle(pose, translation)
    _assert_equal(posed, output, 24)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "betas"), [("SMPLH", 16), ("SMPLX", 20), ("SMPLX", 400)])
def test_hands_and_face_agree_with_smplx(tmp_path: Path, kind: str, betas: int) -> None:
    smplx, torch = pytest.importorskip("smplx"), pytest.importorskip("torch")
    path = write(tmp_path, kind, betas)
    ours = BodyModel.load(path)
    shapes = {16: 16, 20: 10, 400: 300}[betas]
    assert (ours.num_betas, ours.expressions) == (shapes, betas - shapes)
    options = {"use_pca": False, "flat_hand_mean": True, "num_betas": shapes, "ext": "npz"}
    if kind == "SMPLX":
        options["num_expression_coeffs"] = betas - shapes
    theirs = getattr(smplx, kind)(str(path), **options)
    rng = np.random.default_rng(9)
    pose = rng.normal(0, 0.5, (1, 3 * ours.num_joints)).astype(np.float32)
    shape = (rng.normal(size=(1, betas)) / 9).astype(np.float32)
    if kind == "SMPLH":
        shape[:, 10:] = 0  # The package reads ten.
    face = 9 if kind == "SMPLX" else 0
    parts = {"global_orient": pose[:, :3], "body_pose": pose[:, 3:66],
             "betas": shape[:, : theirs.num_betas],
             "left_hand_pose": pose[:, 66 + face : 111 + face],
             "right_hand_pose": pose[:, 111 + face :]}  # fmt: skip
    if face:
        names = ("jaw_pose", "leye_pose", "reye_pose")
        parts |= {name: pose[:, 66 + 3 * i : 69 + 3 * i] for i, name in enumerate(names)}
        parts["expression"] = shape[:, shapes:]
    output = theirs(**{name: torch.tensor(part) for name, part in parts.items()})
    posed = ours.with_shape(shape[:, :shapes], shape[:, shapes:]).with_axis_angle(pose)
    _assert_equal(posed, output, ours.num_joints)


def _assert_equal(posed: Any, output: Any, joints: int) -> None:
    np.testing.assert_allclose(posed.vertices(), output.vertices.detach().numpy(), atol=1e-5)
    theirs = output.joints.detach().numpy()[:, :joints]
    np.testing.assert_allclose(posed.t_world_joint, theirs, atol=1e-5)


def test_npz_keeps_float32(tmp_path: Path) -> None:
    arrays = random_arrays(10)
    content = {
        k: v.astype(np.float32) if v.dtype == float else v for k, v in as_file(arrays).items()
    }
    np.savez_compressed(tmp_path / "body.npz", allow_pickle=False, **content)
    back = read(tmp_path / "body.npz")
    assert back.posedirs.dtype == np.float32
    np.testing.assert_array_equal(back.parents, arrays.parents)


def changed(name: str, value: Any) -> dict[str, Any]:
    content: dict[str, Any] = as_file(random_arrays(11))
    content[name] = value(content[name]) if callable(value) else value
    return content


def _entry(index: Any, value: float) -> Any:
    def change(array: Array) -> Array:
        array = array.copy()
        array[index] = value
        return array

    return change


WRONG = [
    ("v_template", _entry((3, 1), np.nan), "v_template holds NaN"),
    ("v_template", lambda a: a[:, :2], r"v_template has shape \(40, 2\)"),
    ("v_template", lambda a: a[:-1], r"weights has shape \(40, 24\), must have \[39, any\]"),
    ("v_template", lambda a: a[:0], "weights has shape"),
    ("shapedirs", lambda a: a[:-1], "shapedirs has shape"),
    ("shapedirs", _entry(0, np.inf), "shapedirs holds NaN or infinity"),
    ("posedirs", lambda a: a[:, :, 1:], r"posedirs has shape .* must have \[40, 3, 207\]"),
    ("J_regressor", lambda a: a.T, "J_regressor has shape"),
    ("weights", lambda a: 2 * a, "do not add up to 1"),
    ("weights", lambda a: a.astype("U"), "not numbers"),
    ("kintree_table", _entry((0, 4), 5), "joint 4 hangs on joint 5"),
    ("kintree_table", _entry((0, 4), 4), "joint 4 hangs on joint 4"),
    ("kintree_table", _entry((0, 4), -1), "joint 4 hangs on joint -1"),
    ("kintree_table", lambda a: a[0], "kintree_table has shape"),
    ("kintree_table", lambda a: a.astype(float), "not integers"),
    ("f", _entry((0, 0), 40), "beyond the 40"),
    ("f", lambda a: a[:, :2], "f has shape"),
]


@pytest.mark.parametrize("suffix", ["pkl", "npz"])
@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_wrong_arrays(name: str, value: Any, message: str, suffix: str, tmp_path: Path) -> None:
    content, path = changed(name, value), tmp_path / f"body.{suffix}"
    if suffix == "npz":
        np.savez(path, **content)
    elif content[name].dtype.kind == "U":
        pytest.skip("pickled text is refused before")
    else:
        path.write_bytes(pickle.dumps(content, 2))
    with pytest.raises(InvalidModelError, match=message):
        BodyModel.load(path)


def test_says_all_that_is_missing(tmp_path: Path) -> None:
    content: dict[str, Any] = as_file(random_arrays(12))
    del content["posedirs"], content["f"]
    np.savez(tmp_path / "body.npz", **content)
    with pytest.raises(InvalidModelError, match="no posedirs, f; a file of SMPL"):
        BodyModel.load(tmp_path / "body.npz")


def _npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


@pytest.mark.parametrize(
    "member",
    [
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 3)}", b"\0" * 24),
        _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"\x80\x02cos\nsystem\n."),
        _npy("__import__('os').abort()"),
        b"\x93NUMPY\x07\x00",
        b"",
    ],
)
def test_hostile_npz(member: bytes, tmp_path: Path) -> None:
    path = tmp_path / "body.npz"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("v_template.npy", member)
    path.write_bytes(buffer.getvalue())
    with pytest.raises(InvalidModelError, match=r"body\.npz"):
        read(path)
    path.write_bytes(buffer.getvalue()[:-30])
    with pytest.raises(InvalidModelError, match=r"body\.npz"):
        read(path)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_damaged_npz(data: st.DataObject) -> None:
    """An error, or a body."""
    buffer = io.BytesIO()
    content: dict[str, Any] = as_file(random_arrays(3, 4))
    np.savez_compressed(buffer, allow_pickle=False, **content)
    damaged = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(4, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "body.npz"
        path.write_bytes(damaged)
        with contextlib.suppress(InvalidModelError):
            BodyModel.load(path)


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "body.obj").write_text("v 0 0 0\n")
    with pytest.raises(InvalidModelError, match="neither a pickle nor"):
        read(tmp_path / "body.obj")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nowhere.npz")
