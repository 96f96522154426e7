# SPDX-License-Identifier: Apache-2.0
"""What is drawn: triangles, their charts, and how they look."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bitpose.errors import InputError
from bitpose.render import colour
from bitpose.render._shade import vertex_normals

MAX_COORDINATE = 1e9
MAX_TRIANGLES = 1 << 28
#: Of the height and width of a texture: float32 then tells any two texels apart.
MAX_TEXTURE = 1 << 14


def frozen(name: str, values: ArrayLike, dtype: Any, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """A read-only copy in C order; InputError where the shape differs or a number is not finite.

    What is one already is given back.
    """
    given = np.asarray(values)
    if given.dtype.kind not in "biuf":
        raise InputError(f"{name} must be numbers, not {given.dtype}")
    if given.ndim != len(shape) or any(
        want is not None and have != want for have, want in zip(given.shape, shape, strict=True)
    ):
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise InputError(f"{name} has shape {given.shape}; must be ({wanted})")
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        raise InputError(f"{name} must be finite")
    if given.dtype == dtype:
        if not given.flags.writeable and given.flags.c_contiguous and given.base is None:
            return given
    elif np.dtype(dtype).kind in "iu" and given.size:
        if given.dtype.kind == "f":
            raise InputError(f"{name} must be integers, not {given.dtype}")
        limits = np.iinfo(dtype)
        if int(given.min()) < limits.min or int(given.max()) > limits.max:
            raise InputError(f"{name} must lie in {limits.min} .. {limits.max}")
    copy = np.array(given, dtype, order="C")
    copy.flags.writeable = False
    return copy


@dataclass(frozen=True)
class Surface:
    """Triangles and what belongs to them whatever the pose: made once for a body.

    - `vertex_count`: of the vertices that `faces` [F, 3] name. Seen from outside, the corners of a
      face run counter-clockwise.
    - `parts` [F] uint8: the chart of each face, DensePose's I, 1 and up. 0 is none.
    - `uv` [F, 3, 2] float32: chart coordinates of the corners, in [0, 1].
    - `texture_uv` [F, 3, 2] float32: where the corners lie in a texture; (0, 0) is the lower left
      corner of its picture, (1, 1) the upper right one.

    A surface with parts has uv, and one with uv has parts. Raises InputError for shapes that do
    not fit, vertices that do not exist and numbers that are not finite.
    """

    vertex_count: int
    faces: NDArray[np.int32]
    parts: NDArray[np.uint8] | None = None
    uv: NDArray[np.float32] | None = None
    texture_uv: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        faces = frozen("faces", self.faces, np.int32, (None, 3))
        if len(faces) > MAX_TRIANGLES:
            raise InputError(f"{len(faces)} faces; at most {MAX_TRIANGLES} can be drawn")
        if faces.size and not (faces.min() >= 0 and faces.max() < self.vertex_count):
            bad = int(np.flatnonzero(((faces < 0) | (faces >= self.vertex_count)).any(axis=1))[0])
            raise InputError(
                f"face {bad} names vertices {faces[bad].tolist()}; there are {self.vertex_count}"
            )
        if (self.parts is None) != (self.uv is None):
            raise InputError("a surface needs both parts and uv, or neither")
        object.__setattr__(self, "faces", faces)
        if self.parts is not None:
            parts = frozen("parts", self.parts, np.uint8, (len(faces),))
            object.__setattr__(self, "parts", parts)
        for name in ("uv", "texture_uv"):
            if getattr(self, name) is not None:
                corners = frozen(name, getattr(self, name), np.float32, (len(faces), 3, 2))
                object.__setattr__(self, name, corners)


@dataclass(frozen=True)
class Texture:
    """A picture to be laid on a surface: [H, W, 3] or [H, W, 4] uint8, sRGB, the fourth alpha.

    Where alpha is below 128 nothing is drawn.
    """

    picture: NDArray[np.uint8]

    def __post_init__(self) -> None:
        picture = np.asarray(self.picture)
        if picture.ndim != 3 or picture.shape[2] not in (3, 4) or picture.dtype != np.uint8:
            raise InputError(
                f"a texture is {picture.dtype} {picture.shape}; must be uint8 (H, W, 3 or 4)"
            )
        height, width = picture.shape[:2]
        if not (0 < height <= MAX_TEXTURE and 0 < width <= MAX_TEXTURE):
            raise InputError(
                f"a texture of {width} x {height} pixels; extents must be 1 .. {MAX_TEXTURE}"
            )
        object.__setattr__(self, "picture", frozen("a texture", picture, np.uint8, picture.shape))

    @cached_property
    def alpha(self) -> NDArray[np.uint8] | None:
        """[H, W], or None where everything is opaque."""
        if self.picture.shape[2] == 3 or (self.picture[..., 3] >= 128).all():
            return None
        return np.ascontiguousarray(self.picture[..., 3])

    @cached_property
    def levels(self) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """The picture at full size, half, a quarter, ...: texels [T, 3], and for each level its
        first texel, height and width [L, 3]. Averages are made in linear light.
        """
        picture = np.ascontiguousarray(self.picture[..., :3])
        texels, table, first = [], [], 0
        while True:
            height, width = picture.shape[:2]
            texels.append(picture.reshape(-1, 3))
            table.append((first, height, width))
            first += height * width
            if max(height, width) == 1:
                return np.concatenate(texels), np.array(table, np.int32)
            picture = colour.halved(picture)


_GREY = frozen("colours", (196, 196, 196), np.uint8, (3,))


@dataclass(frozen=True)
class Drawable:
    """A surface in place.

    - `vertices_world` [V, 3] float64, in metres.
    - How it looks: a `texture` for `texture_uv`, or `colours` sRGB uint8, [V, 3] or [3].
    - `back_faces`: whether triangles are drawn that look away from the camera. A closed surface
      seen from outside looks the same without them, and is drawn faster.

    Raises InputError for shapes that do not fit, and for coordinates beyond 1e9 m or not finite.
    """

    surface: Surface
    vertices_world: NDArray[np.float64]
    texture: Texture | None = None
    colours: ArrayLike = field(default_factory=lambda: _GREY)
    back_faces: bool = True

    def __post_init__(self) -> None:
        count = self.surface.vertex_count
        vertices = frozen("vertices_world", self.vertices_world, np.float64, (count, 3))
        if vertices.size and np.abs(vertices).max() > MAX_COORDINATE:
            raise InputError(f"vertices_world must lie within {MAX_COORDINATE:g} m of the origin")
        object.__setattr__(self, "vertices_world", vertices)
        single = np.ndim(self.colours) == 1
        shape: tuple[int | None, ...] = (3,) if single else (count, 3)
        object.__setattr__(self, "colours", frozen("colours", self.colours, np.uint8, shape))
        if self.texture is not None and self.surface.texture_uv is None:
            raise InputError("a texture needs a surface with texture_uv")

    @cached_property
    def normals_world(self) -> NDArray[np.float32]:
        """[V, 3]: unit normals, those of the faces around each vertex weighted by area.

        Zero where a vertex has no face with an area.
        """
        return vertex_normals(self.vertices_world, self.surface.faces)
