# SPDX-License-Identifier: Apache-2.0
"""Surfaces that are written to OBJ, PLY and GLB come back; bad ones are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bitpose.body import BodyModel, Mesh
from bitpose.body.mesh_files import normals, read_mesh, write_mesh
from bitpose.errors import InputError

Array = NDArray[Any]

FORMATS = ("obj", "ply", "glb")
TRIANGLE = np.array([[0, 1, 2]], np.int32)


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    pose = np.random.default_rng(0).normal(0, 0.3, 72)
    return BodyModel.load().with_shape().with_axis_angle(pose, (1, 2, 3)).mesh()


@pytest.mark.parametrize("kind", FORMATS)
def test_comes_back(mesh: Mesh, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"body.{kind}"
    write_mesh(path, mesh)
    read = read_mesh(path)
    np.testing.assert_array_equal(read.faces, mesh.faces)
    np.testing.assert_allclose(read.vertices, mesh.vertices, rtol=0, atol=1e-7)


@pytest.mark.parametrize("kind", FORMATS)
def test_same_mesh_same_bytes_with_normals(mesh: Mesh, kind: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.{kind.upper()}" for name in "ab"]
    for path in paths:
        write_mesh(path, mesh)
    content = paths[0].read_bytes()
    assert content == paths[1].read_bytes()
    assert {"obj": b"\nvn ", "ply": b"property float nx", "glb": b'"NORMAL"'}[kind] in content


def test_normals_point_outwards(mesh: Mesh) -> None:
    mesh = Mesh(mesh.vertices.astype(np.float64), mesh.faces)
    grown = Mesh(mesh.vertices + 0.001 * normals(mesh), mesh.faces)
    assert grown.volume() > mesh.volume()
    alone = Mesh(np.eye(4, 3), TRIANGLE)  # The fourth vertex has no face.
    np.testing.assert_allclose(np.linalg.norm(normals(alone), axis=1), 1)


def test_reads_quads_of_others(tmp_path: Path) -> None:
    path = tmp_path / "quad.obj"
    path.write_text("mtllib none.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n")
    read = read_mesh(path)
    assert read.vertices.shape == (4, 3)
    assert len(read.faces) == 2


@pytest.mark.parametrize(
    ("vertices", "faces", "says"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3), np.int32), "without triangles"),
        (np.zeros((3, 3)), np.zeros((0, 3), np.int32), "without triangles"),
        (np.full((3, 3), np.nan), TRIANGLE, "NaN"),
        (np.full((3, 3), 1e300), TRIANGLE, "too large"),
        (np.zeros((2, 3, 3)), TRIANGLE, "one surface"),
        (np.zeros((3, 2)), TRIANGLE, "one surface"),
        (np.zeros((2, 3)), TRIANGLE, "beyond the 2"),
        (np.zeros((3, 3)), -TRIANGLE, "beyond"),
        (np.zeros((3, 3)), TRIANGLE.astype(float), "integers"),
        (np.zeros((3, 3)), np.array([[0, 1, 2, 0]]), "integers"),
    ],
)
def test_refuses_what_is_no_surface(
    vertices: Array, faces: NDArray[np.int32], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.ply"
    with pytest.raises(InputError, match=says):
        write_mesh(path, Mesh(vertices, faces))
    assert not path.exists()


@pytest.mark.parametrize("name", ["body", "body.stl", "body.obj.gz"])
def test_refuses_other_suffixes(mesh: Mesh, name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no format for"):
        write_mesh(tmp_path / name, mesh)
    with pytest.raises(InputError, match="no format for"):
        read_mesh(tmp_path / name)


def test_paths_that_cannot_be_used_are_os_errors(mesh: Mesh, tmp_path: Path) -> None:
    for path in (tmp_path / "missing" / "body.obj", tmp_path / "folder.ply"):
        if path.name == "folder.ply":
            path.mkdir()
        with pytest.raises(OSError, match=path.name):
            write_mesh(path, mesh)
        with pytest.raises(OSError, match=path.name):
            read_mesh(path)


HUGE = b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\nproperty float x\n"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("obj", b""),
        ("obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n"),
        ("obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n"),
        ("obj", b"v 0 nan 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"),
        ("obj", bytes(range(256))),
        ("ply", b""),
        ("ply", b"ply\n"),
        ("ply", HUGE + b"end_header\n\0\0\0\0"),
        ("ply", HUGE.replace(b"4000000000", b"-1") + b"end_header\n"),
        ("glb", b"glTF"),
        ("glb", b"glTF\2\0\0\0\x14\0\0\0\xff\xff\xff\xffJSON"),
        ("glb", b"\0" * 64),
    ],
)
def test_refuses_damaged_files(kind: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"bad.{kind}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=path.name):
        read_mesh(path)


@pytest.mark.parametrize("kind", FORMATS)
def test_refuses_cut_files(mesh: Mesh, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"cut.{kind}"
    write_mesh(path, mesh)
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(InputError, match=path.name):
        read_mesh(path)
