# SPDX-License-Identifier: Apache-2.0
"""Surfaces as OBJ, PLY and GLB files, by trimesh. `glb.py` writes GLB files with a skeleton."""

from __future__ import annotations

from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.body.batches import finite
from bitpose.body.model import Mesh
from bitpose.errors import InputError

Array = NDArray[Any]

_FORMATS = ("obj", "ply", "glb")
_MOST_BYTES = 1 << 30
_FLOAT = np.dtype(np.float64)


def write_mesh(path: str | PathLike[str], mesh: Mesh) -> None:
    """Writes one surface with its normals; the suffix of `path`, .obj, .ply or .glb, says how.

    Coordinates are decimal in OBJ (8 places) and float32 in the others. Raises InputError for
    another suffix, for a batch, and for a surface that is empty, not finite or whose faces name
    vertices that it does not have; OSError where the file cannot be written.
    """
    path = Path(path)
    kind = _format(path)
    checked = one_surface(mesh)
    import trimesh

    surface = trimesh.Trimesh(
        checked.vertices, checked.faces, vertex_normals=normals(checked), process=False
    )
    writers: Any = trimesh.exchange  # Most of it has no types.
    if kind == "obj":
        content = writers.obj.export_obj(surface, include_normals=True).encode()
    elif kind == "ply":
        content = writers.ply.export_ply(surface, vertex_normal=True)
    else:
        content = writers.gltf.export_glb(surface, include_normals=True)
    path.write_bytes(content)


def read_mesh(path: str | PathLike[str]) -> Mesh:
    """The triangles of an .obj, .ply or .glb file; those of several surfaces as one.

    Vertices keep their order where the file is of `write_mesh`; where corners of a vertex differ in
    texture coordinates or normals, it is several. Nothing but this one file is opened. Raises
    InputError for another suffix and for a file that is damaged or without triangles, OSError where
    it cannot be read.
    """
    path = Path(path)
    kind = _format(path)
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise InputError(f"{path.name} has {size} bytes; at most {_MOST_BYTES} are read")
    content = path.read_bytes()
    import trimesh

    try:
        surface = trimesh.load_mesh(
            BytesIO(content),
            file_type=kind,
            process=False,
            maintain_order=True,
            skip_materials=True,
        )
        vertices, faces = surface.vertices, surface.faces
    except Exception as error:  # A damaged file can raise anything.
        raise InputError(f"{path.name} is no {kind.upper()} of triangles: {error}") from None
    try:
        return one_surface(Mesh(np.asarray(vertices), np.asarray(faces)))
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None


def one_surface(mesh: Mesh) -> Mesh:
    """The mesh in float64 and int32, if it is one that can be drawn.

    Raises InputError as `write_mesh` does.
    """
    vertices = finite("vertices", mesh.vertices, _FLOAT)
    faces = np.asarray(mesh.faces)
    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise InputError(f"vertices of shape {vertices.shape}: a file holds one surface, [V, 3]")
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.dtype.kind not in "iu":
        raise InputError(f"faces are {faces.dtype} {faces.shape}: must be integers, [F, 3]")
    if len(faces) == 0:
        raise InputError("a surface without triangles")
    if not 0 <= int(faces.min()) <= int(faces.max()) < len(vertices):
        raise InputError(f"faces name vertices beyond the {len(vertices)}")
    if np.abs(vertices).max() > np.finfo(np.float32).max:
        raise InputError("vertices are too large for float32")
    return Mesh(np.ascontiguousarray(vertices), np.ascontiguousarray(faces, np.int32))


def normals(mesh: Mesh) -> NDArray[np.float64]:
    """[V, 3] unit vectors, those of the faces around each vertex by their area, of a mesh that
    `one_surface` made; along z where a vertex has no face.
    """
    from bitpose.render._shade import vertex_normals

    given = vertex_normals(mesh.vertices, mesh.faces).astype(np.float64)
    length = np.linalg.norm(given, axis=1, keepdims=True)
    return np.where(length > 0.5, given / np.maximum(length, 0.5), [0.0, 0.0, 1.0])


def _format(path: Path) -> str:
    kind = path.suffix.lower().removeprefix(".")
    if kind not in _FORMATS:
        known = ", ".join(f".{name}" for name in _FORMATS)
        raise InputError(f"{path.name}: no format for {path.suffix or 'no suffix'}; {known} are")
    return kind
