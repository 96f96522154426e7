# SPDX-License-Identifier: Apache-2.0
"""MakeHuman's files of garments, hair and face parts: what hangs on the base mesh hm08, and how.

An asset is an `.obj` of faces and texture coordinates, and an `.mhclo` that says where each vertex
sits. Lengths in both are decimetres along the axes of MakeHuman's rest pose, y up.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitpose.errors import InputError

Array = NDArray[Any]
Index = NDArray[np.int32]

METRES = 0.1
_AXES = ("x_scale", "y_scale", "z_scale")


@dataclass(frozen=True, eq=False)
class Binding:
    """An `.mhclo`: vertex n lies at the mean of `references` by `shares`, plus its offset."""

    references: Index
    """[N, 3] base vertices."""
    shares: Array
    """[N, 3]: they add up to 1 and may be negative."""
    offsets: Array
    """[N, 3] decimetres, for a body that measures as `rulers` say."""
    rulers: tuple[tuple[int, int, int, float], ...]
    """Axis, two base vertices, and how far apart they were along it, in decimetres."""
    hides: Index
    """Base vertices that it covers, sorted."""
    z_depth: float
    """Garments with a higher one are worn over it."""

    def scaled_offsets(self, base: Array) -> Array:
        """[N, 3] metres, for a body with `base` [19158, 3] in metres."""
        scale = np.full(3, METRES)
        for axis, a, b, length in self.rulers:
            scale[axis] = abs(base[a, axis] - base[b, axis]) / length
        return np.asarray(self.offsets * scale)

    def covers(self, faces: Index) -> Index:
        """The base vertices beneath it: those in its list, or, where that is empty, those that it
        is bound to away from the open edges of its `faces` [F, 3].
        """
        if self.hides.size:
            return self.hides
        edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
        unique, count = np.unique(edges, axis=0, return_counts=True)
        rim = np.zeros(len(self.references), bool)
        rim[unique[count == 1]] = True
        rim[faces[rim[faces].any(axis=1)]] = True
        return np.setdiff1d(self.references[~rim], self.references[rim]).astype(np.int32)


@dataclass(frozen=True, eq=False)
class TexturedFaces:
    """The triangles of an `.obj`."""

    vertex_count: int
    faces: Index
    """[F, 3]."""
    texture_uv: Array
    """[F, 3, 2], v upwards; 0 where the file has none."""
    groups: tuple[str, ...]
    """[F]: the group of each."""


def read_binding(path: str | PathLike[str]) -> Binding:
    """Raises InputError, with the line, for a file that is no `.mhclo`; OSError where it cannot be
    read. Whether the base mesh has the vertices is for whoever binds to say.
    """
    path = Path(path)
    rows: list[tuple[list[int], list[float]]] = []
    hides: set[int] = set()
    rulers, z_depth, section = [], 0.0, ""
    for number, words in _lines(path):
        try:
            if words[0] in ("verts", "delete_verts"):
                section = words[0]
            elif words[0] in _AXES:
                a, b, length = int(words[1]), int(words[2]), float(words[3])
                if not 0 < length < np.inf:
                    raise ValueError(f"a measure of {length}")
                rulers.append((_AXES.index(words[0]), a, b, length))
            elif words[0] == "z_depth":
                z_depth = float(words[1])
            elif not words[0].lstrip("-").isdigit():
                continue  # Other words of the head may also stand behind "verts".
            elif section == "verts":
                rows.append(_vertex(words))
            elif section == "delete_verts":
                hides.update(_ranges(words))
        except (ValueError, IndexError) as error:
            raise InputError(f"{path.name}, line {number}: {error}") from None
    if not rows:
        raise InputError(f"{path.name} binds no vertex")
    numbers = np.array([values for _, values in rows])
    if not np.isfinite(numbers).all():
        raise InputError(f"{path.name} holds NaN or infinity")
    return Binding(
        np.array([references for references, _ in rows], np.int32),
        numbers[:, :3],
        numbers[:, 3:],
        tuple(rulers),
        np.array(sorted(hides), np.int32),
        z_depth,
    )


def read_faces(path: str | PathLike[str]) -> TexturedFaces:
    """Of an `.obj` or `.obj.gz`; polygons become fans of triangles, and vertices keep their order,
    which bindings rely on. Raises InputError and OSError as `read_binding` does.
    """
    path = Path(path)
    vertices, texture, group = 0, [(0.0, 0.0)], ""
    faces: list[list[tuple[int, int]]] = []
    groups = []
    for number, words in _lines(path):
        try:
            if words[0] == "v":
                vertices += 1
            elif words[0] == "vt":
                texture.append((float(words[1]), float(words[2])))
            elif words[0] in ("g", "o"):
                group = " ".join(words[1:])
            elif words[0] == "f":
                corners = [_corner(word) for word in words[1:]]
                for i in range(1, len(corners) - 1):
                    faces.append([corners[0], corners[i], corners[i + 1]])
                    groups.append(group)
        except (ValueError, IndexError) as error:
            raise InputError(f"{path.name}, line {number}: {error}") from None
    corners_of = np.array(faces, np.int64).reshape(-1, 3, 2)
    index, uv = corners_of[..., 0], corners_of[..., 1]
    if not faces or index.max() > vertices or uv.max() >= len(texture):
        raise InputError(f"{path.name} has no faces, or some beyond its {vertices} vertices")
    at = np.array(texture)[uv]
    if not np.isfinite(at).all():
        raise InputError(f"{path.name} holds NaN or infinity")
    return TexturedFaces(vertices, (index - 1).astype(np.int32), at, tuple(groups))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The words of each line that has some, with its number."""
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        text = content.decode("utf-8")
    except (gzip.BadGzipFile, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is no text: {error}") from None
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#")[0].split()
        if words:
            yield number, words


def _vertex(words: list[str]) -> tuple[list[int], list[float]]:
    """Three base vertices; three shares and three offsets."""
    if len(words) == 1:
        return [int(words[0])] * 3, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    if len(words) not in (6, 9):
        raise ValueError(f"a vertex of {len(words)} numbers; must be 1, 6 or 9")
    numbers = [float(word) for word in words[3:]]
    return [int(word) for word in words[:3]], numbers + [0.0] * (6 - len(numbers))


def _ranges(words: list[str]) -> Iterator[int]:
    """Of "7 9 - 12": 7, 9, 10, 11, 12."""
    i = 0
    while i < len(words):
        first = last = int(words[i])
        if words[i + 1 : i + 2] == ["-"]:
            last = int(words[i + 2])
            i += 2
        if not 0 <= first <= last < 1 << 20:
            raise ValueError(f"vertices {first} - {last}")
        yield from range(first, last + 1)
        i += 1


def _corner(word: str) -> tuple[int, int]:
    """The vertex and the texture coordinates of one, from 1; 0 for no coordinates."""
    vertex, _, rest = word.partition("/")
    texture = rest.partition("/")[0]
    numbers = int(vertex), int(texture or 0)
    if numbers[0] < 1 or numbers[1] < 0:
        raise ValueError(f"a corner {word!r}")
    return numbers
